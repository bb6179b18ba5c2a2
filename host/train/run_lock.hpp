#pragma once

#include <filesystem>

#include <host/runs/folder_lock.hpp>

namespace nephron::host {

/// Keeps a second process from training the same run; ends with the process, however that ends. Throws Error that names
/// the process and its machine when the run is taken.
class RunLock {
 public:
  /// `run`: the run's folder.
  explicit RunLock(const std::filesystem::path& run);

 private:
  FolderLock lock_;
};

}  // namespace nephron::host
