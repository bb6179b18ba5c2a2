#include <host/store/content_hash.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <host/util/files.hpp>
#include <host/util/processor.hpp>

namespace nephron::host {

namespace {

// A lane takes eight bytes of each stripe: their two halves, made unlike by a key that no other stripe has, are
// multiplied into it, and they are added to its neighbour, so that no factor of 0 loses them.
static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

/// Bijective: every bit of the result depends on every bit of the number.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

constexpr auto keys = [] {
  std::array<std::uint64_t, 8> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = mixed((i + 1) * golden);
  return out;
}();

constexpr std::size_t lanes = keys.size(), stripe = 8 * lanes;
using State = std::array<std::uint64_t, lanes>;

/// After so many stripes the lanes are stirred, so that what has come stays in their low halves too.
constexpr std::uint64_t often = 16;

void stir(State& state) {
  for (std::size_t i = 0; i < lanes; ++i) state[i] = (state[i] ^ state[i] >> 47 ^ keys[i]) * golden;
}

void take(State& state, const std::uint8_t* bytes, std::uint64_t number) {
  std::array<std::uint64_t, lanes> words;
  std::memcpy(words.data(), bytes, stripe);
  const std::uint64_t place = number * golden;
  for (std::size_t i = 0; i < lanes; ++i) {
    const std::uint64_t word = words[i] ^ (keys[i] + place);
    state[i] += (word & 0xffffffff) * (word >> 32);
    state[i ^ 1] += words[i];
  }
  if (number % often == often - 1) stir(state);
}

#if defined(__x86_64__)
/// The same of `count` stripes, half of the lanes at a time: four times as fast.
__attribute__((target("avx2"))) void take_avx2(State& state, const std::uint8_t* bytes, std::size_t count,
                                               std::uint64_t number) {
  const auto half = [](auto& array, std::size_t i) { return reinterpret_cast<__m256i*>(array.data() + 4 * i); };
  const auto key = [](std::size_t i) { return reinterpret_cast<const __m256i*>(keys.data() + 4 * i); };
  __m256i low = _mm256_loadu_si256(half(state, 0)), high = _mm256_loadu_si256(half(state, 1));
  const __m256i low_key = _mm256_loadu_si256(key(0)), high_key = _mm256_loadu_si256(key(1));
  const __m256i step = _mm256_set1_epi64x(static_cast<long long>(golden));
  __m256i place = _mm256_set1_epi64x(static_cast<long long>(number * golden));
  for (; count > 0; --count, bytes += stripe, ++number) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + stripe / 2));
    const __m256i keyed_a = _mm256_xor_si256(a, _mm256_add_epi64(low_key, place));
    const __m256i keyed_b = _mm256_xor_si256(b, _mm256_add_epi64(high_key, place));
    low = _mm256_add_epi64(low, _mm256_mul_epu32(keyed_a, _mm256_srli_epi64(keyed_a, 32)));
    high = _mm256_add_epi64(high, _mm256_mul_epu32(keyed_b, _mm256_srli_epi64(keyed_b, 32)));
    constexpr int neighbours = 0x4e;  // the two words of 16 bytes change places
    low = _mm256_add_epi64(low, _mm256_shuffle_epi32(a, neighbours));
    high = _mm256_add_epi64(high, _mm256_shuffle_epi32(b, neighbours));
    place = _mm256_add_epi64(place, step);
    if (number % often != often - 1) continue;
    _mm256_storeu_si256(half(state, 0), low);
    _mm256_storeu_si256(half(state, 1), high);
    stir(state);
    low = _mm256_loadu_si256(half(state, 0)), high = _mm256_loadu_si256(half(state, 1));
  }
  _mm256_storeu_si256(half(state, 0), low);
  _mm256_storeu_si256(half(state, 1), high);
}
#endif

void take_many(State& state, const std::uint8_t* bytes, std::size_t count, std::uint64_t number) {
#if defined(__x86_64__)
  if (has_avx2()) return take_avx2(state, bytes, count, number);
#endif
  for (; count > 0; --count, bytes += stripe) take(state, bytes, number++);
}

}  // namespace

ContentHash::ContentHash() : state_(keys) {}

void ContentHash::add(const void* bytes, std::size_t size) {
  const auto* from = static_cast<const std::uint8_t*>(bytes);
  bytes_ += size;
  if (held_ > 0) {
    const std::size_t n = std::min(size, stripe - held_);
    std::memcpy(rest_.data() + held_, from, n);
    held_ += n, from += n, size -= n;
    if (held_ < stripe) return;
    take(state_, rest_.data(), stripes_++);
    held_ = 0;
  }
  const std::size_t whole = size / stripe;
  take_many(state_, from, whole, stripes_);
  stripes_ += whole, from += whole * stripe, size -= whole * stripe;
  std::memcpy(rest_.data(), from, size);
  held_ = size;
}

std::string ContentHash::hex() const {
  State state = state_;
  std::array<std::uint8_t, stripe> last{};  // filled with zeros: the length tells how many
  std::memcpy(last.data(), rest_.data(), held_);
  take(state, last.data(), stripes_);
  std::uint64_t a = mixed(bytes_), b = mixed(bytes_ ^ golden);
  for (std::size_t i = 0; i < lanes; ++i) {
    a = mixed(a + state[i]);
    b = mixed(b ^ (state[lanes - 1 - i] * golden));
  }
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(a),
                static_cast<unsigned long long>(b));
  return text.data();
}

std::string content_hash_of(const std::filesystem::path& file) {
  if (file.empty() || std::filesystem::is_directory(file)) return "";
  ContentHash hash;
  read_in_pieces(file, [&](const void* bytes, std::size_t size) { hash.add(bytes, size); });
  return hash.hex();
}

}  // namespace nephron::host
