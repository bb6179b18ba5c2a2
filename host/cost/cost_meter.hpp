#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <host/cost/cost_account.hpp>

namespace nephron::host {

/// Watches what this process and all that it starts take of the machine, and keeps it in the run's cost.json, so that a
/// process that is killed loses half a minute of it at most. What keeps it from writing, such as a full disk, is told
/// in the log alone: the training goes on.
class CostMeter {
 public:
  /// `devices`: CUDA devices that will be held, each once. `holders`: our processes on each of them.
  CostMeter(std::vector<std::string> devices, int holders, int ranks);
  ~CostMeter();
  CostMeter(const CostMeter&) = delete;
  CostMeter& operator=(const CostMeter&) = delete;

  /// From here on the devices are held, and a session more is kept in the file of a run's folder, or of a fold's.
  void keep_in(const std::filesystem::path& run);

 private:
  void watch();
  void look();
  void write();

  std::vector<std::string> devices_;
  int holders_;
  CostAccount account_;
  std::unique_ptr<DeviceWatch> device_watch_;
  std::filesystem::path run_;  ///< empty: none yet
  std::vector<SessionCost> before_;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace nephron::host
