#include "handle.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include <nephron/error.hpp>

namespace tiff_reader {

using nephron::Error;

Handle::Handle(const std::filesystem::path& file, std::size_t most_memory) : file_(file) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(most_memory));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), &take_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), &take_warning, this);
  // m: no memory map, a file that shrinks is an error and not a SIGBUS. O: places of tiles are read as they are needed.
  // c: strips are as they are stored, not chopped into smaller ones.
  tiff_ = TIFFOpenExt(file.c_str(), "rmOc", options.get());
  if (tiff_ == nullptr) throw Error(file.string() + " cannot be read as TIFF: " + trouble());
  directory_ = TIFFCurrentDirOffset(tiff_);
}

Handle::~Handle() {
  if (tiff_ != nullptr) TIFFClose(tiff_);
}

void Handle::select(std::uint64_t directory) {
  if (directory != directory_) {
    next_row = -1;
    directory_ = 0;
    trouble_.clear();
    if (TIFFSetSubDirectory(tiff_, directory) == 0)
      throw Error(file_.string() + " has no readable TIFF directory at byte " + std::to_string(directory) + ": " +
                  trouble());
    directory_ = directory;
  }
  std::uint16_t compression = 0, photometric = 0;
  TIFFGetFieldDefaulted(tiff_, TIFFTAG_COMPRESSION, &compression);
  TIFFGetField(tiff_, TIFFTAG_PHOTOMETRIC, &photometric);
  if (compression == COMPRESSION_JPEG && photometric == PHOTOMETRIC_YCBCR)
    TIFFSetField(tiff_, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

std::string Handle::trouble() {
  std::string out = trouble_.empty() ? "libtiff gave no reason" : trouble_;
  trouble_.clear();
  return out;
}

int Handle::take_error(TIFF*, void* self, const char*, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string& trouble = static_cast<Handle*>(self)->trouble_;
  if (trouble.empty()) trouble = text;  // the first is the cause, the others follow from it
  std::replace(trouble.begin(), trouble.end(), '\n', ' ');
  return 1;
}

int Handle::take_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

HandlePool::HandlePool(std::filesystem::path file, std::size_t most_memory)
    : file_(std::move(file)), most_memory_(most_memory) {}

HandlePool::Lent::~Lent() {
  if (handle_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  pool_->idle_.push_back(std::move(handle_));
}

HandlePool::Lent HandlePool::lend(std::uint64_t directory) {
  std::unique_ptr<Handle> handle;
  {
    const std::lock_guard lock(mutex_);
    auto found = std::find_if(idle_.begin(), idle_.end(), [&](const auto& h) { return h->selected() == directory; });
    if (found == idle_.end() && !idle_.empty()) found = idle_.begin();
    if (found != idle_.end()) {
      handle = std::move(*found);
      idle_.erase(found);
    }
  }
  if (handle == nullptr) handle = std::make_unique<Handle>(file_, most_memory_);
  Lent lent(*this, std::move(handle));
  lent->select(directory);
  return lent;
}

}  // namespace tiff_reader
