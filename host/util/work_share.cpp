#include <host/util/work_share.hpp>

#include <charconv>

#include <host/util/usage_error.hpp>

namespace nephron::host {

WorkShare WorkShare::parse(const std::string& text, const std::string& option) {
  constexpr int most = 100000;
  WorkShare out;
  const char* const end = text.data() + text.size();
  const auto [slash, bad_number] = std::from_chars(text.data(), end, out.number);
  if (bad_number == std::errc() && slash != end && *slash == '/') {
    const auto [stop, bad_count] = std::from_chars(slash + 1, end, out.count);
    if (bad_count == std::errc() && stop == end && out.number >= 1 && out.number <= out.count && out.count <= most)
      return out;
  }
  throw UsageError(option + " " + text + ": K/N was expected, the K-th of N shares, such as 2/8");
}

}  // namespace nephron::host
