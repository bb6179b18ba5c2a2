#include <host/feed/normalisation.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include <nephron/error.hpp>
#include <nephron/slide_dataset.hpp>

#include <host/config/normalise_link.hpp>
#include <host/data/folds.hpp>
#include <host/feed/colour_program.hpp>
#include <host/store/colours.hpp>
#include <host/store/tissue.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

const char* const draws_nothing =
    "a slide is the same wherever it is looked at: give one target and one strength, in place of a range of them";

/// The book of one slide.
class OnePage final : public ColourBook {
 public:
  explicit OnePage(const SlideColours* colours) : colours_(colours) {}
  std::size_t size() const noexcept override { return 1; }
  const SlideColours* colours(std::size_t) const override { return colours_; }

 private:
  const SlideColours* colours_;
};

/// The book of a slide among many that look otherwise.
class AmongOthers final : public ColourBook {
 public:
  explicit AmongOthers(const SlideColours& colours) : colours_(&colours), other_(colours) {
    std::swap(other_.stains[0], other_.stains[1]);
    for (double& strength : other_.strength) strength *= 2;
    for (std::size_t c = 0; c < 3; ++c) other_.lab_mean[c] += 20, other_.lab_deviation[c] *= 2;
  }
  std::size_t size() const noexcept override { return 64; }
  const SlideColours* colours(std::size_t slide) const override { return slide == 0 ? colours_ : &other_; }

 private:
  const SlideColours* colours_;
  SlideColours other_;
};

/// Every sixteenth value of each colour.
Image some_colours() {
  constexpr std::int64_t values = 16, step = 17;
  Image out({values * values, values}, 3);
  for (std::int64_t y = 0; y < values; ++y)
    for (std::int64_t x = 0; x < values * values; ++x) {
      std::uint8_t* const pixel = out.view().row<std::uint8_t>(y) + 3 * x;
      pixel[0] = static_cast<std::uint8_t>(step * y), pixel[1] = static_cast<std::uint8_t>(step * (x / values)),
      pixel[2] = static_cast<std::uint8_t>(step * (x % values));
    }
  return out;
}

bool same_map(const ColourMap& a, const ColourMap& b) {
  const Image one = some_colours(), other = some_colours();
  a.run(one.view());
  b.run(other.view());
  const ImageView& view = one.view();
  return std::equal(view.row<std::uint8_t>(0), view.row<std::uint8_t>(0) + 3 * view.size().area(),
                    other.view().row<std::uint8_t>(0));
}

/// The first page of `book` is the slide's.
RecordedPlan drawn(const Augmenter& augmenter, const ColouredSlide& slide, const ColourBook& book,
                   std::uint64_t index) {
  constexpr Size some{256, 256};
  SampleInfo sample{
      .size = some, .slide = slide.id, .group = slide.group, .mpp = slide.mpp, .region = {0, 0, 256, 256}};
  set_colours(sample, book, 0);
  set_dataset(sample, slide.dataset);
  RecordedPlan plan(some);
  augmenter.draw(0, index, sample, plan);
  return plan;
}

/// Where a slide is brought to look like any of those beside it, it would be its own target, alone: nothing is
/// normalised.
bool takes_any_slide(const Augmenter& augmenter, const ColouredSlide& slide) {
  const OnePage alone(slide.colours);
  const AmongOthers others(*slide.colours);
  constexpr std::uint64_t draws = 4;
  for (std::uint64_t i = 0; i < draws; ++i)
    if (!same_map(ColourMap(drawn(augmenter, slide, alone, i)), ColourMap(drawn(augmenter, slide, others, i))))
      return true;
  return false;
}

/// A prepared slide whose colours are mapped as they are read.
class NormalisedSlide final : public PreparedSlide {
 public:
  NormalisedSlide(std::shared_ptr<const PreparedSlide> slide, std::shared_ptr<const ColourMap> map)
      : slide_(std::move(slide)), map_(std::move(map)) {}

  void read(const Region& region, const ImageView& image, const ImageView& labels) const override {
    slide_->read(region, image, labels);
    if (!image.empty()) map_->run(image);
  }
  const SlideColours* colours() const override {
    std::call_once(measured_, [this] {
      colours_ = measure_colours(size(), blocks_of_tissue(),
                                 [this](const Region& region, const ImageView& out) { read(region, out, {}); });
    });
    return colours_ ? &*colours_ : nullptr;
  }

  const SlideInfo& info() const noexcept override { return slide_->info(); }
  std::size_t dataset() const noexcept override { return slide_->dataset(); }
  Size size() const noexcept override { return slide_->size(); }
  bool annotated() const noexcept override { return slide_->annotated(); }
  bool any_label(const Region& region, std::uint32_t classes) const override {
    return slide_->any_label(region, classes);
  }
  std::optional<Pixel> pixel(std::size_t class_index, Rng& rng) const override {
    return slide_->pixel(class_index, rng);
  }
  std::int64_t count(const Region& region, std::uint32_t classes) const override {
    return slide_->count(region, classes);
  }
  std::int64_t tissue(const Region& region) const override { return slide_->tissue(region); }
  const std::vector<Region>& objects(std::size_t class_index) const override { return slide_->objects(class_index); }
  Reduction reduction() const noexcept override { return slide_->reduction(); }
  Digests digests() const override { return slide_->digests(); }
  std::string lost_file() const override { return slide_->lost_file(); }
  const CatalogSlide& catalog() const noexcept override { return slide_->catalog(); }
  const std::vector<ChannelRule>& targets() const noexcept override { return slide_->targets(); }
  std::uint32_t soft_classes() const noexcept override { return slide_->soft_classes(); }
  std::int64_t ignored() const noexcept override { return slide_->ignored(); }
  bool ignores() const noexcept override { return slide_->ignores(); }
  void read_soft(int class_index, const Region& region, const ImageView& map) const override {
    slide_->read_soft(class_index, region, map);
  }

 private:
  /// Blocks that are tissue by more than half, as they were when the slide was measured.
  Tissue blocks_of_tissue() const {
    Tissue out;
    out.block = SmallPicture(size()).block();
    const std::int64_t block = out.block;
    out.mask = Image({(size().width + block - 1) / block, (size().height + block - 1) / block}, 1);
    for (std::int64_t y = 0; y < out.mask.size().height; ++y)
      for (std::int64_t x = 0; x < out.mask.size().width; ++x) {
        const Region place = Region{x * block, y * block, block, block}.clipped({0, 0, size().width, size().height});
        out.mask.view().row<std::uint8_t>(y)[x] = 2 * slide_->tissue(place) > place.size().area() ? 255 : 0;
      }
    return out;
  }

  std::shared_ptr<const PreparedSlide> slide_;
  std::shared_ptr<const ColourMap> map_;
  mutable std::once_flag measured_;
  mutable std::optional<SlideColours> colours_;
};

}  // namespace

struct ColourMap::Program {
  explicit Program(RecordedPlan of) : plan(std::move(of)) {
    for (const Step& step : plan.steps())
      std::visit(
          [&](const auto& s) {
            if constexpr (requires { colours.add(s); }) colours.add(s);
          },
          step);
  }
  RecordedPlan plan;  // whose steps the other one points to
  ColourProgram colours;
};

ColourMap::ColourMap(RecordedPlan plan) : program_(std::make_unique<const Program>(std::move(plan))) {}
ColourMap::~ColourMap() = default;

void ColourMap::run(const ImageView& picture) const {
  for (std::int64_t y = 0; y < picture.height; ++y) {
    auto* const row = picture.row<std::uint8_t>(y);
    program_->colours.run(row, row, picture.width);
  }
}

Normalisation::Normalisation(const AugmentationConfig& link, const Registry& registry, std::uint64_t seed)
    : augmenter_(link.of, registry, seed) {
  for (const AugmentationConfig& part : link.of)
    names_ += (names_.empty() ? "\"" : ", \"") + part.component.type + "\"";
}

std::shared_ptr<const Normalisation> Normalisation::of(const Experiment& experiment, const Registry& registry) {
  const AugmentationConfig* const link = normalise_link_of(experiment);
  if (link == nullptr) return nullptr;
  return std::make_shared<const Normalisation>(*link, registry, static_cast<std::uint64_t>(experiment.seed));
}

RecordedPlan Normalisation::draw(const ColouredSlide& slide, std::uint64_t index) const {
  return drawn(augmenter_, slide, OnePage(slide.colours), index);
}

std::shared_ptr<const ColourMap> Normalisation::map_of(const ColouredSlide& slide) const {
  RecordedPlan plan = draw(slide, 0);
  if (!std::all_of(plan.steps().begin(), plan.steps().end(), is_colour))
    throw Error("normalise: " + names_ + " do more than change each colour of a slide by itself",
                "augmentations that move pixels, or look at those around, belong into [[augmentation]]");
  if (plan.steps().empty()) {
    log().warning("slide \"" + slide.id + "\" stays as it is (normalise): " +
                  (slide.colours == nullptr ? "it has too little tissue for its colours to be measured"
                                            : "nothing can be made of its colours"));
    return nullptr;
  }
  auto out = std::make_shared<const ColourMap>(std::move(plan));
  if (!same_map(*out, ColourMap(draw(slide, 1)))) throw Error("normalise: " + names_ + " draw", draws_nothing);
  if (slide.colours != nullptr && takes_any_slide(augmenter_, slide))
    throw Error("normalise: " + names_ + " have no target, and would take any slide for one",
                "a slide is the same whatever slides are beside it: give one target");
  return out;
}

PreparedData normalised(PreparedData data, const Experiment& experiment, const Registry& registry) {
  const auto normalisation = Normalisation::of(experiment, registry);
  if (normalisation == nullptr) return data;
  for (auto& slide : data.slides) {
    const double mpp = slide->info().mpp * slide->reduction().value();
    const std::string dataset = experiment.datasets.empty() ? "" : dataset_name(experiment, *slide);
    const auto map = normalisation->map_of({slide->info().id, slide->catalog().group, mpp, slide->colours(), dataset});
    if (map != nullptr) slide = std::make_shared<const NormalisedSlide>(slide, map);
  }
  return data;
}

}  // namespace nephron::host
