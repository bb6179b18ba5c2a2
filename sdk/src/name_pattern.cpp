#include <nephron/name_pattern.hpp>

#include <nephron/error.hpp>

namespace nephron {

NamePattern::NamePattern(const std::string& pattern, std::string_view key) {
  const std::string said = std::string(key) + " = \"" + pattern + "\"";
  try {
    pattern_ = std::regex(pattern);
  } catch (const std::regex_error& e) {
    throw Error(said + " is no regular expression: " + e.what());
  }
  if (!pattern.empty() && pattern_.mark_count() < 1) throw Error(said + " has no group in brackets");
}

std::string NamePattern::of(const std::string& name) const {
  std::smatch match;
  return std::regex_search(name, match, pattern_) && match.size() > 1 ? match[1].str() : "";
}

}  // namespace nephron
