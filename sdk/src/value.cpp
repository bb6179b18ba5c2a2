#include <nephron/value.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <nephron/error.hpp>

namespace nephron {

std::string Source::str() const {
  if (file == nullptr) return {};
  if (line == 0) return *file;
  return *file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Value::Value() = default;
Value::Value(bool v) : data_(v) {}
Value::Value(int v) : data_(static_cast<std::int64_t>(v)) {}
Value::Value(std::int64_t v) : data_(v) {}
Value::Value(double v) : data_(v) {}
Value::Value(const char* v) : data_(std::string(v)) {}
Value::Value(std::string v) : data_(std::move(v)) {}
Value::Value(Array v) : data_(std::move(v)) {}
Value::Value(Table v) : data_(std::move(v)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value::Type Value::type() const noexcept { return static_cast<Type>(data_.index()); }

std::string_view Value::name_of(Type t) noexcept {
  switch (t) {
    case Type::null:
      return "nothing";
    case Type::boolean:
      return "a boolean";
    case Type::integer:
      return "an integer";
    case Type::real:
      return "a number";
    case Type::string:
      return "a string";
    case Type::array:
      return "an array";
    case Type::table:
      return "a table";
  }
  return "?";
}

namespace {
template <class T, class Variant>
auto& held(Variant& data, std::string_view expected, Value::Type got) {
  if (auto* p = std::get_if<T>(&data)) return *p;
  throw Error("expected " + std::string(expected) + ", got " + std::string(Value::name_of(got)));
}
}  // namespace

bool Value::boolean() const { return held<bool>(data_, "a boolean", type()); }
std::int64_t Value::integer() const { return held<std::int64_t>(data_, "an integer", type()); }
double Value::number() const {
  if (is(Type::integer)) return static_cast<double>(integer());
  return held<double>(data_, "a number", type());
}
const std::string& Value::string() const { return held<std::string>(data_, "a string", type()); }
const Value::Array& Value::array() const { return held<Array>(data_, "an array", type()); }
Value::Array& Value::array() { return held<Array>(data_, "an array", type()); }
const Value::Table& Value::table() const { return held<Table>(data_, "a table", type()); }
Value::Table& Value::table() { return held<Table>(data_, "a table", type()); }

const Value* Value::find(std::string_view key) const noexcept {
  const auto* members = std::get_if<Table>(&data_);
  if (members == nullptr) return nullptr;
  for (const Member& m : *members)
    if (m.key == key) return &m.value;
  return nullptr;
}

Value* Value::find(std::string_view key) noexcept {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

Value& Value::set(std::string_view key, Value v) {
  if (is(Type::null)) data_ = Table{};
  if (Value* old = find(key)) return *old = std::move(v);
  Member& added = table().emplace_back();
  added.key = key;
  added.source = v.source;
  added.value = std::move(v);
  return added.value;
}

bool Value::operator==(const Value& other) const { return data_ == other.data_; }

namespace {

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') (out += '\\') += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (u < 0x20 || u == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04X", u);
      out += code;
    } else out += c;
  }
  return out + '"';
}

bool bare(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string real_text(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, v).ptr;  // shortest that reads back equal
  std::string out(text, end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

std::string Value::str() const {
  switch (type()) {
    case Type::null:
      return "";
    case Type::boolean:
      return boolean() ? "true" : "false";
    case Type::integer:
      return std::to_string(integer());
    case Type::real:
      return real_text(number());
    case Type::string:
      return quoted(string());
    case Type::array: {
      std::string out = "[";
      for (const Value& v : array()) (out += out.size() > 1 ? ", " : "") += v.str();
      return out + "]";
    }
    case Type::table: {
      if (table().empty()) return "{}";
      std::string out = "{ ";
      for (const Member& m : table()) {
        if (out.size() > 2) out += ", ";
        (out += bare(m.key) ? m.key : quoted(m.key)) += " = " + m.value.str();
      }
      return out + " }";
    }
  }
  return {};
}

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  // Levenshtein distance with swapped neighbours counted as one; near means at most a third of the word.
  const auto distance = [&](std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
      for (std::size_t j = 1; j <= b.size(); ++j) {
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    return d[a.size()][b.size()];
  };
  if (word.size() > 200) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    if (name.size() > 200) continue;
    const std::size_t d = distance(word, name);
    if (d < least) least = d, best = name;
  }
  return best;
}

}  // namespace nephron
