#pragma once

#include <string>
#include <vector>

#include <nephron/schema.hpp>
#include <nephron/value.hpp>

namespace nephron::host {

/// One `--set` of `plugins check`.
struct Override {
  std::string text;       ///< as it was given
  std::string component;  ///< the one that it is for; empty: every one that has such a parameter
  std::string key;
  std::string value;
};

/// "root=pictures" or "my-dataset.root=pictures"; a parameter's name has no dot. Throws UsageError for anything else.
Override read_override(const std::string& text);

/// The parameters that these set. What is no TOML value is taken as a string, so that paths need no quotes.
Value parameters_of(const std::vector<Override>& overrides);

/// What a schema says of one override.
struct OverrideFault {
  std::string text;  ///< of the override, or of all of them where they do not fit each other
  bool unknown = false;
  std::string message;
  std::string hint;
};

/// What is wrong with the overrides, and not with the component: a parameter that it has not, a value that it does not
/// take. Parameters that are missing are no fault.
std::vector<OverrideFault> faults_of(const std::vector<Override>& overrides, const SchemaBase& schema);

}  // namespace nephron::host
