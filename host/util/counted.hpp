#pragma once

#include <string>
#include <string_view>

namespace nephron::host {

/// "1 slide", "2 slides"; `many` where an s is not enough ("batches").
template <class N>
std::string counted(N n, std::string_view one, std::string_view many = {}) {
  const std::string plural = many.empty() ? std::string(one) + "s" : std::string(many);
  return std::to_string(n) + " " + (n == 1 ? std::string(one) : plural);
}

}  // namespace nephron::host
