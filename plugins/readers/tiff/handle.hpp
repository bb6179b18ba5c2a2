#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <tiffio.h>

namespace tiff_reader {

/// One libtiff handle. What libtiff has to say goes into trouble(), never to stderr. Not thread-safe.
class Handle {
 public:
  /// `most_memory`: of one allocation of libtiff. Throws Error that names the file.
  Handle(const std::filesystem::path& file, std::size_t most_memory);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  TIFF* get() const noexcept { return tiff_; }
  /// Makes the directory at this place of the file the current one; JPEG gives RGB. Throws Error.
  void select(std::uint64_t directory);
  std::uint64_t selected() const noexcept { return directory_; }
  /// libtiff went to another directory by itself. 0: to one that cannot be read.
  void moved_to(std::uint64_t directory) noexcept { directory_ = directory, next_row = -1; }
  /// What libtiff said last, and forgets it; never empty.
  std::string trouble();

  /// Scanlines are decoded one after the other: where the next one lies. -1: nowhere yet.
  std::int64_t next_row = -1;
  int next_sample = 0;

 private:
  static int take_error(TIFF*, void* self, const char* module, const char* format, va_list arguments);
  static int take_warning(TIFF*, void* self, const char* module, const char* format, va_list arguments);

  std::filesystem::path file_;
  TIFF* tiff_ = nullptr;
  std::uint64_t directory_ = 0;
  std::string trouble_;
};

/// Handles of one file, lent to one thread each. Thread-safe.
class HandlePool {
 public:
  HandlePool(std::filesystem::path file, std::size_t most_memory);

  /// Gives the handle back when it goes.
  class Lent {
   public:
    Lent(HandlePool& pool, std::unique_ptr<Handle> handle) : pool_(&pool), handle_(std::move(handle)) {}
    Lent(Lent&&) = default;
    ~Lent();
    Handle* operator->() const noexcept { return handle_.get(); }
    Handle& operator*() const noexcept { return *handle_; }

   private:
    HandlePool* pool_;
    std::unique_ptr<Handle> handle_;
  };
  /// With this directory selected; one that has it already when there is one.
  Lent lend(std::uint64_t directory);

 private:
  std::filesystem::path file_;
  std::size_t most_memory_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace tiff_reader
