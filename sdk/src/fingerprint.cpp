#include <nephron/fingerprint.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace nephron {

std::string fingerprint(const SlideReader& slide) {
  return fingerprint(slide.size(), [&](const Region& region, const ImageView& out) { slide.read(region, out); });
}

std::string fingerprint(Size size, const std::function<void(const Region&, const ImageView&)>& read) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3ULL; };
  for (const std::int64_t side : {size.width, size.height})
    for (int shift = 0; shift < 64; shift += 8) add(static_cast<std::uint8_t>(side >> shift));
  constexpr std::int64_t across = 8, square = 32;
  const Size part{std::min(square, size.width), std::min(square, size.height)};
  const Image pixels(part, 3);
  for (std::int64_t i = 0; i < across * across; ++i) {
    const Region region{(size.width - part.width) * (i % across) / (across - 1),
                        (size.height - part.height) * (i / across) / (across - 1), part.width, part.height};
    read(region, pixels.view());
    for (std::int64_t y = 0; y < part.height; ++y) {
      const auto* row = pixels.view().row<const std::uint8_t>(y);
      std::for_each(row, row + part.width * 3, add);
    }
  }
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return text.data();
}

}  // namespace nephron
