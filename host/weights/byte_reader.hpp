#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <nephron/error.hpp>

namespace nephron::host {

/// Reads little-endian values from bytes that somebody else owns; never past their end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::size_t position() const noexcept { return position_; }
  std::size_t left() const noexcept { return bytes_.size() - position_; }

  std::string_view take(std::uint64_t n) {
    if (n > left()) throw Error("it ends in the middle of a value, at byte " + std::to_string(bytes_.size()));
    const std::string_view part = bytes_.substr(position_, static_cast<std::size_t>(n));
    position_ += static_cast<std::size_t>(n);
    return part;
  }
  /// Up to a line break, which is skipped.
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) throw Error("it ends in the middle of a line");
    const std::string_view part = bytes_.substr(position_, end - position_);
    position_ = end + 1;
    return part;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

}  // namespace nephron::host
