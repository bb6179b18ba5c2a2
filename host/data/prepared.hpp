#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nephron/dataset.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/sampler.hpp>
#include <nephron/slide_colours.hpp>

#include <host/config/experiment.hpp>
#include <host/data/splits.hpp>
#include <host/plugins/registry.hpp>
#include <host/store/reduction.hpp>

namespace nephron::host {

/// What a slide is to whoever compares runs: equal digests mean equal sizes and pixels, whether slides are held in
/// memory or in a store. SHA-256, 64 hexadecimal digits.
struct Digests {
  std::string picture;  ///< at the experiment's reduction; empty: not known
  std::string labels;   ///< bits and probabilities; empty: not annotated, or not known
};

/// A slide at the experiment's factor, ready to be cut: held in memory, or mapped from the store. Const calls are
/// thread-safe.
class PreparedSlide {
 public:
  virtual ~PreparedSlide() = default;
  virtual const SlideInfo& info() const noexcept = 0;
  virtual std::size_t dataset() const noexcept = 0;  ///< index in Experiment::datasets
  virtual Size size() const noexcept = 0;            ///< at the factor
  virtual bool annotated() const noexcept = 0;
  /// Copies a region; what lies outside the slide is white (image) and 0 (labels), or ignored where the experiment says
  /// so. labels may be empty; otherwise they have label_depth(), or are wider.
  virtual void read(const Region& region, const ImageView& image, const ImageView& labels) const = 0;
  virtual bool any_label(const Region& region, std::uint32_t classes) const = 0;
  /// As Catalog::pixel().
  virtual std::optional<Pixel> pixel(std::size_t class_index, Rng& rng) const = 0;
  /// As Catalog::count().
  virtual std::int64_t count(const Region& region, std::uint32_t classes) const = 0;
  /// As Catalog::tissue().
  virtual std::int64_t tissue(const Region& region) const = 0;
  /// As Catalog::objects().
  virtual const std::vector<Region>& objects(std::size_t class_index) const = 0;
  /// From level 0 to size().
  virtual Reduction reduction() const noexcept { return 1; }
  /// What is known of the pixels without reading them.
  virtual Digests digests() const { return {}; }
  /// What is known of the tissue's colours: measured at the first question where no record has them. Null where there
  /// is too little tissue.
  virtual const SlideColours* colours() const { return nullptr; }
  /// The file whose pages were gone when a reader who bears it read them (LossBearable): what this slide gives is
  /// nothing any more. Empty: none.
  virtual std::string lost_file() const { return {}; }
  virtual const CatalogSlide& catalog() const noexcept = 0;
  virtual const std::vector<ChannelRule>& targets() const noexcept = 0;
  /// Classes whose annotation is a probability map, as a bit set; their bit is set where it exceeds one half.
  virtual std::uint32_t soft_classes() const noexcept { return 0; }
  /// Pixels that are ignored, by the annotation: they have the bit after the last class, and no other.
  virtual std::int64_t ignored() const noexcept { return 0; }
  /// True when read() may give ignored pixels.
  virtual bool ignores() const noexcept { return ignored() > 0; }
  /// That has a bit for each class, and one for what is ignored.
  Depth label_depth() const noexcept {
    return nephron::label_depth(static_cast<int>(catalog().foreground.size()) + (ignores() ? 1 : 0));
  }
  /// Probability 0..255 of one of soft_classes(); 0 outside the slide.
  virtual void read_soft(int class_index, const Region& region, const ImageView& map) const;
};

struct PreparedData {
  std::vector<std::shared_ptr<const PreparedSlide>> slides;
  std::vector<int> folds;                          ///< of each slide: the one that it is held out in; -1: none
  std::vector<std::shared_ptr<Dataset>> datasets;  ///< kept alive
  std::vector<std::string> problems;               ///< slides that could not be read, and why
  std::size_t asked = 0;                           ///< slides that the datasets list
};

/// Opens, reduces (INTER_AREA, labels INTER_NEAREST) and rasterises every slide of the listing, in parallel. With
/// data.store, slides are mapped from there; what is missing or stale is prepared first. `splits`: as splits_of() gives
/// them; of none, no slide is held out.
/// A slide that cannot be read is named in `problems` and the rest go on; when more than the share `most_lost` cannot,
/// or none is left, warns of all and throws Error. Throws ConfigError for what a dataset's parameters ask for in vain,
/// Cancelled after Ctrl-C.
PreparedData prepare(const Listing& listing, const Splits& splits, double most_lost);
/// Lists and deals folds first; data.most_lost says how many may be lost.
PreparedData prepare(const Experiment& experiment, const Registry& registry);

/// A warning for each of `problems`.
void warn_of_problems(const PreparedData& data);
/// What is said again when work is done: how many slides were asked for and used, and which were lost. Empty: none.
std::string text_of_lost(const PreparedData& data);
void warn_of_lost(const PreparedData& data);

}  // namespace nephron::host
