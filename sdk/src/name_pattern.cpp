#include <nephron/name_pattern.hpp>

#include <regex>
#include <utility>

#include <nephron/error.hpp>

namespace nephron {

struct NamePattern::Data {
  std::regex pattern;
};

NamePattern::NamePattern(const std::string& pattern, std::string_view key) {
  Data data;
  const std::string said = std::string(key) + " = \"" + pattern + "\"";
  try {
    data.pattern = std::regex(pattern);
  } catch (const std::regex_error& e) {
    throw Error(said + " is no regular expression: " + e.what());
  }
  if (!pattern.empty() && data.pattern.mark_count() < 1) throw Error(said + " has no group in brackets");
  data_ = std::make_shared<const Data>(std::move(data));
}

std::string NamePattern::of(const std::string& name) const {
  std::smatch match;
  return std::regex_search(name, match, data_->pattern) && match.size() > 1 ? match[1].str() : "";
}

}  // namespace nephron
