#include <host/sweep/sweep_plan.hpp>

#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/sweep/sweep_config.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/listed.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t most_seed = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t most_epochs = 100000;

template <class T>
std::vector<T> integers(const JsonNode& list, std::int64_t most) {
  std::vector<T> out;
  for (const JsonNode& item : list.items()) out.push_back(static_cast<T>(item.integer(0, most)));
  return out;
}

SweepPlan::Trial trial_of(const JsonNode& json) {
  SweepPlan::Trial out;
  out.epochs = json.at("epochs").integer(1, most_epochs);
  for (const auto& [key, value] : json.at("settings").members()) out.settings.emplace_back(key, value.text());
  return out;
}

void require_sense(const SweepPlan& plan, const JsonNode& json) {
  if (plan.seeds.empty()) json.at("seeds").refuse("is empty");
  if (plan.folds.empty()) json.at("folds").refuse("is empty");
  if (plan.rungs.empty()) json.at("rungs").refuse("is empty");
  for (std::size_t i = 1; i < plan.rungs.size(); ++i)
    if (plan.rungs[i] <= plan.rungs[i - 1]) json.at("rungs").refuse("does not rise");
  if (plan.trials.empty() || plan.trials.size() > static_cast<std::size_t>(most_trials))
    json.at("trials").refuse("holds " + std::to_string(plan.trials.size()) + " trials");
  if (std::set<std::int64_t>(plan.seeds.begin(), plan.seeds.end()).size() != plan.seeds.size())
    json.at("seeds").refuse("names a seed twice");
}

}  // namespace

std::string SweepPlan::json() const {
  Json out{{"name", name},     {"method", method}, {"score", score},     {"started", started},
           {"digest", digest}, {"seed", seed},     {"seeds", seeds},     {"folds", folds},
           {"eta", eta},       {"rungs", rungs},   {"threads", threads}, {"confirm", Json()}};
  if (confirm) out["confirm"] = {{"top", confirm->top}, {"folds", confirm->folds}, {"seeds", confirm->seeds}};
  out["axes"] = Json::array();
  for (const Axis& axis : axes) out["axes"].push_back({{"key", axis.key}, {"log", axis.logarithmic}});
  out["trials"] = Json::array();
  for (const Trial& trial : trials) {
    Json settings = Json::object();
    for (const auto& [key, value] : trial.settings) settings[key] = value;
    out["trials"].push_back({{"epochs", trial.epochs}, {"settings", settings}});
  }
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

SweepPlan SweepPlan::read(const std::filesystem::path& file) {
  const JsonNode json = JsonNode::read(
      file, "It says what the sweep is, and its runs go by it: put it back from a copy, or begin the sweep anew.");
  SweepPlan out;
  out.name = json.at("name").text(), out.method = json.at("method").text(), out.score = json.at("score").text();
  out.started = json.at("started").text(), out.digest = json.at("digest").text();
  out.seed = json.at("seed").integer(0, most_seed);
  out.seeds = integers<std::int64_t>(json.at("seeds"), most_seed);
  out.folds = integers<int>(json.at("folds"), 1000);
  out.eta = static_cast<int>(json.at("eta").integer(2, 16));
  out.threads = static_cast<int>(json.at("threads").integer(0, 1024));
  out.rungs = integers<std::int64_t>(json.at("rungs"), most_epochs);
  if (const JsonNode confirm = json.at("confirm"); !confirm.raw().is_null())
    out.confirm = Confirm{static_cast<int>(confirm.at("top").integer(1, 100)), integers<int>(confirm.at("folds"), 1000),
                          integers<std::int64_t>(confirm.at("seeds"), most_seed)};
  for (const JsonNode& axis : json.at("axes").items())
    out.axes.push_back({axis.at("key").text(), axis.at("log").boolean()});
  for (const JsonNode& trial : json.at("trials").items()) out.trials.push_back(trial_of(trial));
  require_sense(out, json);
  return out;
}

SweepMembers::SweepMembers(const SweepPlan& plan) {
  std::set<std::string> taken;
  // As other runs are named: the time of the sweep's begin, and six digits of a digest.
  const auto name = [&](const SweepMember& m) {
    const std::string key = plan.digest + plan.started + "/" + std::to_string(m.trial) + "/" + std::to_string(m.seed) +
                            "/" + (m.confirms ? "confirm" : listed(m.folds));
    for (int again = 0;; ++again)
      if (const std::string id = sha256_of_text(key + "/" + std::to_string(again)).substr(0, 6);
          taken.insert(id).second)
        return plan.started + "-" + id;
  };
  const int trials = static_cast<int>(plan.trials.size());
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<SweepMember>& members = search_.emplace_back();
    for (const std::int64_t seed : plan.seeds)
      for (const int fold : plan.folds)
        members.push_back({trial, seed, {fold}, false, {}}), members.back().run = name(members.back());
  }
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<SweepMember>& members = confirm_.emplace_back();
    if (!plan.confirm) continue;
    for (const std::int64_t seed : plan.confirm->seeds)
      members.push_back({trial, seed, plan.confirm->folds, true, {}}), members.back().run = name(members.back());
  }
}

std::string settings_text(const SweepPlan::Trial& trial) {
  std::string out;
  for (const auto& [key, value] : trial.settings) out += (out.empty() ? "" : ", ") + key + " = " + value;
  return out.empty() ? "the experiment as it is" : out;
}

std::string name_of(const SweepPlan& plan, const SweepMember& member) {
  std::string out = "trial " + std::to_string(member.trial);
  if (member.confirms || plan.seeds.size() > 1) out += ", seed " + std::to_string(member.seed);
  if (!member.confirms && plan.folds.size() > 1) out += ", fold " + listed(member.folds);
  return member.confirms ? "confirming " + out : out;
}

std::vector<std::int64_t> rungs_of(std::int64_t first, std::int64_t eta, std::int64_t epochs) {
  std::vector<std::int64_t> out;
  for (std::int64_t at = first; at * eta <= epochs; at *= eta) out.push_back(at);
  // 40 epochs, from 4 on by 3: 4, 12, 40. What lies near the end is the end.
  out.push_back(epochs);
  return out;
}

}  // namespace nephron::host
