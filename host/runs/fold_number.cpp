#include <host/runs/fold_number.hpp>

#include <charconv>
#include <string>
#include <system_error>

namespace nephron::host {

std::optional<int> fold_number(const std::filesystem::path& folder) {
  constexpr std::string_view prefix = "fold-";
  const std::string name = folder.filename().string();
  if (!name.starts_with(prefix)) return std::nullopt;
  int k = 0;
  const char* const begin = name.data() + prefix.size();
  const char* const end = name.data() + name.size();
  const auto [stop, failed] = std::from_chars(begin, end, k);
  if (failed != std::errc() || stop != end || k < 0) return std::nullopt;
  return k;
}

}  // namespace nephron::host
