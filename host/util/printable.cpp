#include <host/util/printable.hpp>

#include <cstdint>
#include <cstdio>

namespace nephron::host {

namespace {

/// A character at the start of a text, and its bytes; 0 bytes: it is no UTF-8.
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

Character first_of(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = at(0);
  const std::size_t bytes = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (bytes == 0 || bytes > text.size()) return {};
  if (bytes == 1) return {lead, 1};
  std::uint32_t code = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if (at(i) >> 6 != 2) return {};
    code = code << 6 | (at(i) & 0x3fU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // longer forms of a character are no UTF-8
  if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, bytes};
}

/// What a terminal obeys: controls, and marks that turn the direction of writing.
bool is_obeyed(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto v = static_cast<std::uint8_t>(c);
    ((out += "\\x") += digits[v >> 4]) += digits[v & 15];
  }
}

std::string escaped(std::string_view text, bool in_a_line) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Character c = first_of(text.substr(i));
    const std::string_view bytes = text.substr(i, c.bytes == 0 ? 1 : c.bytes);
    i += bytes.size();
    if (c.code == '\n' || c.code == '\t') {
      if (!in_a_line) out += bytes;
      else out += c.code == '\n' ? "\\n" : "\\t";
    } else if (c.bytes == 0 || is_obeyed(c.code)) {
      append_escaped(out, bytes);
    } else {
      out += bytes;
    }
  }
  return out;
}

void put(std::FILE* to, const std::string& text) { std::fwrite(text.data(), 1, text.size(), to); }

}  // namespace

std::string printable(std::string_view text) { return escaped(text, false); }
std::string printable_name(std::string_view name) { return escaped(name, true); }

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

void print(std::string_view text) { put(stdout, printable(text)); }
void print_error(std::string_view text) { put(stderr, printable(text)); }

}  // namespace nephron::host
