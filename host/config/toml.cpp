// TOML text -> Value with sources. Files are hostile until proven otherwise: size, nesting and width are bounded
// before toml++ sees them, because its tables are freed by recursion.
#include <toml++/toml.h>
#include <algorithm>

#include <host/config/load.hpp>
#include <host/config/resolved_file.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t most_bytes = std::size_t{4} << 20;
constexpr int most_depth = 32;
constexpr int most_dots = 16;
constexpr std::size_t most_keys = 10000;

using FileName = std::shared_ptr<const std::string>;

[[noreturn]] void refuse(const FileName& file, int line, int column, std::string message, std::string hint = {}) {
  throw ConfigError({{Source{file, line, column}, std::move(message), std::move(hint)}});
}

/// Walks over the text as far as brackets and dotted keys need: comments and strings are skipped.
class DepthGuard {
 public:
  DepthGuard(std::string_view text, const FileName& file) : text_(text), file_(file) {}

  void check() {
    while (at_ < text_.size()) step(text_[at_]);
  }

 private:
  void step(char c) {
    if (c == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    else if (c == '"' || c == '\'') skip_string(c);
    else {
      if (c == '.' && ++dots_ > most_dots) fail("a key with more than " + std::to_string(most_dots) + " dots");
      if (c == '[' || c == '{') ++depth_;
      if (c == ']' || c == '}') --depth_;
      if (depth_ > most_depth) fail("nested more than " + std::to_string(most_depth) + " deep");
      if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos) dots_ = 0;
      ++at_;
    }
  }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many = text_.substr(at_, 3) == three;
    at_ += many ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') at_ += 2;
      else if (many && text_.substr(at_, 3) == three) return void(at_ += 3);
      else if (!many && (text_[at_] == quote || text_[at_] == '\n')) return void(++at_);
      else ++at_;
    }
  }

  [[noreturn]] void fail(std::string message) {
    const std::string_view before = text_.substr(0, at_);
    const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    const std::size_t start = before.rfind('\n');
    refuse(file_, line, static_cast<int>(at_ - (start == std::string_view::npos ? 0 : start + 1)) + 1,
           std::move(message), "no experiment needs this");
  }

  std::string_view text_;
  FileName file_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int dots_ = 0;
};

class Converter {
 public:
  explicit Converter(FileName file) : file_(std::move(file)) {}

  Value value(const toml::node& node, const Source& fallback) const {
    Value out = content(node, fallback);
    out.source = source(node.source(), fallback);
    return out;
  }

 private:
  Source source(const toml::source_region& region, const Source& fallback) const {
    if (region.begin.line == 0) return fallback;
    return {file_, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
  }

  Value content(const toml::node& node, const Source& fallback) const {
    switch (node.type()) {
      case toml::node_type::table:
        return table(*node.as_table(), source(node.source(), fallback));
      case toml::node_type::array:
        return array(*node.as_array(), source(node.source(), fallback));
      case toml::node_type::string:
        return Value(node.as_string()->get());
      case toml::node_type::integer:
        return Value(node.as_integer()->get());
      case toml::node_type::floating_point:
        return Value(node.as_floating_point()->get());
      case toml::node_type::boolean:
        return Value(node.as_boolean()->get());
      default:
        break;
    }
    const Source at = source(node.source(), fallback);
    refuse(file_, at.line, at.column, "dates and times mean nothing in an experiment",
           "write it as a string, in quotes");
  }

  Value table(const toml::table& from, const Source& at) const {
    if (from.size() > most_keys)
      refuse(file_, at.line, at.column, "a table with more than " + std::to_string(most_keys) + " keys");
    Value::Table out;
    out.reserve(from.size());
    for (const auto& [key, node] : from) {
      Value::Member& m = out.emplace_back();
      m.key = key.str();
      m.source = source(key.source(), at);
      m.value = value(node, m.source);
    }
    // toml++ sorts by name; people read in the order of the file.
    std::stable_sort(out.begin(), out.end(), [](const Value::Member& a, const Value::Member& b) {
      return std::pair(a.source.line, a.source.column) < std::pair(b.source.line, b.source.column);
    });
    return Value(std::move(out));
  }

  Value array(const toml::array& from, const Source& at) const {
    Value::Array out;
    out.reserve(from.size());
    for (const toml::node& node : from) out.push_back(value(node, at));
    return Value(std::move(out));
  }

  FileName file_;
};

}  // namespace

Value parse_toml(const std::string& text, const std::string& name) {
  const auto file = std::make_shared<const std::string>(name);
  if (text.size() > most_bytes)
    refuse(file, 0, 0,
           "this file has " + std::to_string(text.size()) + " bytes; an experiment has at most " +
               std::to_string(most_bytes));
  if (const std::size_t nul = text.find('\0'); nul != std::string::npos)
    refuse(file, static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n')) + 1,
           1, "a zero byte: this is not a text file");
  DepthGuard(text, file).check();
  try {
    Value out = Converter(file).value(toml::parse(std::string_view(text)), {file, 1, 1});
    out.source = {file, 1, 1};
    return out;
  } catch (const toml::parse_error& e) {
    refuse(file, static_cast<int>(e.source().begin.line), static_cast<int>(e.source().begin.column),
           std::string(e.description()));
  }
}

Value parse_toml(const std::filesystem::path& file) {
  std::string text;
  try {
    text = read_file(file, most_bytes);
  } catch (const Error& e) {
    refuse(std::make_shared<const std::string>(file.string()), 0, 0, e.what(), e.hint());
  }
  Value out = parse_toml(text, file.string());
  take_origins(text, out);
  return out;
}

}  // namespace nephron::host
