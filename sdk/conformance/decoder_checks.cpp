#include <ATen/core/grad_mode.h>
#include <nephron/decoder.hpp>

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
  const auto copies = [](const std::vector<at::Tensor>& features) {
    std::vector<at::Tensor> out;
    for (const at::Tensor& f : features) out.push_back(f.detach().clone());
    return out;
  };
  const auto features = features_for(levels_for(*decoder), 3, 64, 64);
  auto others = copies(features);
  for (at::Tensor& f : others) f.select(0, 1).mul_(3).add_(1);
  const at::Tensor before = decoder->forward(copies(features)), after = decoder->forward(others);
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
  std::vector<at::Tensor> given;
  for (const at::Tensor& f : features) given.push_back(f.detach().clone());
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

}  // namespace

std::vector<Check> decoder_checks() {
  return {
      {"shapes", "the map has the channels and the size that head() says, at two sizes", &check_shapes},
      {"gradients", "gradients are finite, and reach every parameter and the encoder", &check_gradients},
      {"state", "names and shapes of weights are the same in every instance", &check_state},
      {"determinism", "in eval mode equal weights give equal results, without random numbers", &check_determinism},
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
