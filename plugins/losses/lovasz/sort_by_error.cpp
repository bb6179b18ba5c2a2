#include "sort_by_error.hpp"

#include <array>
#include <bit>
#include <utility>

namespace {

constexpr int bits = 11, passes = 3;
constexpr std::uint32_t buckets = 1U << bits;

std::uint32_t bucket(std::uint32_t key, int pass) { return (key >> (pass * bits)) & (buckets - 1); }

}  // namespace

ErrorAt ErrorAt::of(float error, std::uint32_t pixel) noexcept {
  // Bits of positive floats sort as they are, those of negative ones the other way round.
  const auto v = std::bit_cast<std::uint32_t>(error);
  const std::uint32_t rising = (v >> 31) != 0 ? ~v : v | 0x80000000U;
  return {~rising, pixel};
}

void sort_by_error(std::vector<ErrorAt>& pixels, std::vector<ErrorAt>& room) {
  std::array<std::array<std::uint32_t, buckets>, passes> starts{};
  for (const ErrorAt& p : pixels)
    for (int pass = 0; pass < passes; ++pass) ++starts[static_cast<std::size_t>(pass)][bucket(p.key, pass)];
  room.resize(pixels.size());
  for (int pass = 0; pass < passes; ++pass) {
    auto& start = starts[static_cast<std::size_t>(pass)];
    std::uint32_t sum = 0;
    for (std::uint32_t& s : start) sum += std::exchange(s, sum);
    for (const ErrorAt& p : pixels) room[start[bucket(p.key, pass)]++] = p;
    std::swap(pixels, room);
  }
}
