#pragma once

#include <cmath>
#include <cstdio>
#include <string>

#include <host/metrics/dice.hpp>

namespace nephron::host {

/// A number as pages show it; a dash for what is not known.
inline std::string figure(double value, const char* format = "%.4f") {
  if (!std::isfinite(value)) return "–";
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A value of a metric: counts have no fraction.
inline std::string measured(double value) {
  return figure(value, std::abs(value) >= 2 && value == std::floor(value) ? "%.0f" : "%.4f");
}

/// "0.9012 ± 0.0123"; one value has no deviation.
inline std::string with_deviation(const Spread& spread, std::size_t many) {
  return figure(spread.mean) + (many > 1 ? " ± " + figure(spread.deviation) : "");
}

/// A figure from 0 to 1 behind a bar of its length.
std::string with_bar(double share);

/// One of the figures of greatest interest; text, not HTML.
std::string tile(const std::string& value, const std::string& what);

}  // namespace nephron::host
