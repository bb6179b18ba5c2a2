#pragma once

#include <cstdint>
#include <functional>

#include <nephron/image.hpp>

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>
#include <host/store/tissue.hpp>

namespace nephron::host {

/// Where a picture is nothing but glass, by Otsu's threshold on the saturation of a small copy of it: the one rule by
/// which `predict`, `validate` and the validation of a training leave tiles out. A tile is glass when neither it nor
/// what lies within one block of it (a pixel of the small copy) holds tissue, so that every probability of tissue is as
/// if all tiles were predicted. Of a picture without any tissue, such as one of fluorescence, nothing is known: none of
/// its tiles is glass.
///
/// What the small copy is made of differs where it must. Of prepared slides, and of pictures that `predict` holds, it
/// is of means over blocks of the level that the network works on. Of a larger slide `predict` has no such level before
/// it predicts: it takes the slide's own reductions, so that nothing is read twice; blocks there are up to twice as
/// wide or half as wide, and a tile whose tissue is near Otsu's threshold may be judged otherwise.
class Glass {
 public:
  Glass() = default;  ///< no tile is
  /// `small`: the whole picture at any size. `level`: the size that tiles are cut at.
  Glass(const ImageView& small, Size level);
  /// Of a level whose tissue is known.
  Glass(const Tissue& tissue, Size level);
  /// The slide outlives it.
  explicit Glass(const PreparedSlide& slide);

  bool only(const Region& tile) const;
  /// Some tiles may be.
  bool known() const noexcept { return tissue_in_ != nullptr; }

 private:
  Glass(const Tissue& tissue, Size small, Size level);

  Size small_, level_;
  std::int64_t block_ = 1;                                  ///< of the small copy, in pixels of `small_`
  std::function<std::int64_t(const Region&)> tissue_in_{};  ///< pixels of `small_`; none: nothing is known
};

/// Of a slide of many tiles (many_tiles.hpp), as the experiment cuts it; of others nothing is known.
Glass glass_of(const PreparedSlide& slide, const Experiment& experiment);

}  // namespace nephron::host
