#include <nephron/image.hpp>

#include <cstring>
#include <new>

#include <sys/mman.h>

#include <nephron/error.hpp>

namespace nephron {

namespace {

/// Large pictures get zeroed pages straight from the kernel, huge ones where it has them: a picture of 256 MB is then
/// written twice as fast for the first time, and is not cleared twice.
std::shared_ptr<std::byte[]> zeroed(std::size_t bytes) {
  constexpr std::size_t huge_page = std::size_t{1} << 21;
  if (bytes < 16 * huge_page) return std::make_shared<std::byte[]>(bytes);
  const std::size_t reserved = bytes + huge_page;
  void* const memory =
      mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  madvise(memory, reserved, MADV_HUGEPAGE);
  const auto address = (reinterpret_cast<std::uintptr_t>(memory) + huge_page - 1) / huge_page * huge_page;
  return {reinterpret_cast<std::byte*>(address), [memory, reserved](std::byte*) { munmap(memory, reserved); }};
}

std::string text(const Size& s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }
}  // namespace

ImageView ImageView::crop(const Region& r) const {
  if (r.x < 0 || r.y < 0 || r.width < 0 || r.height < 0 || r.x > width - r.width || r.y > height - r.height)
    throw Error("region " + text(r.size()) + " at (" + std::to_string(r.x) + ", " + std::to_string(r.y) +
                ") is not inside the picture of " + text(size()));
  ImageView part = *this;
  part.data = row<std::byte>(r.y) + static_cast<std::size_t>(r.x) * pixel_bytes();
  part.width = r.width;
  part.height = r.height;
  return part;
}

Image::Image(Size size, int channels, Depth depth) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  if (size.empty() || channels < 1 || channels > 1024)
    throw Error("a picture cannot be " + text(size) + " with " + std::to_string(channels) + " channels");
  const auto pixel = static_cast<std::int64_t>(channels) * static_cast<std::int64_t>(bytes_of(depth));
  if (size.width > most / pixel || size.height > most / (size.width * pixel))
    throw Error("a picture of " + text(size) + " is too large");
  const auto bytes = static_cast<std::size_t>(size.area() * pixel);
  pixels_ = zeroed(bytes);
  view_ = {pixels_.get(), size.width, size.height, channels, depth, static_cast<std::ptrdiff_t>(size.width * pixel)};
}

Image Image::clone() const {
  if (empty()) return {};
  Image out(size(), view_.channels, view_.depth);
  copy(view_, out.view_);
  return out;
}

void copy(const ImageView& from, const ImageView& to) {
  if (from.size() != to.size() || from.channels != to.channels || from.depth != to.depth)
    throw Error("cannot copy a picture of " + text(from.size()) + " to one of " + text(to.size()));
  const auto bytes = static_cast<std::size_t>(from.width) * from.pixel_bytes();
  for (std::int64_t y = 0; y < from.height; ++y) std::memcpy(to.row<std::byte>(y), from.row<const std::byte>(y), bytes);
}

}  // namespace nephron
