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
  /// `rows` pieces of `count` bytes, `step` apart in the file, to places `stride` apart: a part of a tile in few calls.
  void read_rows(std::uint64_t place, std::size_t count, std::size_t step, std::size_t rows, std::uint8_t* out,
                 std::ptrdiff_t stride) const;
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  std::filesystem::path file_;
  int descriptor_;
};

}  // namespace tiff_reader
