#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <host/registry/run_index.hpp>

namespace nephron::host {

/// What `nephron runs page` is asked for.
struct RunsPageRequest {
  std::vector<IndexedRun> runs;      ///< in the order in which they are shown at first
  std::vector<std::string> columns;  ///< shown at first; every other key of these runs may be chosen in the page
  std::string sort;                  ///< the key of that order, which the head of its column tells; may be empty
  bool descending = false;
  std::vector<std::string> curves;  ///< figures of metrics.jsonl
  std::string told;                 ///< what was asked for, as a line below the title
  std::filesystem::path file;       ///< where the page will lie: links to reports lead from there
};

struct RunsPage {
  std::string html;
  std::size_t with_curves = 0;        ///< runs
  std::vector<std::string> problems;  ///< a line each run whose curves are damaged: it is shown without them
};

/// The bytes that a page of a thousand runs keeps to: curves are thinned until they fit.
inline constexpr std::size_t most_page_bytes = 15'000'000;

/// Reads the curves, with progress. The page needs no network and no other file. Throws Cancelled at Ctrl-C.
RunsPage make_runs_page(const RunIndex& index, const RunsPageRequest& request);

}  // namespace nephron::host
