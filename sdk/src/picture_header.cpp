#include <nephron/picture_header.hpp>

#include <optional>
#include <string_view>

#include <nephron/error.hpp>

namespace nephron {

namespace {

[[noreturn]] void cut_short(const char* what) {
  throw Error(std::string("the ") + what + " file ends too early: it is truncated or broken");
}

/// Bytes that are never read beyond their end.
class Reader {
 public:
  Reader(std::string_view bytes, bool little, const char* format) : bytes_(bytes), little_(little), format_(format) {}
  std::uint64_t number(std::uint64_t at, unsigned width) const {
    if (at > bytes_.size() || bytes_.size() - at < width) cut_short(format_);
    std::uint64_t v = 0;
    for (unsigned i = 0; i < width; ++i) {
      const auto b = static_cast<unsigned char>(bytes_[at + (little_ ? width - 1 - i : i)]);
      v = v << 8 | b;
    }
    return v;
  }
  std::uint64_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool little_;
  const char* format_;
};

Size made(std::uint64_t width, std::uint64_t height) {
  return {static_cast<std::int64_t>(width), static_cast<std::int64_t>(height)};
}

Size of_png(std::string_view bytes) {
  const Reader r(bytes, false, "PNG");
  if (r.number(12, 4) != 0x49484452) throw Error("the PNG file does not begin with its header (IHDR)");
  return made(r.number(16, 4), r.number(20, 4));
}

bool is_frame_header(std::uint64_t marker) {  // SOF0..15 without DHT, JPG and DAC
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Size of_jpeg(std::string_view bytes) {
  const Reader r(bytes, false, "JPEG");
  std::optional<Size> size;
  for (std::uint64_t at = 2;;) {
    if (r.number(at, 1) != 0xFF) throw Error("the JPEG file has no marker where one is due: it is broken");
    const std::uint64_t marker = r.number(at + 1, 1);
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    if (marker == 0xD9) throw Error("the JPEG file holds no picture");
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // markers without a length
      at += 2;
      continue;
    }
    if (is_frame_header(marker)) size = made(r.number(at + 7, 2), r.number(at + 5, 2));
    if (marker == 0xDA) break;
    const std::uint64_t length = r.number(at + 2, 2);
    if (length < 2) throw Error("the JPEG file has a segment without its length: it is broken");
    at += 2 + length;
  }
  if (!size) throw Error("the JPEG file does not say its size before its pixels");
  // The decoder would fill what is missing with grey and go on.
  if (bytes.find("\xFF\xD9", 2) == std::string_view::npos || bytes.rfind("\xFF\xD9") < bytes.find("\xFF\xDA"))
    cut_short("JPEG");
  return *size;
}

Size of_tiff(std::string_view bytes) {
  const bool little = bytes[0] == 'I';
  const Reader r(bytes, little, "TIFF");
  const bool big = r.number(2, 2) == 43;
  const std::uint64_t directory = big ? r.number(8, 8) : r.number(4, 4);
  const std::uint64_t entries = r.number(directory, big ? 8 : 2);
  const unsigned entry = big ? 20 : 12;
  if (entries > r.size() / entry) cut_short("TIFF");
  std::uint64_t width = 0, height = 0;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::uint64_t at = directory + (big ? 8 : 2) + i * entry;
    const std::uint64_t tag = r.number(at, 2), type = r.number(at + 2, 2);
    if (tag != 256 && tag != 257) continue;
    const unsigned bytes_each = type == 3 ? 2 : type == 4 ? 4 : type == 16 ? 8 : 0;
    if (bytes_each == 0) throw Error("the TIFF file states its size in a type that is no whole number");
    (tag == 256 ? width : height) = r.number(at + (big ? 12 : 8), bytes_each);
  }
  if (width == 0 || height == 0) throw Error("the TIFF file does not state its width and height");
  return made(width, height);
}

}  // namespace

Size picture_size_in(const std::string& bytes) {
  const std::string_view b(bytes);
  if (b.empty()) throw Error("the file is empty");
  if (b.starts_with(std::string_view("\x89PNG\r\n\x1a\n", 8))) return of_png(b);
  if (b.starts_with("\xFF\xD8")) return of_jpeg(b);
  for (const std::string_view magic : {std::string_view("II*\0", 4), std::string_view("MM\0*", 4),
                                       std::string_view("II+\0", 4), std::string_view("MM\0+", 4)})
    if (b.starts_with(magic)) return of_tiff(b);
  throw Error("the file is no PNG, JPEG or TIFF (by its first bytes)");
}

}  // namespace nephron
