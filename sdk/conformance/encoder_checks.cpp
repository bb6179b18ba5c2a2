#include <ATen/core/grad_mode.h>
#include <nephron/encoder.hpp>

#include <conformance/kind_checks.hpp>
#include <conformance/module_checks.hpp>

namespace nephron::conformance {

namespace {

std::shared_ptr<Encoder> built(const Subject& s, Context& context, const EncoderOptions& options = {}) {
  auto encoder = s.make<Encoder>(context);
  encoder->build(options);
  return encoder;
}

std::int64_t coarsest(const std::vector<Level>& levels) {
  std::int64_t out = 1;
  for (const Level& l : levels) out = std::max(out, l.stride);
  return out;
}

/// Levels that are listed and, between them, strides that are skipped.
int counted(const std::vector<Level>& levels) {
  auto out = static_cast<int>(levels.size());
  for (std::size_t i = 1; i < levels.size(); ++i)
    for (std::int64_t stride = 2 * levels[i - 1].stride; stride < levels[i].stride; stride *= 2) ++out;
  return out;
}

void require_levels(Encoder& encoder, const EncoderOptions& options) {
  const std::vector<Level> levels = encoder.levels();
  const int expected = options.depth + 1;
  expect(static_cast<int>(levels.size()) == expected ||
             (static_cast<int>(levels.size()) < expected && counted(levels) == expected),
         [&] {
           return "levels() has " + std::to_string(levels.size()) + " entries at depth " +
                  std::to_string(options.depth) +
                  "; expected the input and one a level, less one for each stride that is skipped";
         });
  expect(levels[0].stride == 1 && levels[0].channels == options.in_channels,
         "the first level is not the input (stride 1, its channels)");
  for (std::size_t i = 1; i < levels.size(); ++i)
    expect(levels[i].channels > 0 && levels[i].stride >= levels[i - 1].stride,
           [&] { return "level " + std::to_string(i) + " is finer than the one before it, or has no channels"; });
}

/// Forward at a size; every output is what levels() says.
std::vector<at::Tensor> require_outputs(Encoder& encoder, const at::Tensor& image) {
  const std::vector<Level> levels = encoder.levels();
  std::vector<at::Tensor> out = encoder.forward(image.clone());
  expect(out.size() == levels.size(), [&] {
    return "forward gives " + std::to_string(out.size()) + " tensors for " + std::to_string(levels.size()) + " levels";
  });
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::vector<std::int64_t> wanted{image.size(0), levels[i].channels, image.size(2) / levels[i].stride,
                                           image.size(3) / levels[i].stride};
    expect(out[i].defined() && out[i].sizes() == at::IntArrayRef(wanted), [&] {
      return "level " + std::to_string(i) + " of an image " + shape_text(image) + " is " + shape_text(out[i]) +
             "; levels() promised " + std::to_string(levels[i].channels) + " channels at stride " +
             std::to_string(levels[i].stride);
    });
    expect(all_finite(out[i]), [&] { return "level " + std::to_string(i) + " is not finite"; });
  }
  expect(same(out[0], image), "the first tensor is not the input");
  return out;
}

at::Tensor image_for(const Encoder& encoder, std::int64_t rows, std::int64_t columns, std::int64_t channels = 3,
                     std::int64_t n = 1) {
  const std::int64_t side = coarsest(encoder.levels());
  return random_tensor({n, channels, rows * side, columns * side}, 9);
}

void check_levels(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto encoder = built(s, context);
  require_levels(*encoder, {});
  encoder->eval();
  require_outputs(*encoder, image_for(*encoder, 2, 2));
  require_outputs(*encoder, image_for(*encoder, 3, 4, 3, 2));
}

void check_options(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  int served = 0;
  for (const EncoderOptions& options :
       {EncoderOptions{3, 4}, EncoderOptions{3, 3}, EncoderOptions{1, 5}, EncoderOptions{4, 5}}) {
    std::shared_ptr<Encoder> encoder = s.make<Encoder>(context);
    try {
      encoder->build(options);
    } catch (const Error&) {  // it may refuse, readably
      continue;
    }
    require_levels(*encoder, options);
    encoder->eval();
    require_outputs(*encoder, image_for(*encoder, 2, 2, options.in_channels));
    ++served;
  }
  if (served == 0) throw Skipped("it refuses depths 4 and 3 and inputs of 1 and 4 channels");
}

void check_output_stride(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  int served = 0;
  for (const int stride : {16, 8}) {
    const auto encoder = built(s, context);
    const auto before = state_of(*encoder);
    try {
      encoder->set_output_stride(stride);
    } catch (const Error&) {
      continue;
    }
    expect(coarsest(encoder->levels()) == stride, [&] {
      return "at output stride " + std::to_string(stride) + " the coarsest level has stride " +
             std::to_string(coarsest(encoder->levels()));
    });
    expect(state_of(*encoder) == before, "an output stride changes names or shapes of the weights");
    encoder->eval();
    require_outputs(*encoder, random_tensor({1, 3, 64, 96}, 9));
    ++served;
  }
  if (served == 0) throw Skipped("it refuses output strides 16 and 8, with an Error as it should");
}

void check_state(const Subject& s) {
  BenchContext context(s);
  const auto one = built(s, context);
  const auto two = built(s, context);
  const auto state = state_of(*one);
  expect(!state.empty(), "it has no parameters");
  expect(state == state_of(*two), "two instances have other names or shapes of parameters");
  require_own_names(*one);
  one->eval();
  one->forward(image_for(*one, 2, 2));
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
  const at::Tensor image = image_for(*one, 2, 2);
  RandomWatch watch;
  const auto first = one->forward(image.clone());
  const auto again = one->forward(image.clone());
  const auto other = two->forward(image.clone());
  watch.require_untouched();
  for (std::size_t i = 0; i < first.size(); ++i) {
    expect(same(first[i], again[i]), "in eval mode, a second forward of the same image gives another result");
    expect(relative_difference(first[i], other[i]) < 1e-5,
           "two instances with equal weights give other results in eval mode");
  }
}

void check_inputs(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto encoder = built(s, context);
  encoder->eval();
  const at::Tensor image = image_for(*encoder, 2, 2), given = image.clone();
  encoder->forward(given);
  expect(same(image, given),
         "forward changes the image that it is given: an operation whose name ends in _ works in place; take the one "
         "without _ for the first layer");
}

void check_samples(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  const auto encoder = built(s, context);
  encoder->eval();
  const at::Tensor image = image_for(*encoder, 2, 2, 3, 3);
  at::Tensor other = image.clone();
  other.select(0, 1).mul_(3).add_(1);
  const auto before = encoder->forward(image.clone()), after = encoder->forward(other);
  for (std::size_t i = 1; i < before.size(); ++i)
    for (const std::int64_t n : {0, 2})
      expect(relative_difference(before[i].select(0, n), after[i].select(0, n)) < 1e-5, [&] {
        return "in eval mode, level " + std::to_string(i) +
               " of a sample changes with another sample of the batch; are statistics of the batch used in eval, or "
               "samples mixed?";
      });
}

void check_gradients(const Subject& s) {
  BenchContext context(s);
  const auto encoder = built(s, context);
  encoder->train();
  const GradientWatch watch(*encoder);
  const at::Tensor leaf = image_for(*encoder, 2, 2, 3, 2).requires_grad_(true);
  const auto out = encoder->forward(leaf * 1);
  at::Tensor sum;
  for (std::size_t i = 1; i < out.size(); ++i) sum = sum.defined() ? sum + out[i].mean() : out[i].mean();
  expect(sum.defined() && sum.requires_grad(), "its features do not depend on its weights");
  sum.backward();
  watch.require_gradients();
}

void check_cuda(const Subject& s) {
  if (s.cuda.empty()) throw Skipped(s.no_cuda_because);
  const at::NoGradGuard no_grad;
  BenchContext context(s, s.cuda);
  const auto encoder = built(s, context);
  encoder->eval();
  const at::Tensor image = image_for(*encoder, 2, 2);
  const auto here = encoder->forward(image.clone());
  encoder->to(at::Device(s.cuda));
  const auto there = encoder->forward(image.to(at::Device(s.cuda)));
  for (std::size_t i = 0; i < here.size(); ++i)
    expect(relative_difference(here[i], there[i]) < 1e-2,
           [&] { return "level " + std::to_string(i) + " on CUDA differs from the CPU's by more than 0.01"; });
}

void check_first_weights(const Subject& s) {
  BenchContext context(s);
  require_no_seeding([&] {
    const auto encoder = built(s, context);
    encoder->train();
    encoder->forward(image_for(*encoder, 2, 2, 3, 2));
  });
}

}  // namespace

std::string encoder_trace(const Subject& s) {
  const at::NoGradGuard no_grad;
  BenchContext context(s);
  std::shared_ptr<Encoder> encoder;
  return module_trace(
      [&] {
        encoder = built(s, context);
        encoder->eval();
      },
      [&] { return encoder->forward(image_for(*encoder, 2, 2)); });
}

std::vector<Check> encoder_checks() {
  return {
      {"levels", "outputs have the channels and strides that levels() says, at two sizes", &check_levels},
      {"options", "other depths and input channels are served or refused readably", &check_options},
      {"output_stride", "output strides 16 and 8 are served or refused readably", &check_output_stride},
      {"state", "names and shapes of weights are the same in every instance", &check_state},
      {"first_weights", "LibTorch's generator is drawn from, never seeded", &check_first_weights},
      {"inputs", "the image is left alone", &check_inputs},
      {"samples", "in eval mode a sample's features do not depend on the others", &check_samples},
      {"determinism", "in eval mode equal weights give equal results, without random numbers", &check_determinism},
      {"gradients", "gradients are finite and reach every parameter", &check_gradients},
      {"cuda", "CUDA tensors work, and agree with the CPU", &check_cuda},
  };
}

}  // namespace nephron::conformance
