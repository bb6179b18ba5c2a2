#include <host/feed/sample_maker.hpp>

#include <algorithm>

#include <nephron/slide_dataset.hpp>

#include <host/feed/sample_number.hpp>
#include <host/feed/targets.hpp>
#include <host/slides/make_component.hpp>
#include <host/store/label_copy.hpp>
#include <host/util/log.hpp>
#include <host/util/mapped_places.hpp>

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
                 options.services),
      goes_on_(training_ && experiment.data.when_lost == "go_on") {
  for (std::size_t i = 0; i < catalog_.slides().size(); ++i)
    ignores_ = ignores_ || catalog_.slide(static_cast<std::int64_t>(i)).ignores();
  count_ = guarded(sampler_origin_, [&] { return sampler_->count(catalog_, raw_); });
}

Window SampleMaker::draw_window(std::uint64_t epoch, std::int64_t index, int again) const {
  const std::string stream = training_ ? "sampler" : "validation_sampler";
  Rng rng(seed_, again == 0 ? stream : stream + " again " + std::to_string(again), epoch,
          static_cast<std::uint64_t>(index));
  // A list is walked again and again in training.
  const std::int64_t number = count_ > 0 ? (index + again) % count_ : index;
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
  set_dataset(out, catalog_.dataset(window.slide));
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

void SampleMaker::note_lost(const PreparedSlide& slide) const {
  const std::string what =
      slide.lost_file() + " was cut short, or its disk failed, while it was read (slide \"" + slide.info().id + "\")";
  if (!goes_on_) throw Error(what, mapping_advice());
  const std::lock_guard lock(lost_mutex_);
  if (!lost_.insert(slide.info().id).second) return;
  log().warning(what + ": training goes on with windows of the other slides (data.when_lost)");
}

void SampleMaker::cut(const SampleNumber& number, const std::optional<SampleNumber>& of, bool augmented,
                      const std::function<void(const Cut&)>& make) const {
  constexpr int most = 1000;  // a sampler that has no other slide to offer
  const SampleScope scope(number);
  const SampleNumber drawn = of.value_or(number);
  const LossBearable bears;
  const std::int64_t margin = (raw_ - tile_) / 2;
  for (int again = 0; again < most; ++again) {
    const Window window = draw_window(drawn.epoch, drawn.index, again);
    const PreparedSlide& slide = catalog_.slide(window.slide);
    if (slide.lost_file().empty()) {
      RecordedPlan plan({raw_, raw_});
      if (augmented) augmenter_.draw(number.epoch, static_cast<std::uint64_t>(number.index), info_of(window), plan);
      make({slide, window, plan, {margin, margin, tile_, tile_}, bare(slide, window.region), soft_classes_of(slide)});
      if (slide.lost_file().empty()) return;
    }
    note_lost(slide);
  }
  throw Error("the sampler draws windows of slides alone whose files are gone", mapping_advice());
}

Executor::Source SampleMaker::source_of(const Cut& cut) const {
  return [&](const Region& part, const ImageView& image, const std::vector<ImageView>& to) {
    const Region& window = cut.window.region;
    const Region region{window.x + part.x, window.y + part.y, part.width, part.height};
    cut.slide.read(region, image, to.empty() ? ImageView{} : to[0]);
    for (std::size_t i = 0; i < cut.soft.size(); ++i) cut.slide.read_soft(cut.soft[i], region, to[i + 1]);
  };
}

void SampleMaker::make(std::uint64_t epoch, std::int64_t index, const SampleSlot& slot, SampleScratch& scratch,
                       bool augmented) const {
  cut({epoch, index}, slot.window, augmented, [&](const Cut& cut) { make(cut, slot, scratch); });
}

void SampleMaker::make(const Cut& cut, const SampleSlot& slot, SampleScratch& scratch) const {
  std::vector<Image>& planes = scratch.planes;
  std::vector<ImageView> views;
  for (std::size_t i = 0; i < 1 + cut.soft.size(); ++i) {
    if (i == planes.size()) planes.emplace_back();
    const Depth depth = i == 0 ? cut.slide.label_depth() : Depth::u8;
    if (planes[i].size() != Size{tile_, tile_} || planes[i].view().depth != depth)
      planes[i] = Image({tile_, tile_}, 1, depth);
    views.push_back(planes[i].view());
  }
  if (cut.bare) {
    fill_labels(views[0], 0);
    views.clear();
  }
  scratch.executor->run(cut.plan, cut.wanted, source_of(cut), slot.image, views);
  write_targets(cut.slide, planes, slot.labels, slot.weights);
  const bool ignoring = write_ignored(cut.slide, planes[0], slot.labels, slot.ignored);
  if (slot.ignoring != nullptr) *slot.ignoring = ignoring ? 1 : 0;
  if (slot.id != nullptr) *slot.id = id_of(cut.slide, cut.window);
}

void SampleMaker::write(std::uint64_t epoch, std::int64_t index, const ProgramSlot& slot,
                        SampleScratch& scratch) const {
  cut({epoch, index}, slot.window, /*augmented=*/true, [&](const Cut& cut) {
    const std::vector<ChannelRule>& rules = cut.slide.targets();
    const bool ignoring = scratch.writer->write({.plan = cut.plan,
                                                 .wanted = cut.wanted,
                                                 .source = source_of(cut),
                                                 .bare = cut.bare,
                                                 .label_depth = cut.slide.label_depth(),
                                                 .soft = cut.slide.soft_classes(),
                                                 .rules = rules,
                                                 .ignores = cut.slide.ignores()},
                                                slot.bytes);
    std::transform(rules.begin(), rules.end(), slot.weights.begin(), [](const ChannelRule& r) { return r.weight; });
    if (slot.ignoring != nullptr) *slot.ignoring = ignoring ? 1 : 0;
    if (slot.id != nullptr) *slot.id = id_of(cut.slide, cut.window);
  });
}

}  // namespace nephron::host
