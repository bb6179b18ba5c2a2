#pragma once

#include <host/data/tissue_index.hpp>
#include <host/store/tissue.hpp>

namespace nephron::host {

/// Where a picture is nothing but glass, by Otsu's threshold on the saturation of a small copy of it. A tile that holds
/// a pixel of tissue is never glass, so that every probability of tissue is as if all tiles were predicted.
class Glass {
 public:
  Glass() = default;
  /// `small`: the whole picture at any size. `level`: the size that tiles are cut at.
  Glass(const ImageView& small, Size level);
  /// True of a tile without tissue. Of a picture without any, such as one of fluorescence, nothing is known: false.
  bool only(const Region& tile) const;

 private:
  Size small_, level_;
  TissueIndex tissue_;
  bool known_ = false;
};

}  // namespace nephron::host
