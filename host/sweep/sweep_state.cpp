#include <host/sweep/sweep_state.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <sys/stat.h>

#include <nephron/error.hpp>

#include <host/runs/folder_lock.hpp>
#include <host/runs/metrics_log.hpp>
#include <host/runs/run.hpp>
#include <host/runs/sweep_part.hpp>
#include <host/runs/validation_state.hpp>
#include <host/sweep/sweep_trouble.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

bool there(const fs::path& file) {
  std::error_code no;
  return fs::exists(file, no);
}

bool is_held(const fs::path& folder) { return FolderLock::ask(folder) == FolderLock::State::held; }

/// The Dice of each epoch, from the lines that end one; NaN for an epoch that was not validated, or whose Dice is no
/// number.
std::vector<double> dice_by_epoch(const fs::path& metrics) {
  std::vector<double> out;
  for (const auto& [step, values] : read_metrics(metrics)) {
    std::optional<double> epoch, dice;
    bool ends = false;
    for (const auto& [name, value] : values) {
      if (name == "epoch") epoch = value;
      if (name == "dice") dice = value;
      ends = ends || name == "seconds";
    }
    constexpr double most = 1e6;
    if (!ends || !epoch || *epoch < 0 || *epoch > most) continue;
    out.resize(std::max(out.size(), static_cast<std::size_t>(*epoch) + 1), none);
    out[static_cast<std::size_t>(*epoch)] = dice.value_or(none);
  }
  return out;
}

/// The rung whose epochs it has begun.
int rung_of(const SweepPlan& plan, std::int64_t epochs) {
  int out = 0;
  while (out + 1 < static_cast<int>(plan.rungs.size()) && epochs > plan.rungs[static_cast<std::size_t>(out)]) ++out;
  return out;
}

std::optional<double> score_of(const SweepPlan& plan, const std::vector<MemberState>& members, int rung) {
  const bool last = rung + 1 == static_cast<int>(plan.rungs.size());
  const std::int64_t epoch =
      last ? std::numeric_limits<std::int64_t>::max() : plan.rungs[static_cast<std::size_t>(rung)];
  double sum = 0;
  for (const MemberState& member : members) {
    const auto score = member.score(plan.score, epoch);
    if (!score) return std::nullopt;
    sum += *score;
  }
  return sum / static_cast<double>(members.size());
}

void conclude(const SweepPlan& plan, const std::vector<SweepMember>& members, TrialState& trial) {
  HalvingTrial& h = trial.halving;
  h.complete.assign(plan.rungs.size(), false), h.score.assign(plan.rungs.size(), std::nullopt);
  for (std::size_t m = 0; m < trial.members.size(); ++m) {
    const MemberState& member = trial.members[m];
    h.rung = std::max(h.rung, member.rung);
    trial.held = trial.held || member.held;
    if (!member.failure.empty() && trial.failure.empty())
      trial.failure = (trial.members.size() > 1 ? name_of(plan, members[m]) + ": " : "") + member.failure;
  }
  for (int rung = 0; rung < static_cast<int>(plan.rungs.size()); ++rung) {
    const bool all = std::all_of(trial.members.begin(), trial.members.end(),
                                 [&](const MemberState& m) { return has_completed(plan, m, rung); });
    h.complete[static_cast<std::size_t>(rung)] = all;
    if (all) h.score[static_cast<std::size_t>(rung)] = score_of(plan, trial.members, rung);
  }
  if (trial.held) h.rung = std::max(h.rung, 0);
  h.failed = !trial.failure.empty();
  if (h.failed) h.rung = std::max(h.rung, 0);
  // A process has begun its next rung, and nothing is written of it yet.
  if (trial.held && !h.failed && h.complete[static_cast<std::size_t>(h.rung)])
    h.rung = std::min(h.rung + 1, static_cast<int>(plan.rungs.size()) - 1);
}

}  // namespace

std::optional<double> MemberState::score(const std::string& which, std::int64_t epoch) const {
  if (dice_by_fold.empty()) return std::nullopt;
  double sum = 0;
  for (const std::vector<double>& dice : dice_by_fold) {
    double score = none;
    const std::size_t end =
        static_cast<std::size_t>(std::min<std::int64_t>(epoch, static_cast<std::int64_t>(dice.size())));
    for (std::size_t e = 0; e < end; ++e)
      if (std::isfinite(dice[e]) && (which == "last" || !(score >= dice[e]))) score = dice[e];
    if (!std::isfinite(score)) return std::nullopt;
    sum += score;
  }
  return sum / static_cast<double>(dice_by_fold.size());
}

bool has_completed(const SweepPlan& plan, const MemberState& member, int rung) {
  const bool last = rung + 1 == static_cast<int>(plan.rungs.size());
  return member.finished || (!last && member.epochs >= plan.rungs[static_cast<std::size_t>(rung)]);
}

std::vector<HalvingTrial> SweepState::halving() const {
  std::vector<HalvingTrial> out;
  for (const TrialState& trial : trials) out.push_back(trial.halving);
  return out;
}

std::optional<Promotion> SweepState::next(const SweepPlan& plan) const {
  return next_promotion(halving(), plan.eta, static_cast<int>(plan.rungs.size()));
}

bool SweepState::searched(const SweepPlan& plan) const {
  const bool rest = std::all_of(trials.begin(), trials.end(), [](const TrialState& t) {
    return t.halving.rung < 0 || (t.halving.at_rest() && !t.held);
  });
  return rest && !next(plan);
}

const std::vector<double>& SweepReader::dice_of(const fs::path& metrics) {
  struct stat info = {};
  std::string stamp;
  if (::stat(metrics.c_str(), &info) == 0)
    stamp = std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + "," +
            std::to_string(info.st_size) + "," + std::to_string(info.st_ino);
  Kept& kept = kept_[metrics.string()];
  if (kept.stamp == stamp && !stamp.empty()) return kept.dice;
  kept.dice.clear(), kept.stamp.clear();
  if (!stamp.empty()) kept.dice = dice_by_epoch(metrics);
  kept.stamp = stamp;
  return kept.dice;
}

void SweepReader::read_run(const SweepMember& member, MemberState& out) {
  const fs::path run = sweep_.run(member);
  std::int64_t epochs = std::numeric_limits<std::int64_t>::max();
  out.finished = true;
  for (const int k : member.folds) {
    const FoldFolder fold{run / ("fold-" + std::to_string(k)), k};
    const bool done = fold.finished();
    const std::vector<double>& dice = dice_of(fold.metrics());
    out.finished = out.finished && done;
    epochs = std::min(epochs, static_cast<std::int64_t>(dice.size()));
    out.dice_by_fold.push_back(dice);
  }
  out.epochs = epochs;
  out.rung = rung_of(sweep_.plan(), epochs);
  if (const auto part = read_sweep_part(run)) {
    if (part->trial != member.trial || part->confirms != member.confirms)
      throw Error(sweep_part_file(run).string() + " says that it is of trial " + std::to_string(part->trial) +
                  ", and the plan that it is of trial " + std::to_string(member.trial));
    out.rung = std::clamp(part->rung, out.rung, static_cast<int>(sweep_.plan().rungs.size()) - 1);
  }
  out.validated = is_validated(run);
}

MemberState SweepReader::read(const SweepMember& member) {
  MemberState out;
  const fs::path run = sweep_.run(member);
  // The lock first: what is read after it is at least as new.
  out.held = is_held(sweep_.work(member)) || is_held(run) || is_held(run / "validation");
  out.failure = failure_of(sweep_.work(member));
  if (there(run))
    out.folder = there(run / "experiment.resolved.toml") ? MemberState::Folder::run : MemberState::Folder::half;
  if (out.folder != MemberState::Folder::run) return out;
  try {
    read_run(member, out);
  } catch (const std::exception& e) {
    const std::string text = e.what();
    out.finished = false;
    out.rung = std::max(out.rung, 0);
    if (out.failure.empty()) out.failure = "its files are damaged: " + printable_name(text.substr(0, text.find('\n')));
  }
  return out;
}

SweepState SweepReader::read() {
  SweepState out;
  std::set<std::string> planned;
  const int trials = static_cast<int>(sweep_.plan().trials.size());
  for (int t = 0; t < trials; ++t) {
    TrialState& trial = out.trials.emplace_back();
    for (const SweepMember& member : sweep_.members().of(t))
      trial.members.push_back(read(member)), planned.insert(member.run);
    for (const SweepMember& member : sweep_.members().confirming(t)) planned.insert(member.run);
    conclude(sweep_.plan(), sweep_.members().of(t), trial);
  }
  out.problems = foreign_runs(sweep_.path(), planned);
  return out;
}

}  // namespace nephron::host
