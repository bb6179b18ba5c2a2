#include <algorithm>
#include <fstream>
#include <map>

#include <host/config/load.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t most_shown = 50;    // faults
constexpr std::size_t widest_line = 140;  // characters of a source line around its column
constexpr std::size_t most_bytes = std::size_t{4} << 20;

/// Characters of a text: whole UTF-8 sequences. What would disturb a terminal becomes '?'.
std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    std::size_t n = c < 0x80                ? 1
                    : c >= 0xc2 && c < 0xe0 ? 2
                    : c >= 0xe0 && c < 0xf0 ? 3
                    : c >= 0xf0 && c < 0xf5 ? 4
                                            : 0;
    bool good = n > 0 && i + n <= text.size() && ((c >= 0x20 && c != 0x7f) || c == '\t');
    for (std::size_t k = 1; good && k < n; ++k) good = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
    out.push_back(good ? std::string(text.substr(i, n)) : "?");
    i += good ? n : 1;
  }
  return out;
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& p : parts) out += p;
  return out;
}

/// Messages may quote a file's own text: one line of bounded length, nothing for the terminal to obey.
std::string clean(std::string_view text) {
  std::vector<std::string> parts = characters(text.substr(0, 4000));
  for (std::string& p : parts)
    if (p == "\t") p = " ";
  if (parts.size() > 1000) parts.resize(1000), parts.push_back("...");
  return join(parts);
}

/// Lines of the files that faults lie in, read once each.
class Lines {
 public:
  std::string at(const Source& source) {
    if (source.file == nullptr || source.line <= 0) return {};
    auto [entry, fresh] = files_.try_emplace(*source.file);
    if (fresh) entry->second = read(*source.file);
    const auto index = static_cast<std::size_t>(source.line) - 1;
    return index < entry->second.size() ? entry->second[index] : std::string();
  }

 private:
  static std::vector<std::string> read(const std::string& file) {
    std::vector<std::string> lines;
    std::ifstream in(file, std::ios::binary);
    std::size_t bytes = 0;
    for (std::string line; bytes < most_bytes && std::getline(in, line); bytes += line.size() + 1) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      lines.push_back(line);
    }
    return lines;
  }

  std::map<std::string, std::vector<std::string>> files_;
};

/// The line and a caret under its column; a long line is cut around it.
std::string pointed(const std::string& line, int column) {
  std::vector<std::string> all = characters(line);
  if (all.empty()) return {};
  const std::size_t at = std::min(all.size(), static_cast<std::size_t>(std::max(column, 1)) - 1);
  const std::size_t begin = all.size() <= widest_line || at < widest_line / 2 ? 0 : at - widest_line / 2;
  const std::size_t end = std::min(all.size(), begin + widest_line);
  std::string text = begin > 0 ? "..." : "";
  std::string caret(text.size(), ' ');
  for (std::size_t i = begin; i < end; ++i) text += all[i];
  for (std::size_t i = begin; i < at; ++i) caret += all[i] == "\t" ? "\t" : " ";
  return "    " + text + (end < all.size() ? "..." : "") + "\n    " + caret + "^\n";
}

}  // namespace

std::string report(const Diagnostics& faults) {
  Lines lines;
  std::string out;
  for (std::size_t i = 0; i < std::min(faults.size(), most_shown); ++i) {
    const Diagnostic& d = faults[i];
    const std::string where = d.source.str();
    out += (where.empty() ? "" : clean(where) + ": ") + "error: " + clean(d.message) + "\n";
    out += pointed(lines.at(d.source), d.source.column);
    if (!d.hint.empty()) out += "    " + clean(d.hint) + "\n";
  }
  if (faults.size() > most_shown) out += "and " + std::to_string(faults.size() - most_shown) + " more errors\n";
  if (!out.empty()) out.pop_back();
  return out;
}

ConfigError::ConfigError(Diagnostics faults) : Error(report(faults)), faults_(std::move(faults)) {}
ConfigError::~ConfigError() = default;

}  // namespace nephron::host
