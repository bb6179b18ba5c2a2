#pragma once

#include <initializer_list>
#include <string>

#include <host/config/checks.hpp>

namespace nephron::host {

/// Keys as they are written, for checks that concern several at once: where they stand, and whether what was decoded of
/// them is what was meant.
class WrittenKeys {
 public:
  WrittenKeys(const Value& written, Diagnostics& faults) : written_(written), known_(faults), faults_(faults) {}

 protected:
  /// The value at this path, or null.
  const Value* find(std::initializer_list<const char*> path) const {
    const Value* v = &written_;
    for (const char* key : path)
      if ((v = v->find(key)) == nullptr) return nullptr;
    return v;
  }
  /// Nothing that is known to be wrong stands there, so that what was decoded is what was meant.
  bool clean(std::initializer_list<const char*> path) const {
    const Value* v = find(path);
    return v == nullptr || !holds_fault(*v, known_);
  }

  /// The value at this path, or the nearest table above it that is written.
  const Value& at(std::initializer_list<const char*> path) const {
    const Value* v = &written_;
    for (const char* key : path) {
      const Value* below = v->find(key);
      if (below == nullptr) break;
      v = below;
    }
    return *v;
  }

  void fault(const Value& where, std::string message, std::string hint = {}) {
    faults_.push_back({where.source, std::move(message), std::move(hint)});
  }

  const Value& written_;
  const Diagnostics known_;  ///< when the checks began
  Diagnostics& faults_;
};

}  // namespace nephron::host
