#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace nephron::host {

/// What is known of a run under one key. Truths are the texts "true" and "false"; a list is its TOML text.
using FactValue = std::variant<std::int64_t, double, std::string>;

struct Fact {
  std::string key;
  FactValue value;
  bool operator==(const Fact&) const = default;
};
using Facts = std::vector<Fact>;

/// In full: a number is read back as the same number.
std::string text_of(const FactValue& value);
/// Nothing for a text.
std::optional<double> number_of(const FactValue& value);

/// The text of the key "tag" holds all tags of a run, each between these.
inline constexpr char tag_separator = '\n';

}  // namespace nephron::host
