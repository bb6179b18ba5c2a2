#include <array>
#include <cmath>
#include <optional>

#include <ATen/core/grad_mode.h>
#include <nephron/decoder.hpp>
#include <nephron/value.hpp>

#include <conformance/kind_checks.hpp>
#include <conformance/module_checks.hpp>

namespace nephron::conformance {

namespace {

/// Levels as an encoder of the wanted depth and stride has them, with few channels.
std::vector<Level> levels_for(const Decoder& decoder) {
  const int depth = decoder.depth();
  const int most = decoder.output_stride();
  expect(depth >= 1 && depth <= 8, [&] { return "depth() is " + std::to_string(depth) + "; expected 1 to 8"; });
  expect(most == 8 || most == 16 || most == 32 || depth < 5,
         [&] { return "output_stride() is " + std::to_string(most) + "; expected 8, 16 or 32"; });
  std::vector<Level> levels{{3, 1}};
  for (int i = 1; i <= depth; ++i) levels.push_back({8 * i + 8, std::min<std::int64_t>(std::int64_t{1} << i, most)});
  return levels;
}

std::vector<at::Tensor> features_for(const std::vector<Level>& levels, std::int64_t n, std::int64_t height,
                                     std::int64_t width) {
  std::vector<at::Tensor> out;
  for (std::size_t i = 0; i < levels.size(); ++i)
    out.push_back(random_tensor({n, levels[i].channels, height / levels[i].stride, width / levels[i].stride}, 20 + i)
                      .requires_grad_(true));
  return out;
}

std::shared_ptr<Decoder> built(const Subject& s, Context& context) {
  auto decoder = s.make<Decoder>(context);
  decoder->build(levels_for(*decoder));
  return decoder;
}

at::Tensor require_map(Decoder& decoder, const std::vector<Level>& levels, std::int64_t n, std::int64_t height,
                       std::int64_t width) {
  const HeadSpec head = decoder.head();
  expect(head.in_channels > 0 && head.kernel > 0 && head.kernel % 2 == 1 && head.upsampling >= 1,
         "head() is not a convolution of odd size on at least one channel");
  const at::Tensor map = decoder.forward(features_for(levels, n, height, width));
  const std::vector<std::int64_t> wanted{n, head.in_channels, height / head.upsampling, width / head.upsampling};
  expect(map.defined() && map.sizes() == at::IntArrayRef(wanted), [&] {
    return "forward for an image of " + std::to_string(height) + " x " + std::to_string(width) + " gives " +
           shape_text(map) + "; head() promised " + std::to_string(head.in_channels) + " channels and " +
           std::to_string(head.upsampling) + "-fold upsampling to the image";
  });
  expect(all_finite(map), "the map is not finite");
  return map;
}

at::Tensor require_map(Decoder& decoder, std::int64_t n, std::int64_t height, std::int64_t width) {
  return require_map(decoder, levels_for(decoder), n, height, width);
}

void check_shapes(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto decoder = built(s, context);
  decoder->eval();
  require_map(*decoder, 1, 64, 64);
  require_map(*decoder, 2, 96, 128);
}

std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& features) {
  std::vector<at::Tensor> out;
  for (const at::Tensor& f : features) out.push_back(f.detach().clone());
  return out;
}

/// That a level without a gradient is one that the map does not depend on.
void require_unused(Decoder& decoder, const std::vector<at::Tensor>& features, std::size_t level) {
  const at::NoGradGuard no_grad;
  decoder.eval();
  std::vector<at::Tensor> others = copies_of(features);
  others[level].mul_(3).add_(1);
  expect(relative_difference(decoder.forward(copies_of(features)), decoder.forward(others)) < 1e-6, [&] {
    return "the map depends on level " + std::to_string(level) +
           ", but no gradient reaches it: is it detached? The encoder would not be trained through it";
  });
}

void check_gradients(const Subject& s) {
  BenchContext context(s);
  const auto decoder = built(s, context);
  decoder->train();
  const GradientWatch watch(*decoder);
  const auto features = features_for(levels_for(*decoder), 2, 64, 64);
  std::vector<at::Tensor> given;  // as an encoder gives them: no leaves
  for (const at::Tensor& f : features) given.push_back(f * 1);
  const at::Tensor map = decoder->forward(given);
  expect(map.requires_grad(), "the map depends neither on the features nor on the weights");
  map.square().mean().backward();
  watch.require_gradients();
  int used = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const at::Tensor& gradient = features[i].grad();
    if (!gradient.defined()) continue;
    expect(all_finite(gradient), [&] { return "the gradient of level " + std::to_string(i) + " is not finite"; });
    expect(gradient.abs().max().item<double>() > 0,
           [&] { return "level " + std::to_string(i) + " is used, but its gradient is zero everywhere"; });
    ++used;
  }
  expect(used > 0, "no gradient reaches the encoder's features: the encoder would not be trained");
  for (std::size_t i = 0; i < features.size(); ++i)
    if (!features[i].grad().defined()) require_unused(*decoder, features, i);
}

/// Where the map answers to one place of a level that changes: the middle of its largest answers, in pixels of the map.
std::optional<std::array<double, 2>> answer_of(Decoder& decoder, const std::vector<at::Tensor>& features,
                                               const at::Tensor& map, std::size_t level, std::int64_t x,
                                               std::int64_t y) {
  std::vector<at::Tensor> given = copies_of(features);
  given[level].select(2, y).select(2, x).add_(5);
  at::Tensor answer = (decoder.forward(given) - map).to(at::kDouble).square().sum(at::IntArrayRef{0, 1});
  const double most = answer.max().item<double>();
  if (most <= 0) return std::nullopt;
  answer = (answer - 0.1 * most).clamp_min(0);  // what is answered everywhere, such as to a mean, tells no place
  const auto middle = [&](int along) {
    const at::Tensor sums = answer.sum(1 - along);
    double total = 0, places = 0;
    for (std::int64_t i = 0; i < sums.numel(); ++i) {
      const double weight = sums[i].item<double>();
      total += weight, places += weight * static_cast<double>(i);
    }
    return places / total;
  };
  return std::array{middle(1), middle(0)};
}

/// A map that is shifted or mirrored trains, and its edges are never right.
void check_places(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  constexpr std::int64_t height = 128, width = 192;
  constexpr int instances = 3;  // of whose weights some answer to one side
  for (std::size_t level = 1;; ++level) {
    int answers = 0;
    double right = 0, below = 0, farthest = 0, pixel = 1;
    for (int k = 0; k < instances; ++k) {
      const auto decoder = built(s, context);
      const std::vector<Level> levels = levels_for(*decoder);
      if (level >= levels.size() || height / levels[level].stride < 8)
        throw Skipped("its map answers to no place of a fine level");
      decoder->eval();
      const auto features = features_for(levels, 1, height, width);
      const at::Tensor map = decoder->forward(copies_of(features));
      const std::int64_t upsampling = decoder->head().upsampling;
      if (map.dim() != 4 || map.size(2) != height / upsampling || map.size(3) != width / upsampling)
        throw Skipped("needs a map of the size that head() says");
      pixel = static_cast<double>(levels[level].stride) / static_cast<double>(upsampling);
      for (const auto& [eighth_x, eighth_y] : {std::pair{3, 3}, {5, 3}, {3, 5}, {5, 5}}) {
        const std::int64_t x = width / levels[level].stride * eighth_x / 8,
                           y = height / levels[level].stride * eighth_y / 8;
        const auto answer = answer_of(*decoder, features, map, level, x, y);
        if (!answer) continue;
        const double dx = (*answer)[0] - ((static_cast<double>(x) + 0.5) * pixel - 0.5),
                     dy = (*answer)[1] - ((static_cast<double>(y) + 0.5) * pixel - 0.5);
        right += dx, below += dy, ++answers;
        farthest = std::max(farthest, std::hypot(dx, dy) / static_cast<double>(map.size(2)));
      }
    }
    if (answers == 0) continue;
    right /= answers, below /= answers;
    expect(std::hypot(right, below) <= 1 + 0.75 * pixel && farthest < 0.2, [&] {
      return "the map answers elsewhere than level " + std::to_string(level) + " changes: " + Value(right).str() +
             " of its pixels to the right and " + Value(below).str() + " below in the mean, and up to " +
             Value(farthest).str() + " of its height away; is it shifted, cropped at one side, or mirrored?";
    });
    return;
  }
}

void check_state(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto one = built(s, context);
  const auto two = built(s, context);
  const auto state = state_of(*one);
  expect(state == state_of(*two), "two instances have other names or shapes of parameters");
  require_own_names(*one);
  one->eval();
  require_map(*one, 1, 64, 64);
  expect(state == state_of(*one), "forward adds, drops or reshapes parameters");
}

void check_determinism(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto one = built(s, context);
  const auto two = built(s, context);
  copy_state(*one, *two);
  one->eval();
  two->eval();
  RandomWatch watch;
  const at::Tensor first = require_map(*one, 1, 64, 64);
  expect(same(first, require_map(*one, 1, 64, 64)),
         "in eval mode, a second forward of the same features gives another result");
  expect(relative_difference(first, require_map(*two, 1, 64, 64)) < 1e-5,
         "two instances with equal weights give other results in eval mode");
  watch.require_untouched();
}

void check_samples(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto decoder = built(s, context);
  decoder->eval();
  const auto features = features_for(levels_for(*decoder), 3, 64, 64);
  auto others = copies_of(features);
  for (at::Tensor& f : others) f.select(0, 1).mul_(3).add_(1);
  const at::Tensor before = decoder->forward(copies_of(features)), after = decoder->forward(others);
  for (const std::int64_t n : {0, 2})
    expect(relative_difference(before.select(0, n), after.select(0, n)) < 1e-5,
           "in eval mode, the map of a sample changes with another sample of the batch; are statistics of the batch "
           "used in eval, or samples mixed?");
}

void check_inputs(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto decoder = built(s, context);
  decoder->eval();
  const auto features = features_for(levels_for(*decoder), 1, 64, 64);
  const std::vector<at::Tensor> given = copies_of(features);
  decoder->forward(given);
  for (std::size_t i = 0; i < features.size(); ++i)
    expect(same(features[i].detach(), given[i]), [&] {
      return "forward changes level " + std::to_string(i) +
             " of the features that it is given: an operation whose name ends in _ works in place; take the one "
             "without _";
    });
}

void check_refusals(const Subject& s) {
  BenchContext context(s);
  const std::vector<Level> right = levels_for(*s.make<Decoder>(context));
  for (const std::vector<Level>& wrong : {std::vector<Level>{}, std::vector<Level>{right.front()}}) {
    const auto decoder = s.make<Decoder>(context);
    try {
      decoder->build(wrong);
    } catch (const Error&) {
      continue;
    } catch (const std::exception& e) {
      throw Failed("built on " + std::to_string(wrong.size()) +
                   " levels it throws something other than an Error: " + e.what());
    }
    throw Failed("built on " + std::to_string(wrong.size()) +
                 " levels it does not say what is missing; expected an Error");
  }
}

void check_auxiliary(const Subject& s) {
  BenchContext context(s);
  const auto decoder = built(s, context);
  auto* const auxiliary = dynamic_cast<AuxiliaryMaps*>(decoder.get());
  if (auxiliary == nullptr) throw Skipped("it gives no auxiliary maps");
  const std::vector<HeadSpec> heads = auxiliary->auxiliary_heads();
  if (heads.empty()) throw Skipped("it gives no auxiliary maps with these parameters");
  decoder->eval();
  require_map(*decoder, 2, 64, 96);
  expect(auxiliary->take_auxiliary_maps().empty(), "it gives auxiliary maps after a forward in eval mode");
  decoder->train();
  const auto features = features_for(levels_for(*decoder), 2, 64, 96);
  decoder->forward(features);
  const std::vector<at::Tensor> maps = auxiliary->take_auxiliary_maps();
  expect(maps.size() == heads.size(), [&] {
    return "auxiliary_heads() tells of " + std::to_string(heads.size()) + " maps, and there are " +
           std::to_string(maps.size());
  });
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::vector<std::int64_t> wanted{2, heads[i].in_channels, 64 / heads[i].upsampling, 96 / heads[i].upsampling};
    expect(maps[i].defined() && maps[i].sizes() == at::IntArrayRef(wanted), [&] {
      return "auxiliary map " + std::to_string(i) + " is " + shape_text(maps[i]) + "; its head promised " +
             std::to_string(heads[i].in_channels) + " channels and " + std::to_string(heads[i].upsampling) +
             "-fold upsampling";
    });
    expect(maps[i].requires_grad(), [&] { return "auxiliary map " + std::to_string(i) + " trains nothing"; });
  }
  expect(auxiliary->take_auxiliary_maps().empty(), "it gives the auxiliary maps of one forward twice");
  decoder->forward(features);
  decoder->eval();
  decoder->forward(features);
  expect(auxiliary->take_auxiliary_maps().empty(),
         "after a forward in eval mode it gives the auxiliary maps of the forward in training mode before it");
}

void check_skipped_stride(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto decoder = s.make<Decoder>(context);
  std::vector<Level> levels = levels_for(*decoder);
  if (levels.size() < 3) throw Skipped("it asks for one level after the input");
  levels.erase(levels.begin() + 1);
  try {
    decoder->build(levels);
  } catch (const Error&) {  // it may refuse, readably
    throw Skipped("it refuses an encoder without stride 2, with an Error as it should");
  }
  decoder->eval();
  require_map(*decoder, levels, 1, 64, 64);
}

void check_cuda(const Subject& s) {
  if (s.cuda.empty()) throw Skipped(s.no_cuda_because);
  const at::NoGradGuard no_grad;
  BenchContext context(s, s.cuda);
  const auto decoder = built(s, context);
  decoder->eval();
  auto features = features_for(levels_for(*decoder), 1, 64, 64);
  const at::Tensor here = decoder->forward(features);
  decoder->to(at::Device(s.cuda));
  for (at::Tensor& f : features) f = f.to(at::Device(s.cuda));
  expect(relative_difference(here, decoder->forward(features)) < 1e-2,
         "the map on CUDA differs from the CPU's by more than 0.01");
}

void check_first_weights(const Subject& s) {
  BenchContext context(s);
  require_no_seeding([&] {
    const auto decoder = built(s, context);
    decoder->train();
    decoder->forward(copies_of(features_for(levels_for(*decoder), 2, 64, 64)));
  });
}

}  // namespace

std::string decoder_trace(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  std::shared_ptr<Decoder> decoder;
  return module_trace(
      [&] {
        decoder = built(s, context);
        decoder->eval();
      },
      [&] { return std::vector<at::Tensor>{decoder->forward(features_for(levels_for(*decoder), 1, 64, 64))}; });
}

std::vector<Check> decoder_checks() {
  return {
      {"shapes", "the map has the channels and the size that head() says, at two sizes", &check_shapes},
      {"gradients", "gradients are finite, and reach every parameter and the encoder", &check_gradients},
      {"state", "names and shapes of weights are the same in every instance", &check_state},
      {"determinism", "in eval mode equal weights give equal results, without random numbers", &check_determinism},
      {"first_weights", "LibTorch's generator is drawn from, never seeded", &check_first_weights},
      {"places", "the map answers where the features change", &check_places},
      {"inputs", "the encoder's features are left alone", &check_inputs},
      {"samples", "in eval mode a sample's map does not depend on the others", &check_samples},
      {"auxiliary", "auxiliary maps are as their heads say, in training and once", &check_auxiliary},
      {"missing_levels", "levels that are missing are explained by an Error", &check_refusals},
      {"skipped_stride", "an encoder whose first level has stride 4 is served or refused readably",
       &check_skipped_stride},
      {"cuda", "CUDA tensors work, and agree with the CPU", &check_cuda},
  };
}

}  // namespace nephron::conformance
