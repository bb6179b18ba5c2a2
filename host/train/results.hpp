#pragma once

#include <utility>
#include <vector>

#include <host/train/trainer.hpp>

namespace nephron::host {

using FoldResults = std::vector<std::pair<int, FoldResult>>;

/// The table of folds, on stdout.
void print_table(const FoldResults& results);

/// How an interrupted run goes on, and what its weights are good for until then.
std::string how_to_go_on(const RunFolder& run);

}  // namespace nephron::host
