#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace nephron::host {

/// A number of so many decimals: "0.9500"; "-" for what is no number.
inline std::string fixed_number(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace nephron::host
