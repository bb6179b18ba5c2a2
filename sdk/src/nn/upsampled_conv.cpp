#include <nephron/nn/upsampled_conv.hpp>

#include <ATen/Dispatch.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "../on_threads.hpp"

namespace nephron::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

/// The map between the four phases, z [N, 4 O, H + 1, W + 1], and the picture, y [N, O, 2H, 2W]:
/// y[2i + a, 2j + b] = z[phase (a, b)][i + a, j + b]. What z holds besides is not used.
struct Phases {
  std::int64_t n, o, h, w;

  /// Calls copy(z offset, y offset) for each run of O values that belong together, both in channels_last.
  template <class Copy>
  void each(const Copy& copy) const {
    on_threads(n * 2 * h, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const std::int64_t image = r / (2 * h), y = r % (2 * h), a = y & 1;
        const std::int64_t z_row = (image * (h + 1) + y / 2 + a) * (w + 1);
        for (std::int64_t x = 0; x < 2 * w; ++x) {
          const std::int64_t b = x & 1;
          copy(((z_row + x / 2 + b) * 4 + 2 * a + b) * o, (r * 2 * w + x) * o);
        }
      }
    });
  }

  /// The same for devices where a loop here cannot reach: one strided copy a phase.
  template <class Copy>
  void each_slice(const at::Tensor& z, const at::Tensor& y, const Copy& copy) const {
    for (std::int64_t a = 0; a < 2; ++a)
      for (std::int64_t b = 0; b < 2; ++b)
        copy(z.narrow(1, (2 * a + b) * o, o).narrow(2, a, h).narrow(3, b, w),
             y.slice(2, a, 2 * h, 2).slice(3, b, 2 * w, 2));
  }
};

Phases phases_of(const at::Tensor& z) { return {z.size(0), z.size(1) / 4, z.size(2) - 1, z.size(3) - 1}; }

/// y = the picture of z's phases, plus `addend` when it is defined.
at::Tensor join(const at::Tensor& z_any, const at::Tensor& addend_any) {
  const Phases p = phases_of(z_any);
  const at::Tensor z = z_any.contiguous(channels_last);
  at::Tensor y = at::empty({p.n, p.o, 2 * p.h, 2 * p.w}, z.options().memory_format(channels_last));
  if (!z.is_cpu()) {
    p.each_slice(z, y, [](const at::Tensor& from, const at::Tensor& to) { to.copy_(from); });
    return addend_any.defined() ? y.add_(addend_any) : y;
  }
  const at::Tensor addend =
      addend_any.defined() ? addend_any.to(z.scalar_type()).contiguous(channels_last) : at::Tensor();
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, z.scalar_type(), "upsampled_conv", [&] {
    const scalar_t* from = z.const_data_ptr<scalar_t>();
    const scalar_t* more = addend.defined() ? addend.const_data_ptr<scalar_t>() : nullptr;
    scalar_t* to = y.mutable_data_ptr<scalar_t>();
    if (more == nullptr) {
      p.each([&](std::int64_t zi, std::int64_t yi) {
        std::memcpy(to + yi, from + zi, sizeof(scalar_t) * static_cast<std::size_t>(p.o));
      });
    } else {
      p.each([&](std::int64_t zi, std::int64_t yi) {
        for (std::int64_t c = 0; c < p.o; ++c) to[yi + c] = from[zi + c] + more[yi + c];
      });
    }
  });
  return y;
}

/// The gradient of join() with respect to z: the picture's values back at their phases, 0 where z was not used.
at::Tensor split(const at::Tensor& y_any) {
  const Phases p{y_any.size(0), y_any.size(1), y_any.size(2) / 2, y_any.size(3) / 2};
  const at::Tensor y = y_any.contiguous(channels_last);
  at::Tensor z = at::empty({p.n, 4 * p.o, p.h + 1, p.w + 1}, y.options().memory_format(channels_last)).zero_();
  if (!y.is_cpu()) {
    p.each_slice(z, y, [](const at::Tensor& to, const at::Tensor& from) { to.copy_(from); });
    return z;
  }
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, y.scalar_type(), "upsampled_conv", [&] {
    const scalar_t* from = y.const_data_ptr<scalar_t>();
    scalar_t* to = z.mutable_data_ptr<scalar_t>();
    p.each([&](std::int64_t zi, std::int64_t yi) {
      std::memcpy(to + zi, from + yi, sizeof(scalar_t) * static_cast<std::size_t>(p.o));
    });
  });
  return z;
}

struct Join : torch::autograd::Function<Join> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& z, const std::optional<at::Tensor>& addend) {
    RECORD_FUNCTION("nephron.join", std::vector<c10::IValue>{});
    context->saved_data["has_addend"] = addend.has_value();
    return join(z, addend.value_or(at::Tensor()));
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    RECORD_FUNCTION("nephron.join", std::vector<c10::IValue>{});
    const at::Tensor& g = gradients[0];
    return {split(g), context->saved_data["has_addend"].toBool() ? g : at::Tensor()};
  }
};

/// The matrix from the 9 taps of a 3x3 kernel to the 4 x 4 taps of its phases, [9, 16]. Along one axis even outputs
/// read (w0 | w1 + w2), odd ones (w0 + w1 | w2).
at::Tensor make_phase_matrix(const at::TensorOptions& options) {
  constexpr float axis[2][2][3] = {{{1, 0, 0}, {0, 1, 1}}, {{1, 1, 0}, {0, 0, 1}}};  // [phase][tap][source tap]
  float map[9][16];
  for (int r = 0; r < 3; ++r)
    for (int s = 0; s < 3; ++s)
      for (int k = 0; k < 16; ++k)  // k: phase row, phase column, tap row, tap column
        map[3 * r + s][k] = axis[k >> 3][(k >> 1) & 1][r] * axis[(k >> 2) & 1][k & 1][s];
  const c10::InferenceMode training(false);  // a tensor of inference mode could not be saved for a later backward
  return at::tensor(at::ArrayRef<float>(&map[0][0], 144)).view({9, 16}).to(options);
}

/// Made once a device and type: a copy from pageable memory at every call would make the GPU wait for the CPU.
at::Tensor phase_matrix(const at::TensorOptions& options) {
  using Key = std::pair<c10::Device, c10::ScalarType>;
  struct Less {
    bool operator()(const Key& a, const Key& b) const {
      const auto order = [](const Key& k) { return std::tuple(k.first.type(), k.first.index(), k.second); };
      return order(a) < order(b);
    }
  };
  struct Made {
    std::mutex mutex;
    std::map<Key, at::Tensor, Less> matrices;
  };
  static Made& made = *new Made;  // never destroyed: CUDA may be gone before the statics of this library
  const std::lock_guard lock(made.mutex);
  at::Tensor& matrix = made.matrices[{options.device(), c10::typeMetaToScalarType(options.dtype())}];
  if (!matrix.defined()) matrix = make_phase_matrix(options);
  return matrix;
}

/// Weights of the four phases, [4 O, C, 2, 2].
at::Tensor phase_weights(const at::Tensor& weight) {
  const std::int64_t o = weight.size(0), c = weight.size(1);
  const at::Tensor mix = phase_matrix(weight.options());
  return at::matmul(weight.reshape({o * c, 9}), mix)
      .view({o, c, 4, 2, 2})
      .permute({2, 0, 1, 3, 4})
      .reshape({4 * o, c, 2, 2});
}

}  // namespace

at::Tensor upsampled_conv3x3(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& weight) {
  const std::int64_t cx = x.size(1);
  TORCH_CHECK(weight.size(1) == cx + (skip.defined() ? skip.size(1) : 0), "upsampled_conv3x3: weight has ",
              weight.size(1), " input channels, x and skip together have another number");
  TORCH_CHECK(!skip.defined() || (skip.size(2) == 2 * x.size(2) && skip.size(3) == 2 * x.size(3)),
              "upsampled_conv3x3: skip must be twice as large as x");
  const at::Tensor z = at::conv2d(x, phase_weights(weight.narrow(1, 0, cx)), {}, 1, /*padding=*/1);
  std::optional<at::Tensor> from_skip;  // an undefined tensor cannot enter an autograd function
  if (skip.defined()) from_skip = at::conv2d(skip, weight.narrow(1, cx, skip.size(1)), {}, 1, /*padding=*/1);
  return Join::apply(z, from_skip);
}

}  // namespace nephron::nn
