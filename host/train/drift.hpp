#pragma once

#include <optional>
#include <string>
#include <vector>

#include <host/runs/run.hpp>

namespace nephron::host {

/// How far the Dice of a run drifts when it is trained again, where bits are not to be had, beside how far it is from
/// seed to seed.
struct Drift {
  double then = 0, now = 0;   ///< the fold's best Dice
  std::vector<double> seeds;  ///< of the run itself and those beside it that differ in the seed alone; finished ones
  double deviation() const;   ///< of the seeds; 0 where there are fewer than two
  std::string text() const;
};

/// `now`: of the training again. Nothing where the run's fold is not finished, so that there is no Dice to compare
/// with.
std::optional<Drift> drift_of(const RunFolder& run, int fold, double now);

}  // namespace nephron::host
