#include <tuple>

#include <ATen/ops/ones.h>
#include <nephron/batch_augmentation.hpp>

#include <conformance/bench.hpp>
#include <conformance/drawing.hpp>
#include <conformance/kind_checks.hpp>
#include <conformance/label_probes.hpp>

namespace nephron::conformance {

namespace {

constexpr std::uint64_t draws = 40;
constexpr std::int64_t usual = 4;  ///< samples

struct BatchEffect {
  at::Tensor images, targets, weights;
  bool operator==(const BatchEffect& o) const {
    return same(images, o.images) && same(targets, o.targets) && same(weights, o.weights);
  }
};

Rng rng_of(std::uint64_t sample) { return {11, "check/augmentation", 0, sample}; }

void require_form(const char* what, const at::Tensor& from, const at::Tensor& to) {
  expect(to.defined() && from.sizes() == to.sizes() && from.scalar_type() == to.scalar_type() &&
             from.device() == to.device(),
         [&] {
           return std::string(what) + " " + shape_text(from) + " became " + shape_text(to) +
                  "; shape, type and device must stay";
         });
  expect(all_finite(to), [&] { return std::string(what) + " are not finite afterwards"; });
}

BatchEffect effect_of(const BatchAugmentation& augmentation, std::int64_t n, std::uint64_t sample,
                      const std::string& device = "cpu", std::uint64_t batch_number = 0) {
  const auto there = at::Device(device);
  const BatchEffect given{random_tensor({n, 3, 32, 48}, 2 * batch_number + 1).to(there),
                          random_tensor({n, 2, 32, 48}, 2 * batch_number + 2, 0, 1).to(there),
                          at::ones({n, 2}).to(there)};
  const BatchEffect before{given.images.clone(), given.targets.clone(), given.weights.clone()};
  Batch batch(given.images, given.targets, given.weights);
  Rng rng = rng_of(sample);
  augmentation.apply(batch, rng);
  require_form("images", before.images, batch.images());
  require_form("targets", before.targets, batch.targets());
  require_form("weights", before.weights, batch.weights());
  if (batch.pixel_weights().defined()) require_form("pixel weights", before.targets, batch.pixel_weights());
  expect(given == before,
         "it changes tensors of the batch in place, which others may hold: replace them (operations whose name ends in "
         "_ work in place)");
  const BatchEffect e{batch.images(), batch.targets(), batch.spread_weights()};
  expect(e.targets.min().item<double>() >= -1e-6 && e.targets.max().item<double>() <= 1 + 1e-6, "targets leave 0 to 1");
  expect(e.weights.min().item<double>() >= 0, "weights become negative");
  return e;
}

/// For checks that compare effects: that they are sound is what "batches" and "extremes" say.
BatchEffect sound_effect_of(const BatchAugmentation& augmentation, std::int64_t n, std::uint64_t sample,
                            std::uint64_t batch_number = 0) {
  try {
    return effect_of(augmentation, n, sample, "cpu", batch_number);
  } catch (const Failed& e) {
    throw Skipped(std::string("needs sound batches: ") + e.what());
  }
}

void check_batches(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  for (std::uint64_t i = 0; i < draws; ++i) effect_of(*made, usual, i);
}

void check_determinism(const Subject& s) {
  BenchContext context(s);
  const auto one = s.make<BatchAugmentation>(context);
  const auto two = s.make<BatchAugmentation>(context);
  require_equal_draws(
      draws, [&](std::uint64_t i) { return sound_effect_of(*one, usual, i); },
      [&](std::uint64_t i) { return sound_effect_of(*two, usual, i); });
}

void check_state(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  const auto draw = [&](std::uint64_t i) { return sound_effect_of(*made, 2, i); };
  require_any_order(
      12, [&] { return s.make<BatchAugmentation>(context); },
      [](const auto& instance, std::uint64_t i) { return sound_effect_of(*instance, 2, i, i); });
  require_no_state(16, 1000, draw, draw);
}

void check_labels(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  for (std::uint64_t i = 0; i < 10; ++i) {
    sound_effect_of(*made, usual, i);
    require_targets_follow(*made, rng_of(i));
  }
}

/// Samples whose class is not known count 0; whoever moves or mixes pixels must not make them count.
void check_weights(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  for (std::uint64_t i = 0; i < 10; ++i) {
    sound_effect_of(*made, usual, i);
    require_unknown_stays_unknown(*made, rng_of(i));
  }
}

void check_randomness(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  RandomWatch watch;
  for (std::uint64_t i = 0; i < draws; ++i) sound_effect_of(*made, usual, i);
  watch.require_untouched();
}

void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  require_thread_safe_draws([&](std::uint64_t i) { return sound_effect_of(*made, usual, i); });
}

void check_extremes(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  for (std::uint64_t i = 0; i < 4; ++i) effect_of(*made, 1, i);
}

void check_cuda(const Subject& s) {
  if (s.cuda.empty()) throw Skipped(s.no_cuda_because);
  BenchContext context(s, s.cuda);
  const auto made = s.make<BatchAugmentation>(context);
  for (std::uint64_t i = 0; i < 4; ++i) {
    const BatchEffect here = sound_effect_of(*made, usual, i);
    const BatchEffect there = effect_of(*made, usual, i, s.cuda);
    expect(relative_difference(here.images, there.images) < 1e-5 &&
               relative_difference(here.targets, there.targets) < 1e-5 &&
               relative_difference(here.weights, there.weights) < 1e-5,
           "on CUDA it does something else than on the CPU");
  }
}

std::string bytes_of(const at::Tensor& t) {
  const at::Tensor flat = t.contiguous();
  return {static_cast<const char*>(flat.const_data_ptr()), flat.nbytes()};
}

}  // namespace

std::string batch_augmentation_trace(const Subject& s) {
  BenchContext context(s);
  const auto made = s.make<BatchAugmentation>(context);
  std::string out;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const BatchEffect e = sound_effect_of(*made, 2, i);
    out += bytes_of(e.images) + bytes_of(e.targets) + bytes_of(e.weights);
  }
  return out;
}

std::vector<Check> batch_augmentation_checks() {
  return {
      {"batches", "forms and ranges stay, and what was given is left alone", &check_batches},
      {"determinism", "an equal Rng draws the same, from every instance", &check_determinism},
      {"state", "what was drawn first is drawn again after many others", &check_state},
      {"labels", "targets follow what moves or mixes pictures", &check_labels},
      {"weights", "pixels of which nothing is known still count 0", &check_weights},
      {"randomness", "random numbers come from the Rng alone", &check_randomness},
      {"threads", "calls at once do what calls in turn do", &check_threads},
      {"extremes", "a single sample is served", &check_extremes},
      {"cuda", "batches on CUDA are served, and agree with the CPU", &check_cuda},
  };
}

}  // namespace nephron::conformance
