#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace nephron::host {

/// FOLDER/.lock, held by one process at a time, or by several that each say so, on one machine or on disks that know
/// locks; ends with the process, however that ends. What it means is its owner's: RunLock, OutputLock.
class FolderLock {
 public:
  /// Throws Error when the file cannot be made. A disk that knows no locks is no reason not to go on.
  enum class Beside { nobody, others };  ///< others: who holds it, too, beside others
  explicit FolderLock(const std::filesystem::path& folder, Beside beside = Beside::nobody);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

  enum class State { held, free, unknown };
  /// Whether a process holds the lock of `folder`. Takes none, so that nobody who takes it meanwhile fails, and writes
  /// nothing. Unknown: there is no lock file, it may not be read, or the disk knows no locks.
  static State ask(const std::filesystem::path& folder);

  /// Who holds it in place of this one: "process 12 on host", or "" where it does not say; nothing when it is ours.
  const std::optional<std::string>& other_holder() const noexcept { return other_holder_; }

  /// Calls it while none of the others that hold the lock is in such a call: files of all of them are changed so.
  void in_turn(const std::function<void()>& change) const;

 private:
  int fd_ = -1;
  std::optional<std::string> other_holder_;
};

}  // namespace nephron::host
