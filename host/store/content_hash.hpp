#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace nephron::host {

/// 128 bits of bytes that come in pieces, as fast as memory gives them: a slide is hashed while it is prepared, and
/// SHA-256 would take longer than reducing it. It tells files apart and sees what has changed; against somebody who
/// makes two files alike on purpose it is no proof.
class ContentHash {
 public:
  ContentHash();
  void add(const void* bytes, std::size_t size);
  /// 32 hexadecimal digits, of all bytes so far.
  std::string hex() const;

 private:
  static constexpr std::size_t lanes = 8, stripe = 8 * lanes;

  std::array<std::uint64_t, lanes> state_;
  std::uint64_t stripes_ = 0, bytes_ = 0;
  std::array<std::uint8_t, stripe> rest_{};  ///< of a stripe that is not whole yet
  std::size_t held_ = 0;
};

/// Of a file; "" of none, and of a folder, which some formats are. Throws Error that names a file that cannot be read.
std::string content_hash_of(const std::filesystem::path& file);

}  // namespace nephron::host
