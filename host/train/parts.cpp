#include <host/train/parts.hpp>

#include <algorithm>
#include <cstdio>

#include <nephron/error.hpp>
#include <nephron/value.hpp>

namespace nephron::host {

namespace {

/// Of whole texts; goes back to the last `*` where it fails, so that its time is bounded by the product of the lengths.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
      ++p, ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// What stands right below a module ("" for the network itself), each once.
std::vector<std::string> members_of(const NamedTensors& parameters, const std::string& module) {
  const std::string prefix = module.empty() ? "" : module + ".";
  std::vector<std::string> out;
  for (const auto& [name, tensor] : parameters) {
    if (!name.starts_with(prefix)) continue;
    const std::string member = name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size());
    if (std::find(out.begin(), out.end(), member) == out.end()) out.push_back(member);
  }
  return out;
}

/// The deepest module that the fixed beginning of a pattern names, what it holds, and what was probably meant.
std::string names_near(const NamedTensors& parameters, const std::string& pattern) {
  const std::string fixed = pattern.substr(0, pattern.find_first_of("*?"));
  std::string module, meant;
  for (std::size_t begin = 0; begin < fixed.size();) {
    const std::size_t end = std::min(fixed.find('.', begin), fixed.size());
    const std::string word = fixed.substr(begin, end - begin);
    const std::vector<std::string> members = members_of(parameters, module);
    if (std::find(members.begin(), members.end(), word) == members.end()) {
      meant = nearest(word, members);
      break;
    }
    module += (module.empty() ? "" : ".") + word;
    begin = end + 1;
  }
  constexpr std::size_t shown = 12;
  const std::vector<std::string> members = members_of(parameters, module);
  std::string list;
  for (std::size_t i = 0; i < std::min(members.size(), shown); ++i) list += (i == 0 ? "" : ", ") + members[i];
  if (members.size() > shown) list += " and " + std::to_string(members.size() - shown) + " more";
  const std::string holds = (module.empty() ? "the network" : "\"" + module + "\"") + " holds " + list;
  if (meant.empty()) return holds;
  return "did you mean \"" + (module.empty() ? "" : module + ".") + meant + "\"? " + holds;
}

}  // namespace

bool names_part(std::string_view pattern, std::string_view parameter) {
  if (matches(pattern, parameter)) return true;
  for (std::size_t dot = parameter.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = parameter.rfind('.', dot - 1))
    if (matches(pattern, parameter.substr(0, dot))) return true;
  return false;
}

std::vector<bool> part_of(const NamedTensors& parameters, const std::string& pattern) {
  std::vector<bool> out;
  for (const auto& [name, tensor] : parameters) out.push_back(names_part(pattern, name));
  if (std::find(out.begin(), out.end(), true) == out.end())
    throw Error("\"" + pattern + "\" matches no parameter of the network", names_near(parameters, pattern));
  return out;
}

std::string count_text(std::int64_t values) {
  constexpr std::int64_t thousand = 1000, million = 1000000;
  char text[32];
  if (values < thousand) std::snprintf(text, sizeof text, "%lld", static_cast<long long>(values));
  else if (values < million) std::snprintf(text, sizeof text, "%.1f k", static_cast<double>(values) / thousand);
  else std::snprintf(text, sizeof text, "%.1f M", static_cast<double>(values) / million);
  return text;
}

}  // namespace nephron::host
