#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nephron/image.hpp>
#include <nephron/slide_colours.hpp>

#include <host/config/experiment.hpp>
#include <host/data/prepared.hpp>
#include <host/feed/augmenter.hpp>
#include <host/feed/plan.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// What becomes of each colour. Const calls are thread-safe.
class ColourMap {
 public:
  /// Of steps that change colours alone.
  explicit ColourMap(RecordedPlan plan);
  ~ColourMap();
  ColourMap(const ColourMap&) = delete;
  ColourMap& operator=(const ColourMap&) = delete;
  /// Of RGB bytes, in place.
  void run(const ImageView& picture) const;

 private:
  struct Program;
  std::unique_ptr<const Program> program_;
};

/// What a slide is to those that look for its colours.
struct ColouredSlide {
  std::string id, group;
  double mpp = 0;                         ///< of its pixels, at the level that is looked at; 0: not known
  const SlideColours* colours = nullptr;  ///< null: it has too little tissue to be measured
  std::string dataset{};                  ///< name of it; empty: it is of none
};

/// What the experiment's "normalise" makes of slides, wherever they are looked at: in training, in validation, in a
/// prediction. Each slide has one map of its colours, made of its own (SlideColours) by components that draw nothing.
class Normalisation {
 public:
  Normalisation(const AugmentationConfig& link, const Registry& registry, std::uint64_t seed);
  /// Null where the experiment asks for none.
  static std::shared_ptr<const Normalisation> of(const Experiment& experiment, const Registry& registry);

  /// Null where the slide stays as it is, which is warned of. Throws Error where a component does more than change
  /// colours, or draws what it does.
  std::shared_ptr<const ColourMap> map_of(const ColouredSlide& slide) const;

 private:
  RecordedPlan draw(const ColouredSlide& slide, std::uint64_t index) const;

  Augmenter augmenter_;
  std::string names_;
};

/// The slides as the experiment's "normalise" has them: all that is read of them is normalised, and their colours are
/// those that they have then. `data` as it is where the experiment asks for none.
PreparedData normalised(PreparedData data, const Experiment& experiment, const Registry& registry);

}  // namespace nephron::host
