#pragma once

#include <filesystem>
#include <string>

#include <tiffio.h>

namespace nephron::host {

/// A TIFF that libtiff has open, whose messages go to error texts and nowhere else.
class TiffHandle {
 public:
  /// `name`: what errors call it. Throws Error when it cannot be opened.
  TiffHandle(const std::filesystem::path& file, const char* mode, std::string name);
  ~TiffHandle() { close(); }
  TiffHandle(const TiffHandle&) = delete;
  TiffHandle& operator=(const TiffHandle&) = delete;

  TIFF* get() const noexcept { return tiff_; }
  const std::string& name() const noexcept { return name_; }
  bool failed() const noexcept { return !message_.empty(); }
  void close();
  [[noreturn]] void fail(const std::string& what) const;

 private:
  static int keep_message(TIFF*, void* self, const char*, const char* format, va_list arguments);
  static int drop_message(TIFF*, void*, const char*, const char*, va_list) { return 1; }

  std::string name_, message_;
  TIFF* tiff_ = nullptr;
};

}  // namespace nephron::host
