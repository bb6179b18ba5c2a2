#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>

struct stat;

namespace nephron::host {

/// In nanoseconds since 1970.
std::int64_t mtime_of(const struct stat& info);

/// An open file, written at places. Throws Error that names the file and what the system says.
class OutputFile {
 public:
  /// Makes the file anew.
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Thread-safe for places that do not overlap.
  void write_at(std::int64_t offset, const void* bytes, std::size_t size) const;
  /// Begins to bring a part to the disk, so that close() has less to wait for.
  void start_writing(std::int64_t offset, std::size_t size) const noexcept;
  /// Closes it; `sync`: once it is on the disk.
  void close(bool sync = true);

 private:
  [[noreturn]] void fail(const char* doing) const;
  std::filesystem::path path_;
  int fd_ = -1;
};

/// A whole file as read-only memory; its pages are shared by all processes. What is read beyond the end of a file that
/// another process cuts short ends the program (the store never changes a file in place), or is 0 where the reader bears
/// it (LossBearable).
class MappedFile {
 public:
  MappedFile() = default;
  /// Throws Error that names the file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  /// When it was last written to, as it was opened.
  std::int64_t mtime_ns() const noexcept { return mtime_ns_; }
  /// Pages were gone when somebody read them, and are 0 now.
  bool lost() const noexcept { return lost_ != nullptr && *lost_; }

 private:
  const std::uint8_t* data_ = nullptr;
  const std::atomic<bool>* lost_ = nullptr;
  std::size_t size_ = 0;
  std::int64_t mtime_ns_ = 0;
};

}  // namespace nephron::host
