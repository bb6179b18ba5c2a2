#include <host/feed/sample_maker.hpp>

#include <algorithm>

#include <host/feed/sample_number.hpp>
#include <host/feed/targets.hpp>
#include <host/slides/make_component.hpp>
#include <host/store/label_copy.hpp>

namespace nephron::host {

namespace {

const ComponentSpec& sampler_of(const Experiment& e, bool training) {
  const ComponentSpec& spec = training ? e.sampler : e.validation_sampler;
  if (spec.type.empty())
    throw Error(std::string("the experiment names no sampler for ") + (training ? "training" : "validation"),
                training ? "add a [sampler] section" : "add sampler = { type = \"...\" } to [validation]");
  return spec;
}

std::string id_of(const PreparedSlide& slide, const Window& window) {
  return slide.info().id + " " + std::to_string(window.region.x) + "," + std::to_string(window.region.y);
}

std::int64_t raw_side(const Experiment& e, bool training) {
  // Validation is not augmented, so nothing around the tile is needed.
  const auto raw = static_cast<std::int64_t>(e.data.window * static_cast<double>(e.data.tile));
  return training ? std::max(raw, e.data.tile) : e.data.tile;
}

/// True when no pixel of the region has a label, which spares moving them: half of the windows, and more where objects
/// are few.
bool bare(const PreparedSlide& slide, const Region& region) {
  return !slide.ignores() && slide.soft_classes() == 0 && !slide.any_label(region, ~std::uint32_t{0});
}

}  // namespace

SampleMaker::SampleMaker(const Experiment& experiment, const Registry& registry, const PreparedData& data,
                         const FeedOptions& options)
    : training_(options.training),
      seed_(options.seed),
      tile_(experiment.data.tile),
      raw_(raw_side(experiment, training_)),
      classes_(static_cast<int>(experiment.classes.size())),
      factor_(experiment.data.factor),
      geometry_(geometry_of(experiment.data)),
      catalog_(experiment, data, options.slides),
      sampler_(make_component<Sampler>(registry, sampler_of(experiment, training_),
                                       training_ ? "sampler" : "validation_sampler", seed_, options.services)),
      sampler_origin_(origin_of(registry, Sampler::kind, sampler_of(experiment, training_), "drawing a window")),
      augmenter_(training_ ? experiment.augmentations : std::vector<AugmentationConfig>{}, registry, seed_,
                 options.services) {
  for (std::size_t i = 0; i < catalog_.slides().size(); ++i)
    ignores_ = ignores_ || catalog_.slide(static_cast<std::int64_t>(i)).ignores();
  count_ = guarded(sampler_origin_, [&] { return sampler_->count(catalog_, raw_); });
}

Window SampleMaker::draw_window(std::uint64_t epoch, std::int64_t index) const {
  Rng rng(seed_, training_ ? "sampler" : "validation_sampler", epoch, static_cast<std::uint64_t>(index));
  // A list is walked again and again in training.
  const std::int64_t number = count_ > 0 ? index % count_ : index;
  return guarded(sampler_origin_, [&] {
    const Window w = sampler_->draw(catalog_, raw_, number, rng);
    const auto slides = static_cast<std::int64_t>(catalog_.slides().size());
    if (w.slide < 0 || w.slide >= slides || w.region.width != raw_ || w.region.height != raw_)
      throw Error("the sampler gave a window of " + std::to_string(w.region.width) + " x " +
                  std::to_string(w.region.height) + " px on slide " + std::to_string(w.slide) + "; expected " +
                  std::to_string(raw_) + " px and a slide below " + std::to_string(slides));
    return w;
  });
}

std::string SampleMaker::sample_id(std::uint64_t epoch, std::int64_t index) const try {
  const Window window = draw_window(epoch, index);
  return id_of(catalog_.slide(window.slide), window);
} catch (const std::exception&) {
  return "number " + std::to_string(index) + " of epoch " + std::to_string(epoch);
}

SampleInfo SampleMaker::info_of(const Window& window) const {
  const auto& entry = catalog_.slides()[static_cast<std::size_t>(window.slide)];
  SampleInfo out{.size = window.region.size(),
                 .slide = entry.id,
                 .group = entry.group,
                 .mpp = catalog_.slide(window.slide).info().mpp * factor_,
                 .region = window.region};
  set_colours(out, catalog_, static_cast<std::size_t>(window.slide));
  return out;
}

SampleStory SampleMaker::story(std::uint64_t epoch, std::int64_t index) const {
  const Window window = draw_window(epoch, index);
  const std::int64_t margin = (raw_ - tile_) / 2;
  SampleStory out{
      &catalog_.slide(window.slide), {window.region.x + margin, window.region.y + margin, tile_, tile_}, {}};
  RecordedPlan plan({raw_, raw_});
  augmenter_.draw(epoch, static_cast<std::uint64_t>(index), info_of(window), plan, &out.augmentations);
  return out;
}

RawWindow SampleMaker::window(std::uint64_t epoch, std::int64_t index) const {
  const Window window = draw_window(epoch, index);
  const PreparedSlide& slide = catalog_.slide(window.slide);
  RawWindow out{Image(window.region.size(), 3), Image(window.region.size(), 1, slide.label_depth()), info_of(window)};
  slide.read(window.region, out.image.view(), out.labels.view());
  return out;
}

void SampleMaker::make(std::uint64_t epoch, std::int64_t index, const SampleSlot& slot, SampleScratch& scratch,
                       bool augmented) const {
  const SampleNumber number{epoch, index};
  const SampleScope scope(number);
  const SampleNumber drawn = slot.window.value_or(number);
  const Window window = draw_window(drawn.epoch, drawn.index);
  const PreparedSlide& slide = catalog_.slide(window.slide);
  RecordedPlan plan({raw_, raw_});
  if (augmented) augmenter_.draw(epoch, static_cast<std::uint64_t>(index), info_of(window), plan);

  const std::vector<int> soft = soft_classes_of(slide);
  std::vector<Image>& planes = scratch.planes;
  std::vector<ImageView> views;
  for (std::size_t i = 0; i < 1 + soft.size(); ++i) {
    if (i == planes.size()) planes.emplace_back();
    const Depth depth = i == 0 ? slide.label_depth() : Depth::u8;
    if (planes[i].size() != Size{tile_, tile_} || planes[i].view().depth != depth)
      planes[i] = Image({tile_, tile_}, 1, depth);
    views.push_back(planes[i].view());
  }

  if (bare(slide, window.region)) {
    fill_labels(views[0], 0);
    views.clear();
  }
  const auto source = [&](const Region& part, const ImageView& image, const std::vector<ImageView>& to) {
    const Region region{window.region.x + part.x, window.region.y + part.y, part.width, part.height};
    slide.read(region, image, to.empty() ? ImageView{} : to[0]);
    for (std::size_t i = 0; i < soft.size(); ++i) slide.read_soft(soft[i], region, to[i + 1]);
  };
  const std::int64_t margin = (raw_ - tile_) / 2;
  scratch.executor->run(plan, {margin, margin, tile_, tile_}, source, slot.image, views);
  write_targets(slide, planes, slot.labels, slot.weights);
  const bool ignoring = write_ignored(slide, planes[0], slot.labels, slot.ignored);
  if (slot.ignoring != nullptr) *slot.ignoring = ignoring ? 1 : 0;
  if (slot.id != nullptr) *slot.id = id_of(slide, window);
}

}  // namespace nephron::host
