#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/export.hpp>

namespace nephron {

/// What a Measurement may be as well: it tells as numbers all that it knows, so that a slide that was measured before a
/// command was interrupted needs not be predicted again, and slides that several processes measure can be added up. A
/// Measurement inherits it besides; the host asks for it with dynamic_cast. Without it such slides are measured anew.
class NEPHRON_API KeptMeasurement {
 public:
  virtual ~KeptMeasurement();
  /// After its last call of rows() and objects(). What is undefined is no number (NaN) here too.
  virtual std::vector<double> kept() const = 0;
  /// Of a measurement that begin() made and that was shown nothing: it is from then on what told these numbers, to the
  /// last bit of its values. Throws Error for numbers that it never tells.
  virtual void restore(std::span<const double> kept) = 0;
};

/// Reads such numbers in their order.
class KeptNumbers {
 public:
  explicit KeptNumbers(std::span<const double> numbers) : left_(numbers) {}

  double next() {
    if (left_.empty()) throw Error("a measurement was kept with fewer numbers than it has");
    const double out = left_.front();
    left_ = left_.subspan(1);
    return out;
  }
  /// A count: whole, from 0 to 2^53.
  std::int64_t count() {
    const double n = next();
    if (!(n >= 0 && n <= 9007199254740992.0) || n != static_cast<double>(static_cast<std::int64_t>(n)))
      throw Error("a measurement was kept with " + std::to_string(n) + " where it has a count");
    return static_cast<std::int64_t>(n);
  }
  std::size_t left() const noexcept { return left_.size(); }
  /// All were read.
  void finish() const {
    if (!left_.empty()) throw Error("a measurement was kept with more numbers than it has");
  }

 private:
  std::span<const double> left_;
};

}  // namespace nephron
