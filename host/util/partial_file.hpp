#pragma once

#include <filesystem>

namespace nephron::host {

/// A name in the same folder, NAME.tmp.PID.NUMBER, another one at each call.
std::filesystem::path partial_name(const std::filesystem::path& file);

/// Such a name, under which a file is written until it is whole. The file goes with the object unless keep() gave it
/// its name.
class PartialFile {
 public:
  explicit PartialFile(std::filesystem::path file);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  const std::filesystem::path& path() const noexcept { return partial_; }
  const std::filesystem::path& final_path() const noexcept { return file_; }
  /// Waits until the bytes are on the disk. Throws Error that names the file.
  void keep();

 private:
  std::filesystem::path file_, partial_;
  bool kept_ = false;
};

}  // namespace nephron::host
