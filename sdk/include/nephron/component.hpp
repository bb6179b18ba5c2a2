#pragma once

#include <string_view>

#include <nephron/export.hpp>

namespace nephron {

/// Base of everything a plugin provides. One instance belongs to the host, which destroys it before it exits.
///
/// What a later SDK can do more is a small interface of its own that a component inherits besides; the host
/// asks for it with dynamic_cast. Interfaces are never changed after a release.
class NEPHRON_API Component {
 public:
  Component();
  virtual ~Component();
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
};

}  // namespace nephron
