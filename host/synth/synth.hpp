#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nephron/value.hpp>

#include <host/plugins/registry.hpp>

namespace nephron::host {

/// A data set to be written as files, in the layout of a published one.
struct SynthRequest {
  std::string layout = "kaggle";         ///< "kaggle", "mendeley", "portal"
  std::string dataset = "synthetic";     ///< dataset component that the slides come from
  Value params = Value(Value::Table{});  ///< of that component
  int slides = 4;                        ///< annotated ones; a third as many without annotation are added
  std::uint64_t seed = 1;
  std::filesystem::path out;
};

struct SynthOutcome {
  int written = 0;                            ///< slides
  int kept = 0;                               ///< slides that were there from an interrupted call
  std::vector<std::filesystem::path> tables;  ///< files besides slides
};

/// The first of two classes that the dataset is asked for is healthy, the second unhealthy. Some objects get a hole,
/// some are joined to objects of two parts, so that readers meet both. Files that an interrupted call with the same
/// request has finished are kept. Throws Error when `out` holds anything else.
SynthOutcome write_synthetic(const SynthRequest& request, const Registry& registry);

}  // namespace nephron::host
