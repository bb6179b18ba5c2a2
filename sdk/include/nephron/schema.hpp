#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nephron/codec.hpp>
#include <nephron/export.hpp>
#include <nephron/field_info.hpp>
#include <nephron/value.hpp>

namespace nephron {

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
/// A member function `void validate() const` may throw Error for what concerns several members; it is asked when every
/// member could be read.
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
    // A key too many leaves every member as it should be: what validate() has to say still holds beside it.
    const std::size_t sound = spec_ != nullptr ? before : context.faults.size();
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Value* v = table.find(fields_[i].name);
      if (v != nullptr && !v->is(Value::Type::null)) slots_[i]->set(out, *v, fields_[i], context);
      else if (fields_[i].required) detail::missing(context, table, fields_[i]);
    }
    if constexpr (requires { out.validate(); }) {
      if (context.faults.size() == sound) validate(out, table, context);
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
