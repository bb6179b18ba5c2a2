#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <host/registry/run_index.hpp>

namespace nephron::host {

/// Everything that is known of the runs of a page.
struct PageFacts {
  /// {"key": ..., "as": "share" | "seconds" | "time" | "plain", "recipe": true, "all": VALUE} where every run has the
  /// same; else "values": [VALUE or null] or, of texts, "texts": [...], "at": [place or -1].
  std::vector<nlohmann::ordered_json> keys;
  /// Of each run: those with an equal number trained the same folds and differ in their seed alone, and in what
  /// changes no result.
  std::vector<std::size_t> recipes;
};

PageFacts page_facts(const RunIndex& index, const std::vector<IndexedRun>& runs);

}  // namespace nephron::host
