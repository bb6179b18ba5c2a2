#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <host/data/prepared.hpp>
#include <host/tiling/glass.hpp>
#include <host/tiling/tiling.hpp>
#include <host/train/validation.hpp>

namespace nephron::host {

/// Slides that a fold holds out, cut as `nephron predict` cuts them. Of slides of many tiles (many_tiles.hpp), those
/// that are glass (glass.hpp) and hold no label are left out: no class is predicted there. Labels are looked at here
/// alone: weights are not chosen by what the tissue's colours hide of a label, which is no fault of a network's.
class HeldOutSlides {
 public:
  /// `multiple`: of the network. Throws Error where the tile does not suit it.
  HeldOutSlides(const Experiment& experiment, std::vector<std::shared_ptr<const PreparedSlide>> slides,
                std::int64_t multiple);

  bool empty() const noexcept { return slides_.empty(); }
  const std::vector<std::shared_ptr<const PreparedSlide>>& slides() const noexcept { return slides_; }
  /// Whether the network is asked about a tile of a slide.
  bool wanted(std::size_t slide, const Region& tile) const;
  /// Whether some slide's annotation says anything of a class.
  bool tells_of(std::size_t of_class) const;
  std::int64_t tiles() const noexcept { return tiles_; }  ///< that it is asked about, of all slides
  std::int64_t tiles(const std::vector<std::size_t>& of) const;
  /// The slides that each of so many ranks predicts, so that their tiles come out even.
  std::vector<std::vector<std::size_t>> dealt(int ranks) const;
  /// "3 whole slides, 120 of 300 tiles: ...", for people.
  std::string text() const;

 private:
  std::vector<std::shared_ptr<const PreparedSlide>> slides_;
  std::vector<Glass> glass_;  ///< by slide
  std::vector<std::int64_t> tiles_of_;
  std::uint32_t classes_;  ///< as bits
  std::int64_t tiles_ = 0, all_tiles_ = 0;
};

/// Predicts whole slides as `nephron predict` does, in the training's precision and without test-time augmentation. The
/// Dice is of the pixels of all slides together, at the level that the network works on, above one half or, of
/// exclusive classes, of what is likeliest; it equals that of a prediction but for pixels whose probability lies within
/// rounding of the other answer. Loss and tile_dice are of the tiles. Each rank predicts some of the slides. `title`:
/// of the progress line. Throws Cancelled after Ctrl-C, on all ranks where it was one's.
Validation validate_slides(const ValidationParts& parts, const HeldOutSlides& slides, const std::string& title);

}  // namespace nephron::host
