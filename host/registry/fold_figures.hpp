#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <host/registry/fact.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

/// What the folds of a run say of themselves: done.json of those that are done, the end of metrics.jsonl of others.
struct FoldFigures {
  std::map<std::string, std::vector<double>> means;  ///< by key, one value a fold
  double steps = 0, seconds = 0, peak = 0;           ///< sums, and the greatest memory
  std::int64_t done = 0;                             ///< folds

  /// Adds a fold; what is its alone ("fold.0.dice") goes to `facts`. Throws Error for a damaged file.
  void read(const FoldFolder& fold, Facts& facts);

 private:
  void add(const std::string& key, double value) { means[key].push_back(value); }
  void add_done(const FoldFolder& fold, Facts& facts);
  void add_unfinished(const FoldFolder& fold, Facts& facts);
};

/// Their mean as `key`; of "dice" the deviation over folds where there are several.
void add_mean(Facts& facts, const std::string& key, const std::vector<double>& values);

}  // namespace nephron::host
