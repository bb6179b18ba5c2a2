#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/value.hpp>

#include <host/plugins/registry.hpp>

namespace nephron::host {

/// A data set to be written as files, in the layout of a published one.
struct SynthRequest {
  std::string layout = "kaggle";  ///< "kaggle", "mendeley", "portal"
  std::string dataset;            ///< dataset component that makes the slides; empty: the only one that does
  int slides = 4;                 ///< annotated ones; a third as many without annotation are added
  Size size{1024, 1024};
  std::uint64_t seed = 1;
  Value params = Value(Value::Table{});  ///< of the component, laid upon those that say the above
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
