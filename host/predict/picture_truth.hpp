#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/label_pixels.hpp>

#include <host/labels/painter.hpp>
#include <host/predict/truth.hpp>
#include <host/store/digest.hpp>
#include <host/store/reduction.hpp>

namespace nephron::host {

/// The true masks of one picture, which are asked for in rows, at its own size and reduced by nearest neighbour. Const
/// calls are thread-safe.
class PictureTruth {
 public:
  virtual ~PictureTruth() = default;
  virtual std::size_t classes() const noexcept = 0;
  /// True when pixels may be ignored.
  virtual bool ignores() const noexcept = 0;
  /// True when other programs would not read it from the user's files alike, so that it is written out.
  virtual bool coded() const noexcept = 0;
  /// Rows [y, y + height) of the picture reduced by `reduction`.
  virtual TruthFolder::Masks rows(Reduction reduction, std::int64_t y, std::int64_t height) const = 0;
  /// Whether it says anything of a class, each. Of the others no figure is defined.
  virtual std::vector<bool> known() const = 0;
  Size size() const noexcept { return size_; }

 protected:
  explicit PictureTruth(Size size) : size_(size) {}
  Size size_;  ///< of the picture
};

/// The digest of true masks that are shown from top to bottom at their own size: of all classes, in their order, and of
/// what is ignored, where something may be.
class TruthDigest {
 public:
  explicit TruthDigest(const PictureTruth& truth);
  void add(const TruthFolder::Masks& rows);
  std::string hex();

 private:
  std::vector<Sha256> masks_;
};

/// Of masks that are held; null where there are none.
std::shared_ptr<const PictureTruth> held_truth(TruthFolder::Masks masks, Reduction reduction);

/// Of a slide's annotation, painted as it is asked for. `rules`: how labels become classes, one a class.
std::shared_ptr<const PictureTruth> painted_truth(std::shared_ptr<const LabelPainter> painter,
                                                  std::vector<ChannelRule> rules);

}  // namespace nephron::host
