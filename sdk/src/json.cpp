#include <nephron/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

namespace nephron {

namespace {

/// Bytes of a text that count how many were taken: the parser tells its place only where it fails itself.
struct CountedByte {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  std::size_t* taken;

  reference operator*() const { return *at; }
  CountedByte& operator++() {
    ++at, ++*taken;
    return *this;
  }
  bool operator==(const CountedByte& other) const { return at == other.at; }
  bool operator!=(const CountedByte& other) const { return at != other.at; }
};

/// Makes the Value while the text is read, without a tree of the parser's own in between.
class Builder {
 public:
  Builder(std::string_view where, int deepest) : where_(where), deepest_(static_cast<std::size_t>(deepest)) {}

  bool null() { return put({}); }
  bool boolean(bool v) { return put(v); }
  bool number_integer(std::int64_t v) { return put(v); }
  bool number_unsigned(std::uint64_t v) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return v > most ? put(static_cast<double>(v)) : put(static_cast<std::int64_t>(v));
  }
  bool number_float(double v, const std::string&) { return put(v); }
  bool string(std::string& v) { return put(std::move(v)); }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // JSON text has none
  bool start_object(std::size_t) { return open(Value::Table{}); }
  bool start_array(std::size_t) { return open(Value::Array{}); }
  bool end_array() { return close(); }
  bool end_object() {
    refuse_twins(open_.back().value.table());
    return close();
  }
  bool key(std::string& name) {
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&, const nlohmann::json::exception& e) {
    const std::string what = e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    const std::size_t end = what.find("] ");
    refuse(byte, "this is no JSON: " + (end == std::string::npos ? what : what.substr(end + 2)).substr(0, 200));
  }

  std::size_t taken = 0;
  Value result;

 private:
  struct Open {
    Value value;
    std::string key;  ///< of the member that is read, in an object
  };

  [[noreturn]] void refuse(std::size_t byte, const std::string& what) const {
    throw Error(std::string(where_) + ": byte " + std::to_string(byte) + ": " + what);
  }
  bool put(Value v) {
    if (open_.empty()) result = std::move(v);
    else if (Open& last = open_.back(); last.value.is(Value::Type::array)) last.value.array().push_back(std::move(v));
    else last.value.table().push_back({std::move(last.key), std::move(v), {}});
    return true;
  }
  bool open(Value v) {
    if (open_.size() == deepest_)
      refuse(taken, "lists and objects are nested more than " + std::to_string(deepest_) + " deep");
    open_.push_back({std::move(v), {}});
    return true;
  }
  bool close() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(done));
  }
  void refuse_twins(const Value::Table& table) const {
    std::vector<std::string_view> keys;
    keys.reserve(table.size());
    for (const Value::Member& member : table) keys.push_back(member.key);
    std::sort(keys.begin(), keys.end());
    const auto twin = std::adjacent_find(keys.begin(), keys.end());
    if (twin != keys.end()) refuse(taken, "the object that ends here has \"" + std::string(*twin) + "\" twice");
  }

  std::string_view where_;
  std::size_t deepest_;
  std::vector<Open> open_;
};

}  // namespace

Value parse_json(std::string_view text, std::string_view where, int deepest) {
  Builder builder(where, deepest);
  const CountedByte begin{text.data(), &builder.taken}, end{text.data() + text.size(), &builder.taken};
  nlohmann::json::sax_parse(begin, end, &builder);
  return std::move(builder.result);
}

Value read_json(const std::filesystem::path& file, std::uintmax_t most_bytes, int deepest) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw Error("cannot read " + file.string() + ": " + error.message() + "; expected a JSON file");
  if (size > most_bytes)
    throw Error(file.string() + " has " + std::to_string(size) + " bytes; JSON is read up to " +
                std::to_string(most_bytes));
  std::ifstream in(file, std::ios::binary);
  std::string text(size, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(size))) throw Error("cannot read " + file.string());
  return parse_json(text, file.string(), deepest);
}

std::string_view json_name(Value::Type type) noexcept {
  switch (type) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return "true or false";
    case Value::Type::integer:
      return "a whole number";
    case Value::Type::real:
      return "a number";
    case Value::Type::string:
      return "text";
    case Value::Type::array:
      return "a list";
    case Value::Type::table:
      return "an object";
  }
  return "";
}

const Value& json_member(const Value& object, std::string_view key, Value::Type type, std::string_view where) {
  const std::string start = std::string(where) + ": ";
  if (!object.is(Value::Type::table))
    throw Error(start + "expected an object, found " + std::string(json_name(object.type())));
  const Value* const value = object.find(key);
  if (value == nullptr) throw Error(start + "there is no \"" + std::string(key) + "\"");
  const bool fits = value->is(type) || (type == Value::Type::real && value->is(Value::Type::integer));
  if (!fits)
    throw Error(start + "\"" + std::string(key) + "\" is " + std::string(json_name(value->type())) + "; expected " +
                std::string(json_name(type)));
  return *value;
}

}  // namespace nephron
