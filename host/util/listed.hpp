#pragma once

#include <string>
#include <vector>

namespace nephron::host {

/// Numbers in a sentence: "0, 1, 2". Names are listed by names_of() of <nephron/dataset_check.hpp>.
template <class Numbers>
std::string listed(const Numbers& numbers) {
  std::string out;
  for (const auto n : numbers) out += (out.empty() ? "" : ", ") + std::to_string(n);
  return out;
}

/// All of few words that need no quotes, such as ids: "1a2b3c, 4d5e6f".
inline std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace nephron::host
