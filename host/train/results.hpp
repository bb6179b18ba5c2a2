#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <host/train/trainer.hpp>

namespace nephron::host {

using FoldResults = std::vector<std::pair<int, FoldResult>>;

/// The table of folds, on stdout, with mean and deviation over them of the best, the last and the averaged weights; of
/// several classes, of each.
void print_table(const FoldResults& results, const std::vector<std::string>& classes);

/// How an interrupted run goes on, and what its weights are good for until then. `options`: that it was started with.
std::string how_to_go_on(const RunFolder& run, const std::string& options = {});

/// The same of a run that paused where it was told to.
std::string how_to_go_on_after_pause(const RunFolder& run, std::int64_t epoch, std::int64_t epochs,
                                     const std::string& options = {});

}  // namespace nephron::host
