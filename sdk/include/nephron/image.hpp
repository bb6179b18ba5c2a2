#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <nephron/export.hpp>
#include <nephron/geometry.hpp>

namespace nephron {

enum class Depth : std::uint8_t { u8, u16, f32, u32 };
constexpr std::size_t bytes_of(Depth d) noexcept { return d == Depth::u8 ? 1 : d == Depth::u16 ? 2 : 4; }

/// Pixels that somebody else owns: interleaved channels, rows `stride` bytes apart. RGB order where there are three.
/// Labels are one channel with one bit a class (bit 0 is the first class), u8 for up to 8 classes, u16 up to 16, u32
/// beyond: <nephron/label_pixels.hpp>. <nephron/image_cv.hpp> gives a zero-copy cv::Mat. Closed: pixels and where they
/// lie.
struct ImageView {
  void* data = nullptr;
  std::int64_t width = 0;
  std::int64_t height = 0;
  int channels = 0;
  Depth depth = Depth::u8;
  std::ptrdiff_t stride = 0;  ///< bytes from one row to the next

  bool empty() const noexcept { return data == nullptr || width <= 0 || height <= 0; }
  Size size() const noexcept { return {width, height}; }
  std::size_t pixel_bytes() const noexcept { return static_cast<std::size_t>(channels) * bytes_of(depth); }
  template <class T>
  T* row(std::int64_t y) const noexcept {
    return reinterpret_cast<T*>(static_cast<std::byte*>(data) + y * stride);
  }
  /// A part of this view. Throws Error when the region is not inside.
  NEPHRON_API ImageView crop(const Region& region) const;
};

/// Pixels with an owner; copies share them. Rows are packed.
class NEPHRON_API Image {
 public:
  Image() = default;
  /// Zeroed pixels. Throws Error when the size is not positive or over 2^40 bytes.
  Image(Size size, int channels, Depth depth = Depth::u8);
  const ImageView& view() const noexcept { return view_; }
  Size size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }
  /// Pixels of its own.
  Image clone() const;

 private:
  std::shared_ptr<std::byte[]> pixels_;
  ImageView view_;
};

/// Copies pixels. Throws Error unless sizes, channels and depth are equal.
NEPHRON_API void copy(const ImageView& from, const ImageView& to);

}  // namespace nephron
