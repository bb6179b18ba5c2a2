#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// A folder for what nobody keeps, PREFIXxxxxxx with six letters. It goes with the object; when the process was killed,
/// the next one of the same user with that prefix there removes it: a lock in it shows that its owner is gone.
class TemporaryFolder {
 public:
  /// Throws Error when it cannot be made.
  explicit TemporaryFolder(const std::string& prefix,
                           const std::filesystem::path& where = std::filesystem::temp_directory_path());
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path folder_;
  int lock_ = -1;
};

}  // namespace nephron::host
