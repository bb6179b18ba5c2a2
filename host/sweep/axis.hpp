#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nephron/value.hpp>

namespace nephron::host {

/// A key of the experiment, part by part, with the places where the parts were written.
struct KeyPath {
  struct Part {
    std::string name;
    Source source;
  };
  std::vector<Part> parts;
  /// "train.optimizer.lr"; a part that holds a dot stands in quotes, as --set takes it.
  std::string text() const;
};

/// One key of [sweep.vary] and what it may be.
struct Axis {
  enum class Kind { choice, uniform, log, integer, log_integer };
  KeyPath key;
  Kind kind = Kind::choice;
  double low = 0, high = 0;
  std::int64_t count = 0;      ///< so many values at equal distances (of the logarithm); 0: any between them
  std::vector<Value> choices;  ///< of Kind::choice
  Source source;
  bool logarithmic() const noexcept { return kind == Kind::log || kind == Kind::log_integer; }
};

/// [sweep.vary]. Faults are added.
std::vector<Axis> read_axes(const Value& vary, Diagnostics& faults);

/// The value of a trial: a function of (seed, trial) and the axis alone.
Value draw(const Axis& axis, std::uint64_t seed, std::uint64_t trial);

/// How many values a grid takes of it; 0: it has no end of them.
std::int64_t size_of(const Axis& axis);
/// The value at a place of a grid.
Value point(const Axis& axis, std::int64_t place);

}  // namespace nephron::host
