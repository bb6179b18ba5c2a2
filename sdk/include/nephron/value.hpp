#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// Where a value was written: file, 1-based line and column. Line 0 means: not from a file (a default, `--set`).
/// Closed: every value has one.
struct Source {
  std::shared_ptr<const std::string> file;  ///< null when there is no file
  int line = 0;
  int column = 0;

  /// "file:line:column", "file", or "" when nothing is known.
  NEPHRON_API std::string str() const;
};

/// One fault of a configuration. The host prints "file:line:column: error: message", the line and a caret.
struct Diagnostic {
  Source source;
  std::string message;
  std::string hint;  ///< such as: did you mean "gamma"?
  Room room{};
};

/// Collects every fault of a file, so that all are reported in one go.
using Diagnostics = std::vector<Diagnostic>;

/// A value of an experiment file: what TOML can say, and where it was said. A plain value type; copying is deep.
class NEPHRON_API Value {
 public:
  struct Member;
  using Array = std::vector<Value>;
  using Table = std::vector<Member>;  ///< in the order of the file; keys are unique
  enum class Type { null, boolean, integer, real, string, array, table };

  Value();
  Value(bool v);
  Value(int v);
  Value(std::int64_t v);
  Value(double v);
  Value(const char* v);
  Value(std::string v);
  Value(Array v);
  Value(Table v);
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  Type type() const noexcept;
  bool is(Type t) const noexcept { return type() == t; }
  /// "an integer", "a table", ...: for messages.
  static std::string_view name_of(Type t) noexcept;

  bool boolean() const;
  std::int64_t integer() const;
  double number() const;  ///< integer or real
  const std::string& string() const;
  const Array& array() const;
  Array& array();
  const Table& table() const;
  Table& table();

  /// Member of a table, or null when there is none or this is no table.
  const Value* find(std::string_view key) const noexcept;
  Value* find(std::string_view key) noexcept;
  /// Sets or adds a member; turns a null into a table.
  Value& set(std::string_view key, Value v);

  /// As TOML on one line.
  std::string str() const;

  /// Equal in type and content; sources do not count.
  bool operator==(const Value& other) const;

  Source source;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table> data_;
};

struct Value::Member {
  std::string key;
  Value value;
  Source source;  ///< of the key
  bool operator==(const Member& o) const { return key == o.key && value == o.value; }
};

/// The name among `names` nearest to `word`, or "" when none is near: for "did you mean".
NEPHRON_API std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace nephron
