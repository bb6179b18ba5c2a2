#include <host/store/content_hash.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <nephron/error.hpp>

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

}  // namespace

ContentHash::ContentHash() : state_(keys) {}

inline void ContentHash::take(State& state, const std::uint8_t* bytes, std::uint64_t number) {
  std::array<std::uint64_t, lanes> words;
  std::memcpy(words.data(), bytes, stripe);
  const std::uint64_t place = number * golden;
  for (std::size_t i = 0; i < lanes; ++i) {
    const std::uint64_t word = words[i] ^ (keys[i] + place);
    state[i] += (word & 0xffffffff) * (word >> 32);
    state[i ^ 1] += words[i];
  }
  constexpr std::uint64_t often = 16;
  if (number % often == often - 1)
    for (std::size_t i = 0; i < lanes; ++i) state[i] = (state[i] ^ state[i] >> 47 ^ keys[i]) * golden;
}

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
  State state = state_;  // in registers
  for (; size >= stripe; from += stripe, size -= stripe) take(state, from, stripes_++);
  state_ = state;
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
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const auto fail = [&] { throw Error("cannot read " + file.string() + ": " + std::strerror(errno)); };
  if (fd < 0) fail();
  const auto close = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close)> closing(&fd, close);
  ContentHash hash;
  std::vector<std::uint8_t> buffer(std::size_t{1} << 19);  // stays in the nearer caches
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) != 0;) {
    if (n > 0) hash.add(buffer.data(), static_cast<std::size_t>(n));
    else if (errno != EINTR) fail();
  }
  return hash.hex();
}

}  // namespace nephron::host
