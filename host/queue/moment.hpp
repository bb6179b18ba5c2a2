#pragma once

#include <string>

namespace nephron::host {

/// A point of time that records hold. The wall clock may be set back or forth, so that times of the same boot are
/// compared by the clock that runs since then.
struct Moment {
  double wall = 0;      ///< seconds since 1970
  double boot = 0;      ///< since the machine started, its sleep included
  std::string boot_id;  ///< of that start

  static Moment now();
};

/// From `a` to `b`; never less than 0. Of different boots the wall clock has to do.
double seconds_between(const Moment& a, const Moment& b);

/// "14:05", or with the day where that is another one.
std::string clock_text(double wall);

}  // namespace nephron::host
