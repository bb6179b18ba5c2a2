#pragma once

#include <random>
#include <string>

namespace nephron::host {

/// The six digits, 0 to 9 and a to f, by which people name a run or a job.
inline std::string random_id() {
  std::random_device device;
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 6; ++i) out += digits[device() % 16];
  return out;
}

}  // namespace nephron::host
