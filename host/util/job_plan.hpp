#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nephron::host {

/// How the work of a command is spread: a place for each process that runs at a time.
struct JobPlan {
  std::vector<std::string> devices;  ///< of each place, as parse_device() takes them
  bool by_device = false;            ///< they were named

  /// Of --devices, or else --jobs and --device.
  static JobPlan of(const std::vector<std::string>& devices, int jobs, const std::string& device);
  bool several() const noexcept { return devices.size() > 1; }
  /// The same with no more places than pieces of work: an idle one would take its share of the cores.
  JobPlan for_pieces(std::size_t pieces) const;
  /// Most places that share one device.
  int together() const;
  /// Threads of each process, from train.threads: an equal share of the cores where it says nothing, and neither does
  /// OMP_NUM_THREADS; 0: what LibTorch takes by itself.
  int threads(int of_experiment) const;
  int cores() const;  ///< of each process
  /// "--jobs 2": what asks for the same again.
  std::string option() const;
  /// Says so where all threads together are more than the machine has cores.
  void warn_of_threads(int threads_each) const;
};

}  // namespace nephron::host
