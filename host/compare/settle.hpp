#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <host/compare/finding.hpp>
#include <host/stats/power.hpp>

namespace nephron::host {

/// What an experiment would need to find a difference, by simulation from what was seen.
struct Settling {
  static constexpr double wanted = 0.8;
  static constexpr int most = 1000;  ///< of donors, slides or seeds that are thought of

  double effect = 0;                               ///< that is looked for
  bool stated = false;                             ///< --effect says so; else it is the one that was seen
  Design now;                                      ///< what there was
  double power = 0;                                ///< with that
  bool slides_known = false, seeds_known = false;  ///< their spread could be told
  bool enough_seeds = true;                        ///< else there is no verdict, of however many donors and slides
  std::optional<int> donors, slides, seeds;        ///< each alone; nothing: `most` would not suffice, or not known
  std::vector<std::pair<int, double>> curve;       ///< power by donors
  /// Somewhere one donor more finds less, by more than the simulation errs: the test of few donors knows few p.
  bool dips() const;
};

/// Of one of the findings. Where there are several, p is adjusted over them (Holm) as theirs is, with the others as
/// they were seen. `effect`: of this one. Nothing where there are too few donors to tell a spread, or no effect to look
/// for.
std::optional<Settling> settling(const std::vector<Finding>& findings, std::size_t which, const ValueTable& table,
                                 const std::vector<Side>& sides, std::optional<double> effect, std::uint64_t seed);

}  // namespace nephron::host
