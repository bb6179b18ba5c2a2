#include <nephron/rng.hpp>

#include <cmath>
#include <numbers>

namespace nephron {

namespace {

// FNV-1a, 64 bit: turns a path into a key.
std::uint64_t hash(std::string_view text, std::uint64_t h = 0xcbf29ce484222325ULL) noexcept {
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

// Finaliser of SplitMix64: spreads keys that differ in few bits.
std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

std::array<std::uint32_t, 4> detail::philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

Rng::Rng(std::uint64_t seed, std::string_view path, std::uint64_t epoch, std::uint64_t index) noexcept {
  const std::uint64_t key = mix(mix(seed + 0x9e3779b97f4a7c15ULL) ^ hash(path) ^ mix(epoch + 0x632be59bd9b4e019ULL));
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  counter_ = {0, 0, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32)};
}

Rng Rng::fork(std::string_view path) const noexcept {
  Rng child = *this;
  const std::uint64_t key = mix((std::uint64_t{key_[1]} << 32 | key_[0]) ^ hash(path));
  child.key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  child.counter_[0] = child.counter_[1] = 0;
  child.used_ = 4;
  return child;
}

void Rng::refill() noexcept {
  block_ = detail::philox(counter_, key_);
  if (++counter_[0] == 0) ++counter_[1];
  used_ = 0;
}

std::uint32_t Rng::bits() noexcept {
  if (used_ == 4) refill();
  return block_[used_++];
}

std::uint64_t Rng::bits64() noexcept {
  const std::uint64_t low = bits();
  return std::uint64_t{bits()} << 32 | low;
}

double Rng::uniform() noexcept { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
double Rng::uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

std::int64_t Rng::integer(std::int64_t low, std::int64_t high) noexcept {
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  if (span == 0) return static_cast<std::int64_t>(bits64());
  const std::uint64_t limit = -span % span;  // 2^64 mod span: below it a draw would be biased
  std::uint64_t x = bits64();
  while (x < limit) x = bits64();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + x % span);
}

bool Rng::chance(double p) noexcept { return uniform() < p; }

double Rng::normal() noexcept {
  const double r = std::sqrt(-2 * std::log(1 - uniform()));
  return r * std::cos(2 * std::numbers::pi * uniform());
}

double Rng::gamma(double shape) noexcept {
  if (shape < 1) {
    const double u = 1 - uniform();
    return gamma(shape + 1) * std::pow(u, 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Rng::beta(double a, double b) noexcept {
  const double x = gamma(a);
  return x / (x + gamma(b));
}

}  // namespace nephron
