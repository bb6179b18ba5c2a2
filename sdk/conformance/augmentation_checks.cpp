#include <algorithm>
#include <cmath>
#include <functional>

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <nephron/batch_augmentation.hpp>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>
#include <conformance/label_probes.hpp>
#include <conformance/recording_plan.hpp>

namespace nephron::conformance {

namespace {

constexpr Size usual{97, 64};
constexpr std::uint64_t draws = 40;

/// What one draw does: the plan, and the pixels after the functions that it holds.
struct Effect {
  std::string plan;
  Image image;
  Image labels;
  bool operator==(const Effect& o) const {
    return plan == o.plan && same_pixels(image.view(), o.image.view()) && same_pixels(labels.view(), o.labels.view());
  }
};

Effect effect_of(const Augmentation& augmentation, Size size, std::uint64_t sample) {
  Rng rng(11, "check/augmentation", 0, sample);
  RecordingPlan plan(size);
  augmentation.draw(size, rng, plan);
  Effect out{plan.bytes(), random_image(size, 3, 1), random_image(size, 1, 2)};
  for (const auto& change : plan.changes()) change(out.image.view(), out.labels.view());
  return out;
}

struct BatchEffect {
  at::Tensor images, targets, weights;
  bool operator==(const BatchEffect& o) const {
    return same(images, o.images) && same(targets, o.targets) && same(weights, o.weights);
  }
};

BatchEffect effect_of(const BatchAugmentation& augmentation, std::int64_t n, std::uint64_t sample,
                      const std::string& device = "cpu") {
  Rng rng(11, "check/augmentation", 0, sample);
  const auto there = at::Device(device);
  BatchEffect e{random_tensor({n, 3, 32, 48}, 1).to(there), random_tensor({n, 2, 32, 48}, 2, 0, 1).to(there),
                at::ones({n, 2}).to(there)};
  const BatchEffect before = e;
  augmentation.apply(e.images, e.targets, e.weights, rng);
  for (const auto& [name, a, b] :
       {std::tuple{"images", before.images, e.images}, std::tuple{"targets", before.targets, e.targets},
        std::tuple{"weights", before.weights, e.weights}}) {
    expect(b.defined() && a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && a.device() == b.device(),
           [&, what = name, from = a, to = b] {
             return std::string(what) + " " + shape_text(from) + " became " + shape_text(to) +
                    "; shape, type and device must stay";
           });
    expect(all_finite(b), [what = name] { return std::string(what) + " are not finite afterwards"; });
  }
  expect(e.targets.min().item<double>() >= -1e-6 && e.targets.max().item<double>() <= 1 + 1e-6, "targets leave 0 to 1");
  expect(e.weights.min().item<double>() >= 0, "weights become negative");
  return e;
}

/// For checks that compare effects: that they are sound is what "plans" and "extremes" say.
template <class Sort, class Size>
auto sound_effect_of(const Sort& augmentation, const Size& size, std::uint64_t sample) {
  try {
    return effect_of(augmentation, size, sample);
  } catch (const Failed& e) {
    throw Skipped(std::string("needs sound plans: ") + e.what());
  }
}

/// Calls `on_pixels` or `on_batches`, whichever sort of augmentation this is.
template <class OnPixels, class OnBatches>
void either(const Augmentation& augmentation, OnPixels&& on_pixels, OnBatches&& on_batches) {
  if (const auto* batch = dynamic_cast<const BatchAugmentation*>(&augmentation)) on_batches(*batch);
  else on_pixels(augmentation);
}

void check_plans(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  const auto all = [](const auto& a, const auto& size) {
    for (std::uint64_t i = 0; i < draws; ++i) effect_of(a, size, i);
  };
  either(
      *made, [&](const Augmentation& a) { all(a, usual); },
      [&](const BatchAugmentation& a) { all(a, std::int64_t{4}); });
}

void check_determinism(const Subject& s) {
  BenchContext context(s);
  const auto one = s.make<Augmentation>(context);
  const auto two = s.make<Augmentation>(context);
  const auto compare = [&](const auto& first, const auto& second, const auto& size) {
    for (std::uint64_t i = 0; i < draws; ++i) {
      const auto before = sound_effect_of(first, size, i);
      expect(before == sound_effect_of(first, size, i), "drawn again with an equal Rng, it does something else");
      expect(before == sound_effect_of(second, size, i),
             "a second instance with equal parameters does something else with an equal Rng");
    }
  };
  either(
      *one, [&](const Augmentation& a) { compare(a, *two, usual); },
      [&](const BatchAugmentation& a) { compare(a, dynamic_cast<const BatchAugmentation&>(*two), std::int64_t{4}); });
}

/// What was drawn first is drawn again after many others: a counter, a cache or a schedule in a member shows late.
void check_state(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  constexpr std::uint64_t few = 16;
  constexpr const char* changed =
      "after many draws, an equal Rng draws something else: it keeps state; what it draws is a function of its "
      "parameters and the Rng alone";
  either(
      *made,
      [&](const Augmentation& a) {
        const auto plan_of = [&a](std::uint64_t sample) {
          Rng rng(11, "check/augmentation", 0, sample);
          RecordingPlan plan(usual);
          a.draw(usual, rng, plan);
          return plan.bytes();
        };
        try {
          std::vector<std::string> first;
          for (std::uint64_t i = 0; i < few; ++i) first.push_back(plan_of(i));
          repeat(5000, 1.0, [&](std::uint64_t i) { plan_of(few + i); });
          for (std::uint64_t i = 0; i < few; ++i) expect(plan_of(i) == first[i], changed);
        } catch (const Failed& e) {
          if (std::string(e.what()) == changed) throw;
          throw Skipped(std::string("needs sound plans: ") + e.what());
        }
      },
      [&](const BatchAugmentation& a) {
        std::vector<BatchEffect> first;
        for (std::uint64_t i = 0; i < few; ++i) first.push_back(sound_effect_of(a, std::int64_t{2}, i));
        repeat(1000, 1.0, [&](std::uint64_t i) { sound_effect_of(a, std::int64_t{2}, few + i); });
        for (std::uint64_t i = 0; i < few; ++i) expect(sound_effect_of(a, std::int64_t{2}, i) == first[i], changed);
      });
}

void check_labels(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  either(
      *made,
      [&](const Augmentation& a) {
        for (std::uint64_t i = 0; i < draws; ++i) {
          Rng rng(11, "check/augmentation", 0, i);
          RecordingPlan plan(probe_size);
          try {
            a.draw(probe_size, rng, plan);
          } catch (const Failed& e) {
            throw Skipped(std::string("needs sound plans: ") + e.what());
          }
          for (const auto& change : plan.changes()) require_labels_follow(change);
        }
      },
      [&](const BatchAugmentation& a) {
        for (std::uint64_t i = 0; i < 10; ++i) {
          sound_effect_of(a, std::int64_t{4}, i);
          Rng rng(11, "check/augmentation", 0, i);
          require_targets_follow(a, rng);
        }
      });
}

void check_randomness(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  RandomWatch watch;
  const auto all = [](const auto& a, const auto& size) {
    for (std::uint64_t i = 0; i < draws; ++i) sound_effect_of(a, size, i);
  };
  either(
      *made, [&](const Augmentation& a) { all(a, usual); },
      [&](const BatchAugmentation& a) { all(a, std::int64_t{4}); });
  watch.require_untouched();
}

void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  const auto compare = [](const auto& a, const auto& size) {
    std::vector<decltype(sound_effect_of(a, size, 0))> serial;
    for (std::uint64_t i = 0; i < 16; ++i) serial.push_back(sound_effect_of(a, size, i));
    on_threads(4, [&](std::size_t t) {
      for (std::uint64_t k = 0; k < 16; ++k) {
        const std::uint64_t i = (k + 4 * t) % 16;
        expect(sound_effect_of(a, size, i) == serial[i],
               "calls from several threads at once do something else than one after the other");
      }
    });
  };
  either(
      *made, [&](const Augmentation& a) { compare(a, usual); },
      [&](const BatchAugmentation& a) { compare(a, std::int64_t{4}); });
}

void check_extremes(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  either(
      *made,
      [&](const Augmentation& a) {
        for (const Size size : {Size{1, 1}, Size{1, 40}, Size{2000, 3}})
          for (std::uint64_t i = 0; i < 4; ++i) {
            effect_of(a, size, i);
            // Prediction has no labels.
            Rng rng(11, "check/augmentation", 0, i);
            RecordingPlan plan(size);
            a.draw(size, rng, plan);
            const Image image = random_image(size, 3, 1);
            for (const auto& change : plan.changes()) change(image.view(), ImageView{});
          }
      },
      [&](const BatchAugmentation& a) {
        for (std::uint64_t i = 0; i < 4; ++i) effect_of(a, std::int64_t{1}, i);
      });
}

void check_cuda(const Subject& s) {
  BenchContext context(s, s.cuda.empty() ? "cpu" : s.cuda);
  const auto made = s.make<Augmentation>(context);
  const auto* batch = dynamic_cast<const BatchAugmentation*>(made.get());
  if (batch == nullptr) throw Skipped("the host carries its plan out, on any device");
  if (s.cuda.empty()) throw Skipped(s.no_cuda_because);
  for (std::uint64_t i = 0; i < 4; ++i) {
    const BatchEffect here = sound_effect_of(*batch, std::int64_t{4}, i);
    const BatchEffect there = effect_of(*batch, 4, i, s.cuda);
    expect(relative_difference(here.images, there.images) < 1e-5 &&
               relative_difference(here.targets, there.targets) < 1e-5,
           "on CUDA it does something else than on the CPU");
  }
}

std::string bytes_of(const ImageView& image) {
  std::string out;
  const std::size_t row = static_cast<std::size_t>(image.width) * image.pixel_bytes();
  for (std::int64_t y = 0; y < image.height; ++y) out.append(image.row<char>(y), row);
  return out;
}

std::string bytes_of(const at::Tensor& t) {
  const at::Tensor flat = t.contiguous();
  return {static_cast<const char*>(flat.const_data_ptr()), flat.nbytes()};
}

}  // namespace

std::string augmentation_trace(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<Augmentation>(context);
  std::string out;
  for (std::uint64_t i = 0; i < 8; ++i)
    either(
        *made,
        [&](const Augmentation& a) {
          const Effect e = sound_effect_of(a, usual, i);
          out += e.plan + bytes_of(e.image.view()) + bytes_of(e.labels.view());
        },
        [&](const BatchAugmentation& a) {
          const BatchEffect e = sound_effect_of(a, std::int64_t{2}, i);
          out += bytes_of(e.images) + bytes_of(e.targets) + bytes_of(e.weights);
        });
  return out;
}

std::vector<Check> augmentation_checks() {
  return {
      {"plans", "what is drawn can be carried out, and keeps sizes and ranges", &check_plans},
      {"determinism", "an equal Rng draws the same, from every instance", &check_determinism},
      {"state", "what was drawn first is drawn again after many others", &check_state},
      {"labels", "labels and targets follow what moves or mixes pictures", &check_labels},
      {"randomness", "random numbers come from the Rng alone", &check_randomness},
      {"threads", "calls at once do what calls in turn do", &check_threads},
      {"extremes", "pictures of one pixel, thin ones and ones without labels are served", &check_extremes},
      {"cuda", "batches on CUDA are served, and agree with the CPU", &check_cuda},
  };
}

}  // namespace nephron::conformance
