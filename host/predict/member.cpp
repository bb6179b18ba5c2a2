#include <host/predict/member.hpp>

#include <set>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/config/run_experiment.hpp>
#include <host/data/folds.hpp>
#include <host/device/device.hpp>
#include <host/predict/full_size.hpp>
#include <host/predict/memory.hpp>
#include <host/predict/network_key.hpp>
#include <host/predict/networks.hpp>
#include <host/tiling/tiling.hpp>
#include <host/util/as_usage.hpp>
#include <host/util/fixed_number.hpp>
#include <host/util/job_plan.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

/// Throws what is wrong with the settings, before any work.
std::unique_ptr<PixelModel> model_of(const PredictRequest& request, const Member& member) {
  const PredictSettings& settings = member.settings;
  const JobPlan plan = JobPlan::of(request.devices, request.jobs, request.device);
  require_prediction_memory(settings, member.experiment, *member.registry, parse_device(request.device),
                            plan.together());
  const int threads = request.threads > 0 ? request.threads : member.experiment.train.threads;
  const NetworkOptions options{request.device, settings.precision, settings.tta, threads, settings.kept.tta};
  auto model = open_networks(member.experiment, *member.registry, settings.weights, options);
  if (settings.windows > 1) model = at_full_size(std::move(model), settings.windows);
  const auto check = [&] {
    return tile_grid({settings.cut(), settings.cut()}, settings.cut(), settings.overlap, model->multiple());
  };
  if (request.tile) as_usage(check);
  else check();
  return model;
}

void tell_thresholds(const PredictSettings& settings, const std::vector<std::string>& classes) {
  std::string text;
  for (std::size_t c = 0; c < classes.size(); ++c)
    text += (c == 0 ? "" : ", ") + classes[c] + " " + fixed_number(settings.thresholds[c], 2);
  log().info("thresholds of the validation of " + settings.run.string() + ": " + text);
}

/// The run of a request is number 0, those of `with` follow.
std::unique_ptr<Member> open_member(const PredictRequest& request, std::size_t number) {
  const NamedNetwork network = NamedNetwork::of(number == 0 ? request.run : request.with[number - 1]);
  auto out = std::make_unique<Member>();
  out->place = network.place;
  PluginSearch search;
  search.command_line = request.plugins;
  out->experiment = network.run ? load_run_experiment(network.experiment, {}, search, out->registry)
                                : load_experiment(network.experiment, {}, search, out->registry);
  out->settings = settle(request,
                         request.chosen.empty()
                             ? chosen_weights(network, request.fold, request.checkpoint, out->experiment.model.weights)
                             : request.chosen.at(number),
                         out->experiment);
  if (out->settings.validated && request.chosen.empty()) tell_thresholds(out->settings, out->experiment.classes);
  out->network_sha256 = network_key(out->experiment, *out->registry);
  const PredictSettings& settings = out->settings;
  check_tta(settings.tta);
  out->loader = request.dataset.empty() ? file_pictures(request, settings, out->experiment, *out->registry)
                                        : dataset_pictures(request, settings, out->experiment, *out->registry);
  out->trained = network.run ? TrainedSlides(*network.run, settings.folds) : TrainedSlides();
  return out;
}

/// Of one member: its settings, and what its experiment says besides.
nlohmann::ordered_json settings_of(const Member& member) {
  auto out = nlohmann::ordered_json::parse(member.settings.str());
  out["network_sha256"] = member.network_sha256;
  return out;
}

std::string list_of(const std::vector<std::string>& names) { return names_of(names, names.size()); }

void require_like(const Member& first, const Member& other) {
  const auto differ = [&](const std::string& what) {
    throw UsageError(
        other.settings.run.string() + " cannot be joined with " + first.settings.run.string() + ": " + what,
        "Runs that are joined have the same classes, in the same order.");
  };
  if (other.experiment.classes != first.experiment.classes)
    differ("its classes are " + list_of(other.experiment.classes) + ", not " + list_of(first.experiment.classes));
  if (first.settings.kept.tta && other.settings.tta != first.settings.tta)
    differ("its flips are " + list_of(other.settings.tta) + ", not " + list_of(first.settings.tta) +
           ", and --save tta keeps a map of each (--tta names them for all)");
  if (other.experiment.exclusive != first.experiment.exclusive)
    differ("classes exclude each other in one of them, and not in the other");
}

}  // namespace

std::vector<std::unique_ptr<Member>> open_members(const PredictRequest& request, bool with_networks) {
  if (!request.shares.empty() && request.shares.size() != request.with.size() + 1)
    throw UsageError("--shares has " + std::to_string(request.shares.size()) + " numbers for " +
                     std::to_string(request.with.size() + 1) + " runs");
  constexpr double most = 1e6;
  for (const double share : request.shares)
    if (!(share > 0 && share <= most)) throw UsageError("--shares are numbers above 0, at most 1000000");
  if (request.vote && request.with.empty())
    throw UsageError("--join says how several runs are joined: name them in --with");
  std::vector<std::unique_ptr<Member>> out;
  out.push_back(open_member(request, 0));
  if (request.vote && (out.front()->settings.search || out.front()->experiment.exclusive))
    throw UsageError(
        "--join vote needs a threshold that every run votes at: it goes neither with --threshold search nor "
        "with classes that exclude each other");
  if (request.vote && out.front()->settings.kept.tta)
    throw UsageError("--save tta keeps probabilities of each flip, and --join vote counts runs: leave one of them out");
  for (std::size_t number = 1; number <= request.with.size(); ++number) {
    out.push_back(open_member(request, number));
    require_like(*out.front(), *out.back());
  }
  for (std::size_t i = 0; i < request.shares.size(); ++i) out[i]->share = request.shares[i];
  for (const auto& member : out)
    if (with_networks) member->model = model_of(request, *member);
  return out;
}

std::string settings_text(const std::vector<std::unique_ptr<Member>>& members, const PredictRequest& request,
                          const std::string& metrics) {
  auto json = settings_of(*members.front());
  if (!metrics.empty()) json["metrics"] = metrics;
  if (members.size() == 1) return json.dump(2);
  json["join"] = request.vote ? "vote" : "mean";
  for (const auto& member : members) {
    json["shares"].push_back(member->share);
    if (member != members.front()) json["with"].push_back(settings_of(*member).dump());
  }
  return json.dump(2);
}

std::optional<std::vector<std::string>> trained_on_by(const std::vector<std::unique_ptr<Member>>& members) {
  std::set<std::string> all;
  for (const auto& member : members) {
    if (member->settings.folds.empty()) return std::nullopt;  // weights of any origin
    const auto slides = trained_on(member->settings.run, member->settings.folds);
    if (!slides) return std::nullopt;
    all.insert(slides->begin(), slides->end());
  }
  return std::vector<std::string>(all.begin(), all.end());
}

}  // namespace nephron::host
