#include <host/sweep/halving.hpp>

#include <algorithm>

namespace nephron::host {

namespace {

/// Those who may leave a rung, and whether no other can come to it.
struct Rung {
  std::optional<int> next;  ///< the best that may go on and has not
  bool closed = false;
};

Rung look(const std::vector<HalvingTrial>& trials, std::size_t rung, int eta, bool closed) {
  std::vector<int> scored;
  std::size_t results = 0;
  for (std::size_t t = 0; t < trials.size(); ++t) {
    const HalvingTrial& trial = trials[t];
    const bool here = trial.rung == static_cast<int>(rung);
    if (!trial.complete[rung] && !(here && trial.failed)) continue;
    ++results;
    // Who went on and failed makes room for the next one: else nobody might come to the end.
    if (trial.complete[rung] && trial.score[rung] && !trial.failed) scored.push_back(static_cast<int>(t));
  }
  std::stable_sort(scored.begin(), scored.end(), [&](int a, int b) {
    return *trials[static_cast<std::size_t>(a)].score[rung] > *trials[static_cast<std::size_t>(b)].score[rung];
  });
  std::size_t quota = results / static_cast<std::size_t>(eta);
  if (closed) quota = std::max<std::size_t>(quota, 1);
  scored.resize(std::min(scored.size(), quota));
  const auto next = std::find_if(scored.begin(), scored.end(), [&](int t) {
    return trials[static_cast<std::size_t>(t)].rung == static_cast<int>(rung);
  });
  return {next == scored.end() ? std::nullopt : std::optional(*next), closed};
}

}  // namespace

std::optional<Promotion> next_promotion(const std::vector<HalvingTrial>& trials, int eta, int rungs) {
  const auto fresh = std::find_if(trials.begin(), trials.end(), [](const HalvingTrial& t) { return t.rung < 0; });
  std::vector<Rung> seen;
  bool may_come = fresh != trials.end();
  for (int rung = 0; rung + 1 < rungs; ++rung) {
    const bool moving = std::any_of(trials.begin(), trials.end(),
                                    [&](const HalvingTrial& t) { return t.rung == rung && !t.at_rest(); });
    may_come = may_come || moving;
    seen.push_back(look(trials, static_cast<std::size_t>(rung), eta, !may_come));
    may_come = may_come || seen.back().next.has_value();
  }
  for (int rung = static_cast<int>(seen.size()) - 1; rung >= 0; --rung)
    if (const auto& next = seen[static_cast<std::size_t>(rung)].next) return Promotion{*next, rung + 1};
  if (fresh != trials.end()) return Promotion{static_cast<int>(fresh - trials.begin()), 0};
  return std::nullopt;
}

int reached(const HalvingTrial& trial) {
  for (int rung = static_cast<int>(trial.complete.size()) - 1; rung >= 0; --rung) {
    const auto at = static_cast<std::size_t>(rung);
    if (trial.complete[at] && trial.score[at]) return rung;
  }
  return -1;
}

std::vector<int> ranking(const std::vector<HalvingTrial>& trials) {
  std::vector<int> out;
  for (std::size_t t = 0; t < trials.size(); ++t)
    if (!trials[t].failed && reached(trials[t]) >= 0) out.push_back(static_cast<int>(t));
  const auto key = [&](int t) {
    const HalvingTrial& trial = trials[static_cast<std::size_t>(t)];
    const int rung = reached(trial);
    return std::pair(rung, *trial.score[static_cast<std::size_t>(rung)]);
  };
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return key(a) > key(b); });
  return out;
}

}  // namespace nephron::host
