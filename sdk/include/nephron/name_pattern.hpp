#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nephron/export.hpp>

namespace nephron {

/// A regular expression on names whose first bracket is wanted: `donor = "^(\\w+)_"`.
class NEPHRON_API NamePattern {
 public:
  /// `key`: the parameter, for errors. Throws Error for what is no regular expression or has no brackets; an empty
  /// pattern finds nothing.
  NamePattern(const std::string& pattern, std::string_view key);
  /// What the first bracket holds; empty when the pattern is not found.
  std::string of(const std::string& name) const;

 private:
  struct Data;  // its layout is that of the C++ library
  std::shared_ptr<const Data> data_;
};

}  // namespace nephron
