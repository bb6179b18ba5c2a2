#include <host/pictures/tiff_handle.hpp>

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <utility>

#include <nephron/error.hpp>

namespace nephron::host {

TiffHandle::TiffHandle(const std::filesystem::path& file, const char* mode, std::string name) : name_(std::move(name)) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), drop_message, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t{1} << 30);
  tiff_ = TIFFOpenExt(file.c_str(), mode, options.get());
  if (tiff_ == nullptr) fail("cannot be opened as a TIFF");
}

void TiffHandle::close() {
  if (tiff_ != nullptr) TIFFClose(std::exchange(tiff_, nullptr));
}

void TiffHandle::fail(const std::string& what) const {
  throw Error(name_ + " " + what + (message_.empty() ? "" : ": " + message_));
}

int TiffHandle::keep_message(TIFF*, void* self, const char*, const char* format, va_list arguments) {
  char text[400];
  std::vsnprintf(text, sizeof text, format, arguments);
  static_cast<TiffHandle*>(self)->message_ = text;
  return 1;
}

}  // namespace nephron::host
