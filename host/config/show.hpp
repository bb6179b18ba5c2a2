#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nephron/value.hpp>

#include <host/config/components.hpp>

namespace nephron::host {

/// The resolved experiment with every default filled in, those of components included; what was not written has no
/// source file.
Value with_defaults(Value resolved, const Components& components);

/// Parameters of a component as one text: with every default, in the order of the keys' names. Equal for whatever means
/// the same, written out or not.
std::string params_key(std::string_view kind, const ComponentSpec& component, const Components& components);

/// As an experiment file that reads back equal; `origins` adds a comment to each key: where its value was written.
std::string to_toml(const Value& table, bool origins = false);
std::string to_json(const Value& table);
/// {"values": {...}, "origins": {"train.lr": "base.toml:3:1", ...}}
std::string to_json_with_origins(const Value& table);

/// "base.toml:3:6", "--set train.lr=1", "default".
std::string origin(const Value& value);

/// One leaf: its key in full ("dataset.0.share") and its value.
struct Leaf {
  std::string key;
  const Value* value;
};
std::vector<Leaf> leaves(const Value& table);

/// A key in which two tables differ; null where a table has no such key.
struct Difference {
  std::string key;
  const Value* before;
  const Value* after;
};
/// Keys of `a` in their order, then those of `b` alone. The tables outlive it.
std::vector<Difference> differences(const Value& a, const Value& b);

/// Without what nobody wrote: values without a source, and tables that nothing is left of.
Value without_defaults(Value table);

/// What differs, a line a key: "  train.lr: 0.001 (a.toml:3:6) -> 0.01 (b.toml:2:6)"; empty when nothing does.
std::string difference(const Value& a, const Value& b);

}  // namespace nephron::host
