#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// How many pixels of a slide's side become one: a factor, or, where a slide has to come to a given size of its pixels,
/// any number from 1 on, of twelve digits. A number that differs from a whole one by less than a millionth is that one:
/// headers round.
class Reduction {
 public:
  static constexpr int largest = 1024;

  constexpr Reduction(int factor = 1) noexcept : value_(factor) {}  // NOLINT: a factor is a reduction
  /// Throws Error for what is not in 1 to `largest`.
  static Reduction of(double ratio);
  /// As a record has it: the first of this version had more digits, and are reductions of their own.
  static Reduction written(double ratio);
  /// What str() gives, of written() too; nothing for any other text.
  static std::optional<Reduction> parse(std::string_view text);

  constexpr double value() const noexcept { return value_; }
  constexpr bool whole() const noexcept { return value_ == static_cast<double>(static_cast<int>(value_)); }
  /// Of a whole one.
  constexpr int factor() const noexcept { return static_cast<int>(value_); }
  /// Of a reduced picture: both sides rounded down.
  Size size_of(Size full) const noexcept;
  /// How many times this one's pixels make one of `coarser`, which can be made of the same reading; 0: in no whole
  /// number.
  int times_to(const Reduction& coarser) const noexcept;
  /// "2", "1.2", "1.97628458498": as few digits as tell it from every other.
  std::string str() const;

  constexpr auto operator<=>(const Reduction&) const noexcept = default;

 private:
  double value_;
};

}  // namespace nephron::host
