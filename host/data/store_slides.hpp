#pragma once

#include <string>
#include <vector>

#include <host/data/listing.hpp>
#include <host/data/prepared.hpp>
#include <host/util/work_share.hpp>

namespace nephron::host {

struct StoreRequest {
  std::vector<std::string> only;  ///< ids; empty: all
  int jobs = 0;                   ///< threads; 0: all cores
  bool strict = false;            ///< stop at the first slide that fails
  bool verify = false;            ///< compare the content of sources too
  bool measure = false;           ///< the colours too of slides that are up to date, where no record has them
  WorkShare share = {};           ///< of `only`
};

struct StoreOutcome {
  int made = 0;                       ///< slides that were prepared: their picture, their labels or both
  int pictures = 0;                   ///< pictures that were prepared: slides may share one, or have it already
  int kept = 0;                       ///< slides that were up to date
  std::vector<std::string> problems;  ///< slides that could not be prepared, and why
  std::vector<std::size_t> failed;    ///< which they are in the listing

  /// "3 slides prepared", "labels of 3 slides prepared", "3 slides prepared (of 2 the labels alone)".
  std::string made_text() const;
};

/// Prepares in the store what is missing or stale; a slide that fails is reported, and the rest go on, unless `strict`.
/// Throws Cancelled after Ctrl-C, when finished slides are kept; Error when `only` names an unknown slide, or the store
/// is a folder of other things; and ConfigError for what a dataset's parameters ask for in vain.
StoreOutcome prepare_store(const Listing& listing, const StoreRequest& request);

/// Prepares what is missing or stale, and opens every slide at the experiment's factor.
PreparedData prepare_and_open(const Listing& listing);

}  // namespace nephron::host
