#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/field_info.hpp>
#include <nephron/value.hpp>

namespace nephron {

template <class T>
class Schema;

namespace detail {

NEPHRON_API void fault(DecodeContext& c, const Value& at, std::string message, std::string hint = {});
NEPHRON_API void wrong_type(DecodeContext& c, const Value& at, std::string_view name, std::string_view expected);
NEPHRON_API bool in_range(DecodeContext& c, const Value& at, const FieldInfo& info, double number);
NEPHRON_API bool in_choices(DecodeContext& c, const Value& at, const FieldInfo& info, const std::string& text);
NEPHRON_API void unknown_keys(DecodeContext& c, const Value& table, const std::vector<FieldInfo>& fields);
NEPHRON_API void missing(DecodeContext& c, const Value& table, const FieldInfo& info);
NEPHRON_API void wrong_length(DecodeContext& c, const Value& at, const FieldInfo& info, std::size_t expected);
/// False, with a fault, when the path has to exist and does not.
NEPHRON_API bool in_place(DecodeContext& c, const Value& at, const FieldInfo& info, const std::filesystem::path& path);
/// Paths are relative to the file that states them; those of the command line to the current folder. A text with a
/// scheme ("pypi:efficientnet-lite0") is no path and stays as it is.
NEPHRON_API std::filesystem::path resolve(const Value& at, const std::string& text);
/// `own`: fields that the holder of the spec reads itself; they are left out of its params.
NEPHRON_API bool decode_component(const Value& v, ComponentSpec& out, std::string_view kind,
                                  const std::vector<FieldInfo>& own, DecodeContext& c);
NEPHRON_API Value encode_component(const ComponentSpec& spec);

template <class T>
concept Described = requires(Schema<T>& s) {
  T::describe(s);
};

/// How one C++ type is told, read and written. Specialised for what an experiment file can hold.
template <class T>
struct Codec {
  static_assert(
      !std::is_enum_v<T>,
      "nephron: an enum is no parameter's type; take std::string with .choices({\"a\", \"b\"}) and compare it "
      "once in the constructor");
  static_assert(
      std::is_enum_v<T>,
      "nephron: a parameter is bool, an integer, a floating-point number, std::string, std::filesystem::path, "
      "nephron::ComponentSpec, or std::optional, std::vector or std::array of one of these");
};

template <>
struct Codec<bool> {
  static void tell(FieldInfo& f) { f.type = "bool"; }
  static Value encode(bool v) { return Value(v); }
  static bool decode(const Value& v, bool& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::boolean)) return wrong_type(c, v, f.name, "true or false"), false;
    out = v.boolean();
    return true;
  }
};

template <std::integral T>
requires(!std::same_as<T, bool>) struct Codec<T> {
  static void tell(FieldInfo& f) {
    f.type = "int";
    f.low = std::max(f.low, static_cast<double>(std::numeric_limits<T>::min()));
    f.high = std::min(f.high, static_cast<double>(std::numeric_limits<T>::max()));
  }
  static Value encode(T v) { return Value(static_cast<std::int64_t>(v)); }
  static bool decode(const Value& v, T& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::integer)) return wrong_type(c, v, f.name, "an integer"), false;
    if (!in_range(c, v, f, static_cast<double>(v.integer()))) return false;
    out = static_cast<T>(v.integer());
    return true;
  }
};

template <std::floating_point T>
struct Codec<T> {
  static void tell(FieldInfo& f) { f.type = "float"; }
  static Value encode(T v) { return Value(static_cast<double>(v)); }
  static bool decode(const Value& v, T& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::integer) && !v.is(Value::Type::real)) return wrong_type(c, v, f.name, "a number"), false;
    if (!in_range(c, v, f, v.number())) return false;
    out = static_cast<T>(v.number());
    return true;
  }
};

template <>
struct Codec<std::string> {
  static void tell(FieldInfo& f) { f.type = "string"; }
  static Value encode(const std::string& v) { return Value(v); }
  static bool decode(const Value& v, std::string& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::string)) return wrong_type(c, v, f.name, "a string"), false;
    if (!in_choices(c, v, f, v.string())) return false;
    out = v.string();
    return true;
  }
};

template <>
struct Codec<std::filesystem::path> {
  static void tell(FieldInfo& f) { f.type = "path"; }
  static Value encode(const std::filesystem::path& v) { return Value(v.string()); }
  static bool decode(const Value& v, std::filesystem::path& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::string)) return wrong_type(c, v, f.name, "a path (a string)"), false;
    out = resolve(v, v.string());
    return in_place(c, v, f, out);
  }
};

template <>
struct Codec<ComponentSpec> {
  static void tell(FieldInfo& f) { f.type = "component"; }
  static Value encode(const ComponentSpec& v) { return encode_component(v); }
  static bool decode(const Value& v, ComponentSpec& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::table)) return wrong_type(c, v, f.name, "a table such as { type = \"NAME\" }"), false;
    return decode_component(v, out, f.component_kind, {}, c);
  }
};

template <>
struct Codec<Value> {  // anything; its owner checks it
  static void tell(FieldInfo& f) { f.type = "any"; }
  static Value encode(const Value& v) { return v; }
  static bool decode(const Value& v, Value& out, const FieldInfo&, DecodeContext&) {
    out = v;
    return true;
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static void tell(FieldInfo& f) { Codec<T>::tell(f); }
  static Value encode(const std::optional<T>& v) { return v ? Codec<T>::encode(*v) : Value(); }
  static bool decode(const Value& v, std::optional<T>& out, const FieldInfo& f, DecodeContext& c) {
    T inner{};
    if (!Codec<T>::decode(v, inner, f, c)) return false;
    out = std::move(inner);
    return true;
  }
};

template <class Container>
struct ArrayCodec {
  using T = typename Container::value_type;
  static Value encode(const Container& v) {
    Value::Array items;
    for (const auto& x : v) items.push_back(Codec<T>::encode(x));
    return Value(std::move(items));
  }
  /// The element inherits range, choices, unit and component kind.
  static void refresh(FieldInfo& f) {
    FieldInfo e = f;
    e.element.reset();
    e.length = -1;
    Codec<T>::tell(e);
    e.fallback = Value();
    f.element = std::make_shared<FieldInfo>(std::move(e));
    f.type = "array";
  }
};

template <class T>
struct Codec<std::vector<T>> : ArrayCodec<std::vector<T>> {
  static void tell(FieldInfo& f) { ArrayCodec<std::vector<T>>::refresh(f); }
  static bool decode(const Value& v, std::vector<T>& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::array)) return wrong_type(c, v, f.name, "an array"), false;
    out.clear();
    bool good = true;
    for (const Value& x : v.array()) {
      T item{};
      good = Codec<T>::decode(x, item, *f.element, c) && good;
      out.push_back(std::move(item));
    }
    return good;
  }
};

template <class T, std::size_t N>
struct Codec<std::array<T, N>> : ArrayCodec<std::array<T, N>> {
  static void tell(FieldInfo& f) {
    ArrayCodec<std::array<T, N>>::refresh(f);
    f.length = static_cast<std::int64_t>(N);
  }
  static bool decode(const Value& v, std::array<T, N>& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::array)) return wrong_type(c, v, f.name, "an array of " + std::to_string(N)), false;
    if (v.array().size() != N) return wrong_length(c, v, f, N), false;
    bool good = true;
    for (std::size_t i = 0; i < N; ++i) good = Codec<T>::decode(v.array()[i], out[i], *f.element, c) && good;
    return good;
  }
};

}  // namespace detail

}  // namespace nephron
