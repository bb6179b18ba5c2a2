#include <host/predict/worker.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/predict/chosen_networks.hpp>
#include <host/predict/member.hpp>
#include <host/predict/picture_loop.hpp>
#include <host/train/fold_worker.hpp>
#include <host/train/memory.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/report_lines.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

using nlohmann::json;

namespace {

class ParentsOrders final : public PictureOrders {
 public:
  ParentsOrders(const std::vector<PictureFile>& pictures, std::vector<std::string> classes)
      : classes_(std::move(classes)) {
    for (const PictureFile& picture : pictures) pictures_[picture.id] = picture;
  }

  std::optional<PictureFile> next(bool wait) override {
    if (over_) return std::nullopt;
    report({{"next", wait ? "now" : "ahead"}});
    std::string line;
    over_ = !std::getline(std::cin, line);
    if (over_) return std::nullopt;
    const json order = json::parse(line);
    if (!order.contains("picture")) return std::nullopt;
    return pictures_.at(order["picture"].get<std::string>());
  }

  std::size_t left() const override { return 0; }

  void doing(const PictureFile& picture, double share, const std::string& what) override {
    const auto now = std::chrono::steady_clock::now();
    if (picture.id == said_ && now - when_ < std::chrono::milliseconds(300)) return;
    said_ = picture.id, when_ = now;
    report({{"doing", picture.id}, {"share", share}, {"what", what}});
  }

  void done(PictureResult result) override {
    json event{
        {"done", result.picture.id}, {"reduction", result.seen.reduction.value()}, {"digest", result.seen.digest}};
    if (result.score) event["score"] = score_json(classes_, *result.score);
    report(event);
  }

  void failed(const PictureFile& picture, const std::exception& why) override {
    const auto* const error = dynamic_cast<const Error*>(&why);
    report({{"left_out", picture.id}, {"why", why.what()}, {"hint", error == nullptr ? "" : error->hint()}});
  }

 private:
  std::map<std::string, PictureFile> pictures_;
  std::vector<std::string> classes_;
  bool over_ = false;
  std::string said_;
  std::chrono::steady_clock::time_point when_;
};

}  // namespace

int predict_for_parent(PredictRequest request) {
  work_for_parent();
  share_one_heap();
  try {
    std::string networks;
    if (!std::getline(std::cin, networks)) return 130;  // there is no parent any more
    ask_for_chosen(request, networks);
    const std::vector<std::unique_ptr<Member>> members = open_members(request);
    const std::vector<std::string>& classes = members.front()->experiment.classes;
    const OutputFolder output(request.out, classes);
    const std::unique_ptr<const PictureMetrics> metrics = picture_metrics(request, *members.front());
    require_chosen(members, settings_text(members, request, metrics == nullptr ? "" : metrics->set.str()), networks);
    const PictureWork work(request, members, output, metrics.get());
    report({{"ready", true}});
    ParentsOrders orders(members.front()->loader->pictures(), classes);
    work_through(work, orders);
    if (interrupted()) throw Cancelled();
    return 0;
  } catch (const Cancelled&) {
    return 130;
  } catch (const WriteError& e) {
    report({{"cannot_write", e.what()}, {"hint", e.hint()}});
    return 1;
  } catch (...) {
    report_failure();
    return 1;
  }
}

}  // namespace nephron::host
