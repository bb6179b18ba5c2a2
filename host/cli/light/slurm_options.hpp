#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <host/slurm/slurm_script.hpp>

namespace nephron::host {

/// Options of nephron submit that are about Slurm.
struct SlurmOptions {
  std::string via = "queue", partition, time, gres, memory, device;
  std::vector<std::string> more;
  int over_slides = 0;  ///< tasks; 0: no array over slides

  void add_to(CLI::App& command);
  bool asked() const { return via == "slurm"; }
  /// Throws UsageError where one of the others is given without it.
  void require_asked() const;
  /// What of the cluster the job asks for. `gpus`: -1: one, where there are any. Throws UsageError.
  void apply(int gpus, SlurmJob& job) const;
  /// On which a training computes: what was said, or what it asks for.
  std::string device_for(const SlurmJob& job) const;
};

}  // namespace nephron::host
