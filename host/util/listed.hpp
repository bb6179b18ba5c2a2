#pragma once

#include <string>

namespace nephron::host {

/// Numbers in a sentence: "0, 1, 2". Names are listed by names_of() of <nephron/dataset_check.hpp>.
template <class Numbers>
std::string listed(const Numbers& numbers) {
  std::string out;
  for (const auto n : numbers) out += (out.empty() ? "" : ", ") + std::to_string(n);
  return out;
}

}  // namespace nephron::host
