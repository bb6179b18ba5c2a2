#include <host/util/shell_word.hpp>

#include <cstdint>

#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

/// What a terminal would obey, as bash and zsh write it.
std::string with_escapes(const std::string& text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "$'";
  for (const char c : text) {
    const auto v = static_cast<std::uint8_t>(c);
    if (c == '\'' || c == '\\') (out += '\\') += c;
    else if (v >= 0x20 && v < 0x7f) out += c;
    else ((out += "\\x") += digits[v >> 4]) += digits[v & 15];
  }
  return out + "'";
}

}  // namespace

std::string shell_word(const std::string& text) {
  const char* const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+,:@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  if (printable_name(text) != text) return with_escapes(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace nephron::host
