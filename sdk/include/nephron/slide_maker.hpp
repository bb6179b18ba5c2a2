#pragma once

#include <cstdint>

#include <nephron/export.hpp>
#include <nephron/geometry.hpp>
#include <nephron/room.hpp>
#include <nephron/value.hpp>

namespace nephron {

/// What a dataset may be besides: one that makes its slides up, as many and as large as are wanted, and annotates them
/// with polygons. `nephron synth` writes them as files. A Dataset without required parameters inherits it besides; the
/// host asks for it with dynamic_cast. Const calls are thread-safe.
class NEPHRON_API SlideMaker {
 public:
  struct Request {
    int slides = 4;
    Size size{1024, 1024};
    int donors = 2;
    std::uint64_t seed = 1;  ///< another seed, other slides
    Room room{};
  };
  virtual ~SlideMaker();
  /// Parameters with which this dataset lists such slides, the others as they are by default.
  virtual Value params_for(const Request& request) const = 0;
};

}  // namespace nephron
