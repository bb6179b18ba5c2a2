#pragma once

#include <algorithm>
#include <array>
#include <concepts>
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
#include <nephron/value.hpp>

namespace nephron {

/// A component named in an experiment: `{ type = "focal", gamma = 2 }`. As a field it is checked against the named
/// component's own schema.
struct ComponentSpec {
  std::string type;
  Value params;   ///< the component's own keys
  Source source;  ///< of the table
};

/// Type-erased facts of one parameter: what `describe`, the JSON schema and the documentation show.
struct NEPHRON_API FieldInfo {
  std::string name;
  std::string doc;
  std::string type;  ///< "bool", "int", "float", "string", "path", "array", "table", "component"
  Value fallback;    ///< default; null when required or "unset"
  bool required = false;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;
  std::string unit;
  bool must_exist = false;             ///< of "path": a file or folder that has to be there
  std::string component_kind;          ///< of "component", and of arrays of them
  std::shared_ptr<FieldInfo> element;  ///< of "array"
  std::int64_t length = -1;            ///< of "array": fixed length, or -1
  std::vector<FieldInfo> members;      ///< of "table"
  std::string shared_kind;             ///< of "table": the kind of the component that shares it, or ""
};

/// Told of every component that a file names, so that the host can check it against that component's schema.
class NEPHRON_API ComponentVisitor {
 public:
  virtual ~ComponentVisitor();
  /// `own`: fields of the table that its holder reads itself, such as the weight of a loss term.
  virtual void component(std::string_view kind, const ComponentSpec& spec, const Source& type_source,
                         const std::vector<FieldInfo>& own, Diagnostics& faults) = 0;
};

/// What decoding needs besides the value.
struct DecodeContext {
  Diagnostics& faults;
  ComponentVisitor* visitor = nullptr;
  /// Keys of the table that somebody else reads: known to "did you mean".
  const std::vector<FieldInfo>* others = nullptr;
};

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
struct Codec;

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

/// Decodes, checks and tells a parameter struct without knowing its type. Made by schema_of<T>().
class NEPHRON_API SchemaBase {
 public:
  virtual ~SchemaBase();
  virtual const std::vector<FieldInfo>& fields() const noexcept = 0;
  /// The kind of the component that shares the table with these fields (Schema::component), or "".
  virtual const std::string& shared_kind() const noexcept = 0;
  /// Adds a fault for everything that is wrong with `table`; true when nothing is.
  virtual bool check(const Value& table, DecodeContext& context) const = 0;
  /// `table` decoded and written out again, defaults included. Adds faults as check() does; the result is only good
  /// when there are none, and then normalised(normalised(x)) equals normalised(x).
  virtual Value normalised(const Value& table, DecodeContext& context) const = 0;
};

/// The parameters of T, declared once: decoding, validation, `describe`, the JSON schema and the docs come from it.
///
///   struct FocalParams {
///     double gamma = 2.0;
///     static void describe(nephron::Schema<FocalParams>& s) {
///       s.field("gamma", &FocalParams::gamma, "focusing exponent").range(0, 10);
///     }
///   };
///
/// A member may be a bool, integer, floating point number, string, std::filesystem::path, ComponentSpec, a struct with
/// its own describe(), or std::optional, std::vector or std::array of those. Its initial value is the default.
/// A member function `void validate() const` may throw Error for what concerns several members.
template <class T>
class Schema final : public SchemaBase {
 public:
  class Field {
   public:
    Field(Schema& s, std::size_t i) : schema_(s), index_(i) {}
    /// Both ends included; of arrays: of each element.
    Field& range(double low, double high) {
      return edit([&](FieldInfo& f) { f.low = low, f.high = high; });
    }
    Field& at_least(double low) {
      return edit([&](FieldInfo& f) { f.low = low; });
    }
    Field& choices(std::vector<std::string> names) {
      return edit([&](FieldInfo& f) { f.choices = std::move(names); });
    }
    Field& unit(std::string u) {
      return edit([&](FieldInfo& f) { f.unit = std::move(u); });
    }
    Field& required() {
      return edit([&](FieldInfo& f) { f.required = true, f.fallback = Value(); });
    }
    /// For paths: what is named has to be there when the experiment is checked. An empty path names nothing.
    Field& must_exist() {
      return edit([](FieldInfo& f) { f.must_exist = true; });
    }
    /// For ComponentSpec and arrays of it: the kind that is named.
    Field& of_kind(std::string_view kind) {
      return edit([&](FieldInfo& f) { f.component_kind = kind; });
    }

   private:
    template <class F>
    Field& edit(F change) {
      change(schema_.fields_[index_]);
      schema_.slots_[index_]->tell(schema_.fields_[index_]);
      return *this;
    }
    Schema& schema_;
    std::size_t index_;
  };

  Schema() { T::describe(*this); }

  template <class M>
  Field field(std::string name, M T::*member, std::string doc) {
    FieldInfo info;
    info.name = std::move(name);
    info.doc = std::move(doc);
    auto slot = std::make_unique<SlotOf<M>>(member);
    slot->tell(info);
    info.fallback = slot->get(T{});
    fields_.push_back(std::move(info));
    slots_.push_back(std::move(slot));
    return Field(*this, fields_.size() - 1);
  }

  /// The table also names a component: `type` and every key that is not one of these fields belong to it.
  void component(ComponentSpec T::*member, std::string kind) {
    spec_ = member;
    shared_kind_ = std::move(kind);
  }

  const std::vector<FieldInfo>& fields() const noexcept override { return fields_; }
  const std::string& shared_kind() const noexcept override { return shared_kind_; }

  /// A T from a table; what is missing keeps its default. Adds faults; the result is only good when there are none.
  T decode(const Value& table, DecodeContext& context) const {
    T out{};
    const std::size_t before = context.faults.size();
    if (!table.is(Value::Type::null) && !table.is(Value::Type::table)) {
      detail::wrong_type(context, table, "", "a table");
      return out;
    }
    if (spec_ != nullptr) detail::decode_component(table, out.*spec_, shared_kind_, fields_, context);
    else detail::unknown_keys(context, table, fields_);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Value* v = table.find(fields_[i].name);
      if (v != nullptr && !v->is(Value::Type::null)) slots_[i]->set(out, *v, fields_[i], context);
      else if (fields_[i].required) detail::missing(context, table, fields_[i]);
    }
    if constexpr (requires { out.validate(); }) {
      if (context.faults.size() == before) validate(out, table, context);
    }
    return out;
  }

  bool check(const Value& table, DecodeContext& context) const override {
    const std::size_t before = context.faults.size();
    decode(table, context);
    return context.faults.size() == before;
  }

  Value normalised(const Value& table, DecodeContext& context) const override { return encode(decode(table, context)); }

  /// The whole struct as a table, defaults included.
  Value encode(const T& params) const {
    Value out = spec_ != nullptr ? detail::encode_component(params.*spec_) : Value(Value::Table{});
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      Value v = slots_[i]->get(params);
      if (!v.is(Value::Type::null)) out.set(fields_[i].name, std::move(v));
    }
    return out;
  }

 private:
  struct Slot {
    virtual ~Slot() = default;
    virtual void tell(FieldInfo& f) const = 0;
    virtual Value get(const T& object) const = 0;
    virtual void set(T& object, const Value& v, const FieldInfo& f, DecodeContext& c) const = 0;
  };
  template <class M>
  struct SlotOf final : Slot {
    explicit SlotOf(M T::*m) : member(m) {}
    void tell(FieldInfo& f) const override { detail::Codec<M>::tell(f); }
    Value get(const T& object) const override { return detail::Codec<M>::encode(object.*member); }
    void set(T& object, const Value& v, const FieldInfo& f, DecodeContext& c) const override {
      detail::Codec<M>::decode(v, object.*member, f, c);
    }
    M T::*member;
  };

  static void validate(const T& out, const Value& table, DecodeContext& context) {
    try {
      out.validate();
    } catch (const std::exception& e) {
      detail::fault(context, table, e.what());
    }
  }

  std::vector<FieldInfo> fields_;
  std::vector<std::unique_ptr<Slot>> slots_;
  ComponentSpec T::*spec_ = nullptr;
  std::string shared_kind_;
};

/// The one schema of a parameter struct.
template <class T>
const Schema<T>& schema_of() {
  static const Schema<T> schema;
  return schema;
}

namespace detail {
template <Described T>
struct Codec<T> {
  static void tell(FieldInfo& f) {
    f.type = "table";
    f.members = schema_of<T>().fields();
    f.shared_kind = schema_of<T>().shared_kind();
  }
  static Value encode(const T& v) { return schema_of<T>().encode(v); }
  static bool decode(const Value& v, T& out, const FieldInfo& f, DecodeContext& c) {
    if (!v.is(Value::Type::table)) return wrong_type(c, v, f.name, "a table"), false;
    const std::size_t before = c.faults.size();
    out = schema_of<T>().decode(v, c);
    return c.faults.size() == before;
  }
};
}  // namespace detail

/// For a component without parameters.
struct NoParams {
  static void describe(Schema<NoParams>&) {}
};

}  // namespace nephron
