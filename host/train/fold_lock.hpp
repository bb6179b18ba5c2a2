#pragma once

#include <filesystem>

namespace nephron::host {

/// Keeps a second process from training the same fold; ends with the process, however that ends. Throws Error when the
/// fold is taken.
class FoldLock {
 public:
  explicit FoldLock(const std::filesystem::path& folder);
  ~FoldLock();
  FoldLock(const FoldLock&) = delete;
  FoldLock& operator=(const FoldLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace nephron::host
