#include <host/train/slide_validation.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/device/pixels.hpp>
#include <host/feed/targets.hpp>
#include <host/metrics/dice.hpp>
#include <host/model/exclusive.hpp>
#include <host/tiling/most_likely.hpp>
#include <host/tiling/prepared_source.hpp>
#include <host/tiling/tiled.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

constexpr std::uint8_t one_half = 127;  // the highest target that is none

/// The network that is trained, on tiles of one slide; what it says of each goes into a tally too.
class ValidatedNetwork final : public PixelModel {
 public:
  ValidatedNetwork(const ValidationParts& parts, const PreparedSlide& slide, TileTally& tally)
      : parts_(parts), slide_(slide), tally_(tally) {}
  int classes() const noexcept override { return static_cast<int>(parts_.experiment.classes.size()); }
  std::int64_t multiple() const noexcept override { return parts_.model.multiple(); }

  void run(const TileBatch& tiles, float* out) override {
    const BatchTensors batch = tensors_of(tiles);
    const at::Tensor logits = parts_.logits_of(batch.images);
    tally_.add(logits, batch, parts_.objective(logits, batch, parts_.place).total);
    at::from_blob(out, logits.sizes(), at::TensorOptions().dtype(c10::kFloat))
        .copy_(probabilities(logits, parts_.objective.exclusive()));
  }

 private:
  BatchTensors tensors_of(const TileBatch& tiles) {
    const std::int64_t n = tiles.count, h = tiles.size.height, w = tiles.size.width, c = classes();
    const auto bytes = [](std::uint8_t* from, at::IntArrayRef sizes) {
      return at::from_blob(from, sizes, at::TensorOptions().dtype(c10::kByte));
    };
    const auto pixels = static_cast<std::size_t>(h * w);
    targets_.resize(static_cast<std::size_t>(n * c) * pixels);
    ignored_.resize(static_cast<std::size_t>(n) * pixels);
    weights_.resize(static_cast<std::size_t>(n * c));
    bool ignoring = false;
    for (std::size_t i = 0; i < tiles.places.size(); ++i) ignoring |= read_targets(tiles.places[i], i);
    BatchTensors batch;
    batch.images =
        normalised(bytes(const_cast<std::uint8_t*>(tiles.images), {n, h, w, 3}).to(parts_.device), parts_.normalise());
    if (!parts_.experiment.train.channels_last) batch.images = batch.images.contiguous();
    batch.targets = unit_floats(bytes(targets_.data(), {n, c, h, w}).to(parts_.device));
    batch.known_weights = at::from_blob(weights_.data(), {n, c}, at::TensorOptions().dtype(c10::kFloat)).clone();
    batch.weights = batch.known_weights.to(parts_.device);
    if (ignoring)
      batch.pixel_weights = (bytes(ignored_.data(), {n, 1, h, w}).to(parts_.device) == 0)
                                .to(c10::kFloat)
                                .expand({n, c, h, w})
                                .contiguous();
    return batch;
  }

  /// Of tile `i` of a batch; true where pixels are ignored, as are those of the reflection beyond the slide.
  bool read_targets(const Region& place, std::size_t i) {
    region_.read(slide_, place);
    std::copy(region_.targets().begin(), region_.targets().end(), targets_.begin() + offset(i, region_.targets()));
    std::copy(region_.weights().begin(), region_.weights().end(), weights_.begin() + offset(i, region_.weights()));
    const auto ignored = ignored_.begin() + offset(i, region_.ignored());
    std::copy(region_.ignored().begin(), region_.ignored().end(), ignored);
    const Size slide = slide_.size();
    const Region inside = place.clipped({0, 0, slide.width, slide.height});
    if (inside == place) return region_.ignoring();
    for (std::int64_t y = 0; y < place.height; ++y)
      std::fill(ignored + y * place.width + (y < inside.height ? inside.width : 0), ignored + (y + 1) * place.width, 1);
    return true;
  }
  template <class T>
  static std::ptrdiff_t offset(std::size_t i, std::span<const T> of_each) {
    return static_cast<std::ptrdiff_t>(i * of_each.size());
  }

  const ValidationParts& parts_;
  const PreparedSlide& slide_;
  TileTally& tally_;
  RegionTargets region_;
  std::vector<std::uint8_t> targets_, ignored_;
  std::vector<float> weights_;
};

/// Counts what is predicted and what is true, a class each, as the bands come.
class OverlapSink final : public ProbabilitySink {
 public:
  OverlapSink(const PreparedSlide& slide, bool exclusive, std::vector<Overlap>& sums)
      : slide_(slide), exclusive_(exclusive), sums_(sums) {}
  void begin(Size, int) override {}
  void rows(std::int64_t y, std::span<const ImageView> classes) override {
    const Size size = classes[0].size();
    targets_.read(slide_, {0, y, size.width, size.height});
    const auto map_of = [&](std::size_t c) {
      Image out(size, 1, Depth::f32);
      copy(classes[c], out.view());
      return out;
    };
    const MostLikely likeliest = exclusive_ ? MostLikely(classes.size(), size, map_of) : MostLikely();
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (targets_.weights()[c] <= 0) continue;  // the slide says nothing of this class
      if (exclusive_) add<std::uint8_t>(c, likeliest.mask(c).view(), 0);
      else add<float>(c, classes[c], 0.5F);
    }
  }

 private:
  template <class T>
  void add(std::size_t c, const ImageView& map, T above) {
    const auto pixels = static_cast<std::size_t>(map.size().area());
    const std::uint8_t* truth = targets_.targets().data() + c * pixels;
    const std::uint8_t* ignored = targets_.ignored().data();
    Overlap sum;
    for (std::int64_t y = 0; y < map.height; ++y, truth += map.width, ignored += map.width) {
      const T* const line = map.row<const T>(y);
      for (std::int64_t x = 0; x < map.width; ++x) {
        const bool p = line[x] > above && ignored[x] == 0, t = truth[x] > one_half && ignored[x] == 0;
        sum.both += p && t;
        sum.predicted += p;
        sum.truth += t;
      }
    }
    sums_[c] += sum;
  }

  const PreparedSlide& slide_;
  bool exclusive_;
  std::vector<Overlap>& sums_;
  RegionTargets targets_;
};

}  // namespace

HeldOutSlides::HeldOutSlides(const Experiment& experiment, std::vector<std::shared_ptr<const PreparedSlide>> slides,
                             std::int64_t multiple)
    : slides_(std::move(slides)), classes_(first_bits(static_cast<int>(experiment.classes.size()))) {
  for (std::size_t i = 0; i < slides_.size(); ++i) {
    const TileGrid grid = tile_grid(slides_[i]->size(), experiment.data.tile, experiment.predict.overlap, multiple);
    glass_.push_back(glass_of(*slides_[i], experiment));
    std::int64_t tiles = 0;
    for (const auto& row : tile_rows(grid, [&](const Region& tile) { return wanted(i, tile); }))
      tiles += static_cast<std::int64_t>(row.size());
    tiles_of_.push_back(tiles);
    tiles_ += tiles;
    all_tiles_ += grid.count();
  }
}

bool HeldOutSlides::wanted(std::size_t slide, const Region& tile) const {
  return !glass_[slide].only(tile) || slides_[slide]->any_label(tile, classes_);
}

bool HeldOutSlides::tells_of(std::size_t of_class) const {
  return std::any_of(slides_.begin(), slides_.end(),
                     [&](const auto& slide) { return slide->targets().at(of_class).weight > 0; });
}

std::string HeldOutSlides::text() const {
  const std::string all = std::to_string(all_tiles_) + " tiles";
  return counted(slides_.size(), "whole slide") + ", " +
         (tiles_ == all_tiles_ ? all
                               : std::to_string(tiles_) + " of " + all + ": the others hold neither tissue nor label");
}

std::int64_t HeldOutSlides::tiles(const std::vector<std::size_t>& of) const {
  std::int64_t sum = 0;
  for (const std::size_t slide : of) sum += tiles_of_[slide];
  return sum;
}

std::vector<std::vector<std::size_t>> HeldOutSlides::dealt(int ranks) const {
  std::vector<std::size_t> largest_first(slides_.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  std::stable_sort(largest_first.begin(), largest_first.end(),
                   [&](std::size_t a, std::size_t b) { return tiles_of_[a] > tiles_of_[b]; });
  std::vector<std::vector<std::size_t>> out(static_cast<std::size_t>(ranks));
  std::vector<std::int64_t> load(out.size());
  for (const std::size_t slide : largest_first) {
    const auto least = static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
    out[least].push_back(slide);
    load[least] += tiles_of_[slide];
  }
  return out;
}

namespace {

/// What a rank's slides add up to.
struct SlideSums {
  TileTally tally;
  std::vector<Overlap> overlaps;  ///< of each class
};

void add_slides(const ValidationParts& parts, const HeldOutSlides& slides, const std::vector<std::size_t>& which,
                Progress* progress, SlideSums& sums) {
  const Experiment& experiment = parts.experiment;
  std::int64_t before = 0;
  for (const std::size_t i : which) {
    const PreparedSlide& slide = *slides.slides()[i];
    ValidatedNetwork network(parts, slide, sums.tally);
    OverlapSink sink(slide, parts.objective.exclusive(), sums.overlaps);
    TilingOptions options{experiment.data.tile, experiment.predict.overlap, experiment.prediction_batch(), {}};
    std::int64_t done = 0;
    options.progress = [&](std::int64_t tiles, std::int64_t) {
      if (interrupted()) throw Cancelled();
      done = tiles;
      if (progress != nullptr) progress->update(before + done);
    };
    options.wanted = [&](const Region& tile) { return slides.wanted(i, tile); };
    options.network = "the trained network", options.picture = "\"" + slide.info().id + "\", which is validated";
    options.remedy = "Try a lower learning rate, train.clip_norm = 1, or fp32.";
    predict_tiled(PreparedSource(slide), network, options, sink);
    before += done;
  }
}

void sum(const Ranks& ranks, std::vector<Overlap>& overlaps) {
  const at::Tensor counts = at::zeros({static_cast<std::int64_t>(overlaps.size()), 3}, at::kLong);
  auto* const to = counts.mutable_data_ptr<std::int64_t>();
  for (std::size_t c = 0; c < overlaps.size(); ++c)
    to[3 * c] = overlaps[c].both, to[3 * c + 1] = overlaps[c].predicted, to[3 * c + 2] = overlaps[c].truth;
  ranks.sum({counts});
  for (std::size_t c = 0; c < overlaps.size(); ++c)
    overlaps[c].both = to[3 * c], overlaps[c].predicted = to[3 * c + 1], overlaps[c].truth = to[3 * c + 2];
}

}  // namespace

Validation validate_slides(const ValidationParts& parts, const HeldOutSlides& slides, const std::string& title) {
  const c10::InferenceMode inference;
  const Evaluating evaluating(parts.model);
  const std::size_t classes = parts.experiment.classes.size();
  SlideSums sums{TileTally(parts.objective.exclusive(), classes, parts.device), std::vector<Overlap>(classes)};
  const int ranks = parts.ranks == nullptr ? 1 : parts.ranks->count(),
            own = parts.ranks == nullptr ? 0 : parts.ranks->rank();
  const std::vector<std::size_t> mine = slides.dealt(ranks)[static_cast<std::size_t>(own)];
  bool cancelled = false;
  try {
    std::optional<Progress> progress;
    if (own == 0) progress.emplace(title, slides.tiles(mine));
    add_slides(parts, slides, mine, progress ? &*progress : nullptr, sums);
  } catch (const Cancelled&) {
    cancelled = true;
  }
  meet_after(parts.ranks, cancelled || interrupted());
  if (parts.ranks != nullptr) sums.tally.sum(*parts.ranks), sum(*parts.ranks, sums.overlaps);
  Validation out = sums.tally.result();
  out.dice.resize(classes);
  for (std::size_t c = 0; c < classes; ++c)
    out.dice[c] = slides.tells_of(c) ? sums.overlaps[c].dice() : std::numeric_limits<double>::quiet_NaN();
  return out;
}

}  // namespace nephron::host
