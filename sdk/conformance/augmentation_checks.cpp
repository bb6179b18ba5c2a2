#include <nephron/augmentation.hpp>
#include <nephron/slide_colours.hpp>

#include <conformance/bench.hpp>
#include <conformance/drawing.hpp>
#include <conformance/kind_checks.hpp>
#include <conformance/label_probes.hpp>
#include <conformance/recording_plan.hpp>

namespace nephron::conformance {

namespace {

constexpr Size usual{97, 64};
constexpr std::uint64_t draws = 40;

/// Slides that are trained on: two that differ, one with one stain alone, and one of which nothing is known.
class Slides final : public ColourBook {
 public:
  Slides() {
    known_[0].stains = {{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}};
    known_[0].strength = {1.5, 1.0};
    known_[0].lab_mean = {60, 20, -10}, known_[0].lab_deviation = {10, 5, 4};
    known_[1].stains = {{{0.56, 0.72, 0.41}, {0.22, 0.80, 0.56}}};
    known_[1].strength = {3.0, 0.5};
    known_[1].lab_mean = {70, 25, -15}, known_[1].lab_deviation = {12, 6, 5};
    known_[1].background = {240, 238, 243};
    known_[one_stain].stains = {{{0.6, 0.64, 0.48}, {0.6, 0.64, 0.48}}};
    known_[one_stain].background = {0, 0, 0};
  }
  static constexpr std::size_t one_stain = 2;
  std::size_t size() const noexcept override { return known_.size() + 1; }
  const SlideColours* colours(std::size_t slide) const override {
    return slide < known_.size() ? &known_.at(slide) : nullptr;
  }

 private:
  std::array<SlideColours, 3> known_{};
};

/// A sample in the middle of a slide.
SampleInfo sample_of(Size size, std::size_t slide = 0) {
  static const Slides slides;
  SampleInfo out{.size = size,
                 .slide = "slide" + std::to_string(slide),
                 .group = "group",
                 .mpp = 0.5,
                 .region = {100, 200, size.width, size.height}};
  set_colours(out, slides, slide);
  return out;
}

/// What one draw does: the plan, and the pixels after the functions that it holds.
struct Effect {
  std::string plan;
  Image image;
  Image labels;
  Image soft;
  bool operator==(const Effect& o) const {
    return plan == o.plan && same_pixels(image.view(), o.image.view()) && same_pixels(labels.view(), o.labels.view()) &&
           same_pixels(soft.view(), o.soft.view());
  }
};

Rng rng_of(std::uint64_t number) { return {11, "check/augmentation", 0, number}; }

Effect carried_out(const RecordingPlan& plan, Size size) {
  Effect out{plan.bytes(), random_image(size, 3, 1), random_image(size, 1, 2), random_image(size, 1, 3)};
  const std::array soft{out.soft.view()};
  for (const auto& change : plan.changes()) change({out.image.view(), out.labels.view(), soft});
  return out;
}

Effect effect_of(const Augmentation& augmentation, const SampleInfo& sample, std::uint64_t number) {
  Rng rng = rng_of(number);
  RecordingPlan plan(sample.size);
  augmentation.draw(sample, rng, plan);
  return carried_out(plan, sample.size);
}

/// For checks that compare effects: that they are sound is what "plans" and "extremes" say.
Effect sound_effect_of(const Augmentation& augmentation, std::uint64_t number, Size size = usual) {
  try {
    return effect_of(augmentation, sample_of(size), number);
  } catch (const Failed& e) {
    throw Skipped(std::string("needs sound plans: ") + e.what());
  }
}

void check_plans(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  for (std::uint64_t i = 0; i < draws; ++i) effect_of(*made, sample_of(usual), i);
}

constexpr std::size_t far_down = 32768;

/// Overwrites the part of the stack where what was called before from the same place had its variables.
[[gnu::noinline]] void overwrite_stack(unsigned char with) {
  volatile unsigned char there[far_down];
  for (volatile unsigned char& byte : there) byte = with;
}

/// Calls body() so far down the stack that what is called afterwards, from here, does not reach its variables.
template <class Body>
[[gnu::noinline]] void far_from_here(const Body& body) {
  volatile unsigned char between[far_down];
  between[0] = 0;
  body();
  between[far_down - 1] = between[0];
}

/// Carries a plan out as the host does: draw() has returned, its variables are overwritten with `garbage`, and the
/// sample and the Rng that it was handed are those of others. All of it is memory that can be read and written.
Effect effect_afterwards(const Augmentation& augmentation, std::uint64_t number, unsigned char garbage) {
  SampleInfo sample = sample_of(usual);
  Rng rng = rng_of(number);
  RecordingPlan plan(usual);
  far_from_here([&] { augmentation.draw(sample, rng, plan); });
  far_from_here([garbage] { overwrite_stack(garbage); });
  rng = Rng(1000 + garbage, "check/another");
  Rng before = rng;
  sample = sample_of({usual.width / (2 + garbage % 2), usual.height / 3}, 1);
  sample.slide = "another", sample.group = "others", sample.mpp = 0.25 * garbage;
  Effect out = carried_out(plan, usual);
  expect(
      before.bits64() == rng.bits64(),
      "a function that draw() hands to pixels() draws from the Rng of draw(): it runs after draw() has returned, when "
      "that Rng is gone (a crash in training); it may hold values alone, such as a generator of its own: "
      "[noise = rng.fork(\"noise\")](const SampleView&) mutable { ... }");
  return out;
}

/// What draw() hands to pixels() runs when draw() has long returned.
void check_afterwards(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  for (std::uint64_t i = 0; i < draws; ++i) {
    const Effect at_once = sound_effect_of(*made, i);
    if (!(sound_effect_of(*made, i) == at_once)) throw Skipped("drawn again with an equal Rng, it does something else");
    for (const unsigned char garbage : {0, 63})
      expect(effect_afterwards(*made, i, garbage) == at_once,
             "a function that draw() hands to pixels() does something else once draw() has returned: it refers to the "
             "sample or the Rng of draw(), or to one of draw()'s variables, which are gone by then (a crash in "
             "training); it may hold values alone, [gain](const SampleView&) { ... }");
  }
}

void check_determinism(const Subject& s) {
  BenchContext context(s);
  const auto one = s.make<Augmentation>(context);
  const auto two = s.make<Augmentation>(context);
  require_equal_draws(
      draws, [&](std::uint64_t i) { return sound_effect_of(*one, i); },
      [&](std::uint64_t i) { return sound_effect_of(*two, i); });
}

std::string plan_by(const Augmentation& augmentation, std::uint64_t number, std::size_t slide = 0) {
  Rng rng = rng_of(number);
  RecordingPlan plan(usual);
  augmentation.draw(sample_of(usual, slide), rng, plan);
  return plan.bytes();
}

std::string sound_plan_by(const Augmentation& augmentation, std::uint64_t number, std::size_t slide = 0) {
  try {
    return plan_by(augmentation, number, slide);
  } catch (const Failed& e) {
    throw Skipped(std::string("needs sound plans: ") + e.what());
  }
}

/// The plans alone, which are quick to draw; so that one that is rarely unsound shows too.
void check_state(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  const auto plan_of = [&made](std::uint64_t i) { return plan_by(*made, i); };
  const auto sound_plan_of = [&](std::uint64_t i) { return sound_plan_by(*made, i); };
  constexpr std::size_t slides = 3;
  require_any_order(
      2 * draws, [&] { return s.make<Augmentation>(context); },
      [](const auto& instance, std::uint64_t i) { return sound_plan_by(*instance, i, i % slides); });
  require_no_state(draws, 5000, sound_plan_of, [&](std::uint64_t i) {
    try {
      plan_of(i);
    } catch (const Failed& e) {
      throw Failed("the plan of draw " + std::to_string(i) + ": " + e.what());
    }
  });
}

void check_labels(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  for (std::uint64_t i = 0; i < draws; ++i) {
    Rng rng = rng_of(i);
    RecordingPlan plan(probe_size);
    try {
      made->draw(sample_of(probe_size), rng, plan);
    } catch (const Failed& e) {
      throw Skipped(std::string("needs sound plans: ") + e.what());
    }
    for (const auto& change : plan.changes()) require_labels_follow(change);
  }
}

void check_randomness(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  RandomWatch watch;
  for (std::uint64_t i = 0; i < draws; ++i) sound_effect_of(*made, i);
  watch.require_untouched();
}

/// Of two sizes in turn: what is kept for one size must not be used for another.
void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  require_thread_safe_draws([&](std::uint64_t i) {
    return sound_effect_of(*made, i, i / 4 % 2 == 0 ? usual : Size{usual.height, usual.width});
  });
}

void check_extremes(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  for (const Size size : {Size{1, 1}, Size{1, 40}, Size{2000, 3}})
    for (std::uint64_t i = 0; i < 4; ++i) {
      effect_of(*made, sample_of(size), i);
      effect_of(*made, sample_of(size, Slides::one_stain), i);
      // Prediction has no labels; of a slide that nobody knows, there is no more than the size.
      SampleInfo unknown = sample_of(size);
      unknown.room = {};
      unknown.group.clear(), unknown.mpp = 0, unknown.region = {-5, -7, size.width, size.height};
      Rng rng = rng_of(i);
      RecordingPlan plan(size);
      made->draw(unknown, rng, plan);
      const Image image = random_image(size, 3, 1);
      for (const auto& change : plan.changes()) change({image.view(), ImageView{}, {}});
    }
}

std::string bytes_of(const ImageView& image) {
  std::string out;
  const std::size_t row = static_cast<std::size_t>(image.width) * image.pixel_bytes();
  for (std::int64_t y = 0; y < image.height; ++y) out.append(image.row<char>(y), row);
  return out;
}

}  // namespace

std::string augmentation_trace(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  std::string out;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const Effect e = sound_effect_of(*made, i);
    out += e.plan + bytes_of(e.image.view()) + bytes_of(e.labels.view()) + bytes_of(e.soft.view());
  }
  return out;
}

std::vector<Check> augmentation_checks() {
  return {
      {"plans", "what is drawn can be carried out, and keeps sizes and ranges", &check_plans},
      {"afterwards", "what pixels() is handed does the same after draw() has returned", &check_afterwards},
      {"determinism", "an equal Rng draws the same, from every instance", &check_determinism},
      {"state", "what was drawn first is drawn again after many others", &check_state},
      {"labels", "labels and probability maps follow what moves pictures", &check_labels},
      {"randomness", "random numbers come from the Rng alone", &check_randomness},
      {"threads", "calls at once do what calls in turn do", &check_threads},
      {"extremes", "pictures of one pixel, thin ones, ones without labels and of unknown slides are served",
       &check_extremes},
  };
}

}  // namespace nephron::conformance
