#pragma once

#include <memory>

#include <nephron/room.hpp>

// What a later SDK would have in its library.
namespace nephron::later {

struct Fields final : Room::Later {
  explicit Fields(double v) : value(v) {}
  std::unique_ptr<Room::Later> clone() const override { return std::make_unique<Fields>(value); }
  double value;
};

inline constexpr double fallback = -1;  ///< of the later field, in what plugins of today make

inline double value_in(const Room& room) {
  const auto* fields = dynamic_cast<const Fields*>(room.later());
  return fields == nullptr ? fallback : fields->value;
}

/// A side interface that no component of today has, and that the host's own objects have besides.
class Side {
 public:
  virtual ~Side() = default;
  virtual double more() const = 0;
};

}  // namespace nephron::later

#define NEPHRON_LATER_FIELD                                                                                            \
  double later() const { return ::nephron::later::value_in(room); }                                                    \
  void set_later(double v) { room.keep(std::make_unique<::nephron::later::Fields>(v)); }
