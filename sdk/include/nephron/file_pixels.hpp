#pragma once

#include <nephron/export.hpp>

namespace nephron {

/// A SlideReader is this too when its pixels are those of SlideInfo::source, whatever the parameters of its dataset: a
/// prepared picture is then kept and shared when parameters change. Slides that the host opened (Context::slides())
/// need not say it; of all others it is taken that any parameter may change pixels.
class NEPHRON_API FilePixels {
 public:
  virtual ~FilePixels();
};

}  // namespace nephron
