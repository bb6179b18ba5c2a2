#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include <host/runs/folder_lock.hpp>

namespace nephron::host {

/// Keeps a second process from training the same run, or the same fold of one that several processes train; ends with
/// the process, however that ends. Throws Error that names the process and its machine when the run is taken.
class RunLock {
 public:
  /// `run`: the run's folder. `fold`: that of the one fold that is trained while others train others; empty: the whole
  /// run is this process's.
  /// `patience`: how long it waits for whoever has it, such as one that dies on another machine. Throws Cancelled after
  /// Ctrl-C.
  explicit RunLock(const std::filesystem::path& run, const std::filesystem::path& fold = {},
                   std::chrono::seconds patience = {});

  /// Calls what changes files of the whole run, while no other process does.
  void in_turn(const std::function<void()>& change) const { lock_.in_turn(change); }

 private:
  FolderLock lock_;
  std::optional<FolderLock> fold_;
};

}  // namespace nephron::host
