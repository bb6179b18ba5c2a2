#pragma once

#include <cstdint>

#include <nephron/error.hpp>
#include <nephron/image.hpp>

// Label maps have one channel with one bit a class (bit 0 is the first), as wide as the classes need.
namespace nephron {

/// Classes that an experiment may have.
constexpr int most_classes = 32;

/// The least depth that holds so many bits.
constexpr Depth label_depth(int bits) noexcept { return bits <= 8 ? Depth::u8 : bits <= 16 ? Depth::u16 : Depth::u32; }

/// True for depths that label maps have.
constexpr bool is_label_depth(Depth depth) noexcept {
  return depth == Depth::u8 || depth == Depth::u16 || depth == Depth::u32;
}

/// Bits 0 to n - 1.
constexpr std::uint32_t first_bits(int n) noexcept { return n >= 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << n) - 1; }

/// Calls visit(0) with a zero of the type that pixels of this depth have: std::uint8_t, std::uint16_t, std::uint32_t.
template <class Visit>
decltype(auto) with_label_type(Depth depth, Visit&& visit) {
  if (depth == Depth::u8) return visit(std::uint8_t{0});
  if (depth == Depth::u16) return visit(std::uint16_t{0});
  if (depth == Depth::u32) return visit(std::uint32_t{0});
  throw Error("labels are whole numbers of 8, 16 or 32 bits; this picture has floating point numbers");
}

}  // namespace nephron
