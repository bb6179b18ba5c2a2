#include <conformance/label_probes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/min.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <nephron/label_pixels.hpp>
#include <nephron/value.hpp>

#include <conformance/bench.hpp>
#include <conformance/label_offsets.hpp>
#include <conformance/motion.hpp>

namespace nephron::conformance {

namespace {

std::vector<float> values_of(const ImageView& image, int channel) {
  std::vector<float> out;
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t x = 0; x < image.width; ++x)
      out.push_back(static_cast<float>(image.row<std::uint8_t>(y)[x * image.channels + channel]) / 255.0F);
  return out;
}

Planes planes_of(const ImageView& image) {
  return {image.size(), {values_of(image, 0), values_of(image, 1), values_of(image, 2)}};
}

constexpr std::int64_t probe_samples = 4;
float target_of(std::int64_t sample) { return static_cast<float>(sample) / (probe_samples - 1); }

constexpr float colours[probe_samples][3] = {
    {-1.1F, 0.3F, 0.7F}, {0.9F, -0.8F, 0.1F}, {0.2F, 1.3F, -0.9F}, {-0.4F, -0.5F, -1.4F}};

struct Probe {
  at::Tensor images, targets;
};

/// Samples of one colour and one target each, which tell whose a pixel was; or samples whose pixels tell their places.
Probe make_batch(std::optional<Texture> places) {
  Probe out{at::empty({probe_samples, 3, probe_size.height, probe_size.width}, at::kFloat),
            at::empty({probe_samples, 1, probe_size.height, probe_size.width}, at::kFloat)};
  auto images = out.images.accessor<float, 4>();
  auto targets = out.targets.accessor<float, 4>();
  for (std::int64_t i = 0; i < probe_samples; ++i)
    for (std::int64_t y = 0; y < probe_size.height; ++y)
      for (std::int64_t x = 0; x < probe_size.width; ++x) {
        for (int c = 0; c < 3; ++c)
          images[i][c][y][x] = places ? textured(*places, probe_size, x, y, c) : colours[i][c];
        targets[i][0][y][x] = places ? static_cast<float>((x / 37 + y / 29) % 2) : target_of(i);
      }
  return out;
}

Probe batch_of(std::optional<Texture> places) {
  static const Probe whose = make_batch({}), hills = make_batch(Texture::hills), grain = make_batch(Texture::grain);
  const Probe& made = !places ? whose : *places == Texture::hills ? hills : grain;
  return {made.images.clone(), made.targets.clone()};
}

std::vector<float> list(const at::Tensor& t) {
  const at::Tensor flat = t.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

Planes planes_of(const at::Tensor& image) {
  return {probe_size, {list(image.select(0, 0)), list(image.select(0, 1)), list(image.select(0, 2))}};
}

/// Share of a sample's pixels that lie on the line to another sample's colour.
double foreign_share(const at::Tensor& image, std::int64_t own) {
  const std::vector<float> r = list(image.select(0, 0)), g = list(image.select(0, 1)), b = list(image.select(0, 2));
  std::size_t foreign = 0;
  for (std::size_t k = 0; k < r.size(); ++k)
    for (std::int64_t other = 0; other < probe_samples; ++other) {
      if (other == own) continue;
      const auto step = [&](int c) { return colours[other][c] - colours[own][c]; };
      const float share = (r[k] - colours[own][0]) / step(0);
      const auto fits = [&](float value, int c) { return std::abs(value - colours[own][c] - share * step(c)) < 1e-3F; };
      if (share > 0.05F && share <= 1.001F && fits(g[k], 1) && fits(b[k], 2)) {
        ++foreign;
        break;
      }
    }
  return static_cast<double>(foreign) / static_cast<double>(r.size());
}

/// Share of a picture's pixels that are sample `of`'s alone, and count.
double share_that_counts(const at::Tensor& image, const at::Tensor& weights, std::int64_t of) {
  at::Tensor alike = at::ones_like(weights, at::kBool);
  for (int c = 0; c < 3; ++c) alike = alike.logical_and((image.select(0, c) - colours[of][c]).abs() < 1e-3);
  return alike.logical_and(weights > 0).to(at::kDouble).mean().item<double>();
}

/// Whose colour a sample's picture was mixed with, and how much of it there is.
struct Mixture {
  std::int64_t other = -1;  ///< -1: with nobody's
  double of_picture = 0;
  double of_target = 0;
};

/// A sample of batch_of({}) that is one colour and one target all over: mixed with one other sample, or with none.
Mixture mixture_of(const at::Tensor& image, const at::Tensor& target, std::int64_t own) {
  const auto value = [](const at::Tensor& t) {  // of all of it, or not a number
    return (t.max() - t.min()).item<double>() < 1e-3 ? t.mean().item<double>() : std::nan("");
  };
  const double colour[3] = {value(image.select(0, 0)), value(image.select(0, 1)), value(image.select(0, 2))};
  for (std::int64_t other = 0; other < probe_samples; ++other) {
    if (other == own) continue;
    const double share = (colour[0] - colours[own][0]) / (colours[other][0] - colours[own][0]);
    const auto fits = [&](int c) {
      return std::abs(colour[c] - colours[own][c] - share * (colours[other][c] - colours[own][c])) < 1e-3;
    };
    if (share > 0.05 && share < 0.95 && fits(1) && fits(2))
      return {other, share, (value(target) - target_of(own)) / static_cast<double>(target_of(other) - target_of(own))};
  }
  return {};
}

/// MixUp with the shares of pictures and targets swapped: every sample that was mixed has its target mixed with what
/// its picture was not. Smoothed or sharpened targets are not of that pattern in all samples.
void require_same_shares(const Probe& after) {
  std::int64_t mixed = 0, swapped = 0;
  Mixture seen;
  for (std::int64_t i = 0; i < probe_samples; ++i) {
    const Mixture m = mixture_of(after.images.select(0, i), after.targets.select(0, i).select(0, 0), i);
    if (m.other < 0 || std::abs(m.of_picture - 0.5) < 0.05) continue;  // halves have no order
    ++mixed;
    if (std::abs(m.of_target - (1 - m.of_picture)) > 0.01) continue;
    ++swapped;
    seen = m;
  }
  expect(mixed < 2 || swapped < mixed, [&] {
    return "it mixes " + Value(seen.of_picture).str() + " of another sample into the pictures and " +
           Value(seen.of_target).str() + " of it into the targets: their shares are swapped";
  });
}

void require_labels_follow(const std::function<void(const SampleView&)>& change, Texture texture) {
  const auto byte = [texture](std::int64_t x, std::int64_t y, int channel) {
    return static_cast<std::uint8_t>(255 * textured(texture, probe_size, x, y, channel));
  };
  Image image(probe_size, 3), labels(probe_size, 1);
  std::array<Image, 2> maps{Image(probe_size, 1), Image(probe_size, 1)};
  for (std::int64_t y = 0; y < probe_size.height; ++y)
    for (std::int64_t x = 0; x < probe_size.width; ++x) {
      for (int c = 0; c < 3; ++c) image.view().row<std::uint8_t>(y)[3 * x + c] = byte(x, y, c);
      labels.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>((x / 37 + 2 * (y / 29)) % 3);
      for (int m = 0; m < 2; ++m)  // the last channel as well, which changes with any motion
        maps[static_cast<std::size_t>(m)].view().row<std::uint8_t>(y)[x] =
            static_cast<std::uint8_t>(byte(x, y, m) / 2 + byte(x, y, 2) / 2);
    }
  const Planes before = planes_of(image.view());
  const std::vector<float> labels_before = values_of(labels.view(), 0);
  const std::array maps_before{values_of(maps[0].view(), 0), values_of(maps[1].view(), 0)};
  const std::array soft{maps[0].view(), maps[1].view()};
  change({image.view(), labels.view(), soft});
  if (!moved(texture, before, planes_of(image.view()))) return;
  expect(values_of(labels.view(), 0) != labels_before,
         "pixels() moves the picture and leaves its labels where they were");
  for (std::size_t m = 0; m < soft.size(); ++m)
    expect(values_of(soft[m], 0) != maps_before[m],
           "pixels() moves the picture and leaves its probability maps (SampleView::soft) where they were");
}

/// Labels of 16 and 32 bits, which experiments of more than 8 classes have, go where those of 8 go.
void require_wide_labels_follow(const std::function<void(const SampleView&)>& change) {
  const auto shift_of = [](Depth depth) { return depth == Depth::u8 ? 0 : depth == Depth::u16 ? 8 : 24; };
  const auto changed = [&](Depth depth) {
    const Image image(probe_size, 3), labels(probe_size, 1, depth), map(probe_size, 1);
    with_label_type(depth, [&](auto zero) {
      for (std::int64_t y = 0; y < probe_size.height; ++y)
        for (std::int64_t x = 0; x < probe_size.width; ++x) {
          const auto bit = static_cast<unsigned>(x / 7 + 3 * (y / 5)) % 8;
          labels.view().row<decltype(zero)>(y)[x] = static_cast<decltype(zero)>(1U << bit << shift_of(depth));
        }
    });
    const std::array soft{map.view()};
    const std::function<void(const SampleView&)> copy = change;  // what it keeps begins anew
    copy({image.view(), labels.view(), soft});
    return labels;
  };
  const Image bytes = changed(Depth::u8);
  for (const Depth depth : {Depth::u16, Depth::u32}) {
    const Image wide = changed(depth);
    with_label_type(depth, [&](auto zero) {
      for (std::int64_t y = 0; y < probe_size.height; ++y)
        for (std::int64_t x = 0; x < probe_size.width; ++x)
          expect(wide.view().row<const decltype(zero)>(y)[x] ==
                     static_cast<std::uint32_t>(bytes.view().row<const std::uint8_t>(y)[x]) << shift_of(depth),
                 [&] {
                   return std::string("pixels() does something else to labels of ") +
                          (depth == Depth::u16 ? "16 bits (more than 8" : "32 bits (more than 16") +
                          " classes) than to those of 8: their depth is SampleView::labels.depth, "
                          "<nephron/label_pixels.hpp>";
                 });
    });
  }
}

/// Samples whose targets are as they were have to look as if nothing of them had moved.
void require_still(Texture texture, const Probe& before, const Probe& after) {
  for (std::int64_t i = 0; i < probe_samples; ++i)
    expect(!same(after.targets.select(0, i), before.targets.select(0, i)) ||
               !moved(texture, planes_of(before.images.select(0, i)), planes_of(after.images.select(0, i))),
           "it moves the pictures of a batch and leaves their targets where they were");
}

void require_own(const Probe& before, const Probe& after) {
  require_same_shares(after);
  for (std::int64_t i = 0; i < probe_samples; ++i)
    expect(!same(after.targets.select(0, i), before.targets.select(0, i)) ||
               foreign_share(after.images.select(0, i), i) < 0.05,
           "it puts one sample's picture into another's and leaves the targets as they were");
}

}  // namespace

void require_labels_follow(const std::function<void(const SampleView&)>& change) {
  for (const Texture texture : {Texture::hills, Texture::grain}) require_labels_follow(change, texture);
  require_wide_labels_follow(change);
  require_labels_on_their_pixels(change);
}

void require_targets_follow(const BatchAugmentation& augmentation, const Rng& rng) {
  for (const std::optional<Texture> places : {std::optional<Texture>(), {Texture::hills}, {Texture::grain}}) {
    const Probe before = batch_of(places);
    Batch batch(before.images.clone(), before.targets.clone(), at::ones({probe_samples, 1}));
    Rng same_draws = rng;
    augmentation.apply(batch, same_draws);
    const Probe after{batch.images(), batch.targets()};
    expect(batch.spread_weights().sum().item<double>() > 0,
           "the weights of a whole batch become 0: nothing of it would be trained on");
    if (places) require_still(*places, before, after);
    else require_own(before, after);
  }
}

void require_unknown_stays_unknown(const BatchAugmentation& augmentation, const Rng& rng) {
  constexpr std::int64_t unknown = 2;
  for (const bool by_pixels : {false, true}) {
    const Probe probe = batch_of({});
    at::Tensor weights = at::ones({probe_samples, 1}), pixels = at::ones_like(probe.targets);
    (by_pixels ? pixels : weights).select(0, unknown).fill_(0);
    Batch batch(probe.images, probe.targets, weights);
    if (by_pixels) batch.set_pixel_weights(pixels);
    Rng same_draws = rng;
    augmentation.apply(batch, same_draws);
    const at::Tensor counts = batch.spread_weights();
    for (std::int64_t i = 0; i < probe_samples; ++i) {
      const at::Tensor image = batch.images().select(0, i), count = counts.select(0, i).select(0, 0);
      const Mixture m = mixture_of(image, batch.targets().select(0, i).select(0, 0), i);
      const bool mixed = m.other == unknown || (m.other >= 0 && i == unknown);
      expect((mixed ? count.max().item<double>() : share_that_counts(image, count, unknown)) < 0.02,
             "pixels of a sample that counts 0 (its class is not annotated) count where they were put or mixed in: "
             "their targets would be learnt from");
    }
  }
}

}  // namespace nephron::conformance
