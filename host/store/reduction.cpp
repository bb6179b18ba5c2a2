#include <host/store/reduction.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// Relative; of a side of 100,000 px it is a tenth of a pixel.
constexpr double slack = 1e-6;

std::string text_of(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// 1.08 / 0.9 is meant as 1.2, and not as 1.2000000000000002. Of a side of 2^24 pixels twelve digits are a hundred
/// thousandth of one.
double of_twelve_digits(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 12).ptr;
  std::from_chars(text.data(), end, value);
  return value;
}

}  // namespace

Reduction Reduction::of(double ratio) { return written(of_twelve_digits(written(ratio).value())); }

Reduction Reduction::written(double ratio) {
  const double whole = std::nearbyint(ratio);
  if (std::abs(ratio - whole) <= slack * ratio) ratio = whole;
  if (!(ratio >= 1 && ratio <= largest))
    throw Error("a slide cannot be reduced by " + text_of(ratio) + "; expected 1 to " + std::to_string(largest));
  Reduction out;
  out.value_ = ratio;
  return out;
}

std::optional<Reduction> Reduction::parse(std::string_view text) {
  double ratio = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (failed != std::errc() || end != text.data() + text.size() || !(ratio >= 1 && ratio <= largest))
    return std::nullopt;
  const Reduction out = written(ratio);
  return out.str() == text ? std::optional(out) : std::nullopt;
}

Size Reduction::size_of(Size full) const noexcept {
  if (whole()) {
    const int f = factor() < 1 ? 1 : factor();
    return {full.width / f, full.height / f};
  }
  const auto side = [&](std::int64_t s) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(s) / value_ + slack));
  };
  return {side(full.width), side(full.height)};
}

int Reduction::times_to(const Reduction& coarser) const noexcept {
  if (*this == coarser) return 1;
  if (!whole() || !coarser.whole() || factor() < 1 || coarser.factor() % factor() != 0) return 0;
  return coarser.factor() / factor();
}

std::string Reduction::str() const { return text_of(value_); }

}  // namespace nephron::host
