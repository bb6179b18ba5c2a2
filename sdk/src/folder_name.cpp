#include <nephron/folder_name.hpp>

#include <algorithm>

namespace nephron {

namespace {

bool stays(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
  return letter || digit || c == '-' || c == '_' || c == '.' || static_cast<unsigned char>(c) >= 128;
}

}  // namespace

std::string folder_name(std::string_view name) {
  std::string out(name);
  std::replace_if(out.begin(), out.end(), [](char c) { return !stays(c); }, '_');
  return out.empty() || out.front() == '.' ? "_" + out : out;
}

}  // namespace nephron
