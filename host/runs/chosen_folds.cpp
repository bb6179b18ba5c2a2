#include <host/runs/chosen_folds.hpp>

#include <nephron/error.hpp>

#include <host/util/listed.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

std::vector<int> chosen_folds(const RunFolder& run, const std::string& asked) {
  const std::vector<int> there = run.folds();
  if (there.empty())
    throw Error(run.folder().string() + " has no fold yet: nothing was trained",
                "Train it first, or resume it: nephron train --resume " + run.folder().string());
  if (asked.empty() && run.opened_fold() >= 0) return {run.opened_fold()};
  if (asked.empty() || asked == "all") return there;
  for (const int k : there)
    if (std::to_string(k) == asked) return {k};
  throw UsageError("fold \"" + asked + "\" is not in " + run.folder().string() + ": it has " + listed(there) +
                   ", or \"all\"");
}

}  // namespace nephron::host
