#include <host/predict/crew.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/train/fold_worker.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/child_process.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/report_lines.hpp>
#include <host/util/usage_error.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

using nlohmann::json;

/// A process, and what it was given.
class Crew::Worker {
 public:
  enum class Wish { nothing, ahead, now };

  Worker(std::string name, const std::vector<std::string>& command)
      : name_(std::move(name)),
        lines_([this](const json& event) { events_.push_back(event); }),
        process_(
            command, [this](std::string_view text) { lines_.add(text); }, /*listens=*/true) {}

  const std::string& name() const noexcept { return name_; }
  ChildProcess& process() noexcept { return process_; }
  std::vector<json> take_events() { return std::exchange(events_, {}); }

  void give(const PictureFile& picture) {
    has_.push_back(picture);
    wish = Wish::nothing;
    process_.tell(json{{"picture", picture.id}}.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  }
  void give_nothing() {
    wish = Wish::nothing;
    process_.tell("{}\n");
  }
  const std::vector<PictureFile>& has() const noexcept { return has_; }
  /// A picture that it has no longer.
  PictureFile take(const std::string& id) {
    const auto found = std::find_if(has_.begin(), has_.end(), [&](const PictureFile& p) { return p.id == id; });
    if (found == has_.end()) throw Error(name_ + " speaks of \"" + id + "\", which it was not given");
    const PictureFile out = *found;
    has_.erase(found);
    return out;
  }
  std::vector<PictureFile> take_all() { return std::exchange(has_, {}); }

  /// Why it ended: what it said, or how.
  std::string failure() {
    if (error) return with_hint(*error);
    std::string text = process_.end().text();
    if (process_.end().signal == SIGKILL) text += " (the system kills so when memory is short: fewer --jobs)";
    return text;
  }

  Wish wish = Wish::nothing;
  bool ready = false;
  std::string doing;           ///< id of the picture that it computes
  std::optional<Error> error;  ///< why it cannot go on
  bool wrong_usage = false;    ///< it was asked for wrongly

 private:
  std::string name_;
  LineReader lines_;
  std::vector<json> events_;
  std::vector<PictureFile> has_;
  ChildProcess process_;  // last: it calls back
};

Crew::Crew(std::vector<std::string> command, std::string networks, JobPlan plan, int threads,
           std::vector<std::string> classes)
    : command_(std::move(command)),
      networks_(std::move(networks)),
      plan_(std::move(plan)),
      threads_(threads),
      classes_(std::move(classes)) {
  class NoOrders final : public PictureOrders {
    std::optional<PictureFile> next(bool) override { return std::nullopt; }
    std::size_t left() const override { return 0; }
    void doing(const PictureFile&, double, const std::string&) override {}
    void done(PictureResult) override {}
    void failed(const PictureFile&, const std::exception&) override {}
  } none;
  for (std::size_t place = 0; place < plan_.devices.size(); ++place) workers_.push_back(begun(place));
  const auto waits = [&] {
    return std::any_of(workers_.begin(), workers_.end(), [](const auto& w) { return !w->ready; });
  };
  while (waits()) {
    listen();
    if (interrupted()) throw Cancelled();
    for (const auto& worker : workers_) {
      const bool ended = worker->process().ended();
      hear(*worker, none);
      if (worker->error && worker->wrong_usage) throw UsageError(worker->error->what(), worker->error->hint());
      if (worker->error) throw *worker->error;
      if (ended && !worker->ready) throw Error(worker->name() + " cannot predict: " + worker->failure());
    }
  }
}

Crew::~Crew() = default;

std::unique_ptr<Crew::Worker> Crew::begun(std::size_t place) const {
  std::vector<std::string> command = command_;
  command.insert(command.end(),
                 {"--worker", "--worker-device", plan_.devices[place], "--worker-threads", std::to_string(threads_)});
  auto out =
      std::make_unique<Worker>("process " + std::to_string(place + 1) + " (" + plan_.devices[place] + ")", command);
  out->process().tell(networks_ + "\n");
  return out;
}

void Crew::listen() {
  std::vector<ChildProcess*> processes;
  for (const auto& worker : workers_)
    if (worker != nullptr) processes.push_back(&worker->process());
  ChildProcess::listen(processes, 100);
}

void Crew::hear(Worker& worker, PictureOrders& orders) {
  for (const json& event : worker.take_events()) {
    if (relay_log(event, worker.name())) continue;
    if (event.contains("ready")) {
      worker.ready = true;
    } else if (event.contains("next")) {
      worker.wish = event["next"] == "now" ? Worker::Wish::now : Worker::Wish::ahead;
    } else if (event.contains("doing")) {
      worker.doing = event["doing"];
      const auto& has = worker.has();
      const auto found =
          std::find_if(has.begin(), has.end(), [&](const PictureFile& p) { return p.id == worker.doing; });
      if (found != has.end()) orders.doing(*found, event["share"], event["what"]);
    } else if (event.contains("done")) {
      PictureResult result{worker.take(event["done"]), {Reduction::of(event["reduction"]), event["digest"]}, {}, {}};
      if (event.contains("score"))
        result.score = read_score(classes_, JsonNode::parse(event["score"].dump(), worker.name()));
      orders.done(std::move(result));
    } else if (event.contains("left_out")) {
      const PictureFile picture = worker.take(event["left_out"]);
      orders.failed(picture, Error(event["why"].get<std::string>(), event["hint"].get<std::string>()));
    } else if (event.contains("cannot_write")) {
      throw WriteError(event["cannot_write"].get<std::string>(), event["hint"].get<std::string>());
    } else if (event.contains("error")) {
      worker.error.emplace(event["error"].get<std::string>(), event["hint"].get<std::string>());
      worker.wrong_usage = event["usage"];
    }
  }
}

bool Crew::any_at_work() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker != nullptr && !worker->has().empty(); });
}

/// One picture to each that asks. What is read ahead is not there for others: towards the end nothing is.
void Crew::deal(PictureOrders& orders) {
  for (const auto& worker : workers_) {
    if (worker == nullptr || worker->wish == Worker::Wish::nothing) continue;
    const bool ahead = worker->wish == Worker::Wish::ahead;
    if (ahead && orders.left() + again_.size() < workers_.size()) {
      worker->give_nothing();
      continue;
    }
    std::optional<PictureFile> picture;
    if (!again_.empty()) {
      picture = again_.front();
      again_.pop_front();
    } else if (!stopped_) {
      picture = orders.next(true);
    }
    if (picture) worker->give(*picture);
    else if (ahead) worker->give_nothing();
    else if (!any_at_work()) worker->process().tell_no_more();
  }
}

/// Of a process that ended: what it was given is given to others, but for the picture that it was at.
void Crew::bury(std::size_t place, PictureOrders& orders) {
  const std::unique_ptr<Worker> dead = std::move(workers_[place]);
  std::vector<PictureFile> had = dead->take_all();
  if (had.empty() && dead->process().end().code == 0 && dead->process().end().signal == 0) return;
  if (interrupted() || stopped_) return;
  if (had.empty()) throw Error(dead->name() + " ended: " + dead->failure());
  auto at = std::find_if(had.begin(), had.end(), [&](const PictureFile& p) { return p.id == dead->doing; });
  if (at == had.end()) at = had.begin();
  const PictureFile lost = *at;
  had.erase(at);
  again_.insert(again_.begin(), had.begin(), had.end());
  orders.failed(lost, Error(dead->name() + ", which predicted it, ended: " + dead->failure()));
  workers_[place] = begun(place);
}

/// Each writes what it has computed, and ends.
void Crew::stop() {
  if (std::exchange(stopped_, true)) return;
  for (const auto& worker : workers_) {
    if (worker == nullptr) continue;
    worker->process().signal(SIGINT);
    worker->process().tell_no_more();
  }
}

void Crew::work_through(PictureOrders& orders) {
  std::exception_ptr blame;
  const auto there = [](const auto& worker) { return worker != nullptr; };
  while (std::any_of(workers_.begin(), workers_.end(), there)) {
    try {
      deal(orders);
      listen();
      if (interrupted()) stop();
      for (std::size_t place = 0; place < workers_.size(); ++place) {
        if (workers_[place] == nullptr) continue;
        const bool ended = workers_[place]->process().ended();
        hear(*workers_[place], orders);
        if (ended) bury(place, orders);
      }
    } catch (const Cancelled&) {  // as the orders stop
      stop();
    } catch (...) {
      if (blame == nullptr) blame = std::current_exception();
      stop();
    }
  }
  if (blame != nullptr) std::rethrow_exception(blame);
  if (interrupted()) throw Cancelled();
}

}  // namespace nephron::host
