#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace tiff_reader {

/// A file that is read at any place by any thread.
class FileBytes {
 public:
  explicit FileBytes(std::filesystem::path file);
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  /// Throws Error that names the file when it ends before `count` bytes.
  void read(std::uint64_t place, std::size_t count, void* out) const;
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  std::filesystem::path file_;
  int descriptor_;
};

}  // namespace tiff_reader
