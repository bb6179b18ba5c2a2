#pragma once

#include <cstddef>
#include <string>

namespace nephron::host {

/// One of several equal shares of a list of work, for processes that know nothing of each other: which pieces are whose
/// follows from the list alone.
struct WorkShare {
  int number = 0, count = 0;  ///< 1 to count; of none: all is one's own

  /// Of "2/8". Throws UsageError that names `option` for anything else.
  static WorkShare parse(const std::string& text, const std::string& option);
  bool is_all() const noexcept { return count == 0; }
  bool has(std::size_t piece) const noexcept {
    return is_all() || piece % static_cast<std::size_t>(count) == static_cast<std::size_t>(number - 1);
  }
};

}  // namespace nephron::host
