#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

struct ExportRequest {
  std::string dataset;  ///< name or type of one of the experiment's datasets; empty: all
  std::filesystem::path out;
  int factor = 1;  ///< reduction on the way
  bool overwrite = false;
};

struct ExportOutcome {
  int slides = 0;
  int masks = 0;                      ///< slides with an annotation
  std::vector<std::string> problems;  ///< slides that could not be read, and why
};

/// Writes slides as pictures that `nephron predict` and every other program reads: images/ID.png, and the target
/// channels of annotated ones as masks/ID.png, or masks/CLASS/ID.png where there are several classes. What an
/// annotation ignores is masks/ignored/ID.png.
ExportOutcome export_datasets(Experiment experiment, const Registry& registry, const ExportRequest& request);

}  // namespace nephron::host
