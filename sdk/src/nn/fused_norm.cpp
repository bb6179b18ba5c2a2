#include "fused_norm.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "../on_threads.hpp"
#include "norm_rows.hpp"

namespace nephron::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

RowActivation row_activation(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return RowActivation::relu;
    case Activation::relu6:
      return RowActivation::relu6;
    case Activation::silu:
      return RowActivation::silu;
    default:
      return RowActivation::none;
  }
}

RowType row_type(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 ? RowType::bfloat16 : RowType::float32;
}

/// A map as rows of channels, cut into chunks. The chunks do not depend on the number of threads, and so the sums over
/// them do not.
struct Rows {
  explicit Rows(const at::Tensor& x)
      : channels(x.size(1)),
        count(x.numel() / channels),
        chunk(std::max<std::int64_t>(64, (count + 511) / 512)),
        chunks((count + chunk - 1) / chunk),
        bytes(channels * static_cast<std::int64_t>(x.element_size())) {}

  /// Calls work(chunk, first row, rows) on all threads.
  template <class Work>
  void each(const Work& work) const {
    on_threads(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) work(i, i * chunk, std::min(chunk, count - i * chunk));
    });
  }
  /// Sums [2, channels] of each chunk, by work(first row, rows, sums), added up.
  template <class Work>
  std::vector<double> sums(const Work& work) const {
    const auto width = static_cast<std::size_t>(2 * channels);
    std::vector<float> parts(static_cast<std::size_t>(chunks) * width);
    each([&](std::int64_t i, std::int64_t first, std::int64_t rows) {
      work(first, rows, parts.data() + static_cast<std::size_t>(i) * width);
    });
    std::vector<double> out(width);
    for (std::size_t i = 0; i < parts.size(); i += width)
      for (std::size_t k = 0; k < width; ++k) out[k] += static_cast<double>(parts[i + k]);
    return out;
  }
  const char* at(const void* map, std::int64_t row) const { return static_cast<const char*>(map) + row * bytes; }
  char* at(void* map, std::int64_t row) const { return static_cast<char*>(map) + row * bytes; }

  std::int64_t channels, count, chunk, chunks, bytes;
};

at::Tensor floats(std::int64_t n) { return at::empty({n}, at::kFloat); }

/// [4, C]: scale, offset, mean, 1 / deviation; and moves the running statistics on.
at::Tensor statistics(const at::Tensor& x, const NormInTraining& norm) {
  const Rows rows(x);
  const auto c = static_cast<std::size_t>(rows.channels);
  const RowType type = row_type(x);
  // What is added up are differences to the mean of a few pixels: where the mean is large beside the deviation, squares
  // of the values lose digits. A single pixel would do, but may itself lie several deviations off.
  const at::Tensor pixels = x.permute({0, 2, 3, 1}).reshape({-1, rows.channels});
  const at::Tensor few = pixels.slice(0, 0, rows.count, std::max<std::int64_t>(1, rows.count / 16));
  const at::Tensor shift = few.to(at::kFloat).mean(0).contiguous();
  const float* from = shift.const_data_ptr<float>();
  const std::vector<double> sums = rows.sums([&](std::int64_t first, std::int64_t n, float* to) {
    norm_rows().statistics(type, rows.at(x.const_data_ptr(), first), n, rows.channels, from, to);
  });
  const at::Tensor out = at::empty({4, rows.channels}, at::kFloat);
  float *scale = out.mutable_data_ptr<float>(), *offset = scale + c, *mean = offset + c, *inverse = mean + c;
  const float *weight = norm.weight.const_data_ptr<float>(), *bias = norm.bias.const_data_ptr<float>();
  float *running_mean = norm.running_mean.mutable_data_ptr<float>(),
        *running_var = norm.running_var.mutable_data_ptr<float>();
  const auto n = static_cast<double>(rows.count);
  for (std::size_t i = 0; i < c; ++i) {
    const double shifted = sums[i] / n, var = std::max(0.0, sums[c + i] / n - shifted * shifted);
    const double m = static_cast<double>(from[i]) + shifted, inv = 1 / std::sqrt(var + norm.eps);
    mean[i] = static_cast<float>(m);
    inverse[i] = static_cast<float>(inv);
    scale[i] = static_cast<float>(static_cast<double>(weight[i]) * inv);
    offset[i] = static_cast<float>(static_cast<double>(bias[i]) - m * static_cast<double>(weight[i]) * inv);
    const auto moved = [&](float old, double now) {
      return static_cast<float>((1 - norm.momentum) * static_cast<double>(old) + norm.momentum * now);
    };
    running_mean[i] = moved(running_mean[i], m);
    running_var[i] = moved(running_var[i], var * n / (n - 1));
  }
  return out;
}

NormParameters parameters_of(const at::Tensor& values, RowActivation activation) {
  const std::int64_t c = values.size(1);
  const float* p = values.const_data_ptr<float>();
  return {c, p, p + c, p + 2 * c, activation};
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
  // `weight` and `bias` are arguments for their gradients; the rest of the normalisation is not differentiated.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_any,
                            const std::optional<at::Tensor>& more_any, const at::Tensor& /*weight*/,
                            const at::Tensor& /*bias*/, const NormInTraining* norm) {
    RECORD_FUNCTION("nephron.normalise", std::vector<c10::IValue>{});
    const at::Tensor x = x_any.contiguous(channels_last);
    const at::Tensor more = more_any ? more_any->contiguous(channels_last) : at::Tensor();
    const at::Tensor values = statistics(x, *norm);
    const NormParameters p = parameters_of(values, row_activation(norm->activation));
    const at::Tensor y = at::empty(x.sizes(), x.options().memory_format(channels_last));
    const Rows rows(x);
    rows.each([&](std::int64_t, std::int64_t first, std::int64_t n) {
      norm_rows().forward(row_type(x), p, rows.at(x.const_data_ptr(), first),
                          more.defined() ? rows.at(more.const_data_ptr(), first) : nullptr,
                          rows.at(y.mutable_data_ptr(), first), n);
    });
    // With something added, the activation is told by its result, which the next layer keeps anyway.
    const bool by_result = more.defined() && p.activation != RowActivation::none;
    context->save_for_backward({x, values, by_result ? y : at::Tensor()});
    context->saved_data["activation"] = static_cast<std::int64_t>(p.activation);
    context->saved_data["more"] = more.defined();
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    RECORD_FUNCTION("nephron.normalise", std::vector<c10::IValue>{});
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &values = saved[1], &y = saved[2];
    const bool has_more = context->saved_data["more"].toBool();
    const NormParameters p =
        parameters_of(values, static_cast<RowActivation>(context->saved_data["activation"].toInt()));
    const at::Tensor g = gradients[0].to(x.scalar_type()).contiguous(channels_last);
    const Rows rows(x);
    const auto of_y = [&](std::int64_t first) {
      return y.defined() ? static_cast<const void*>(rows.at(y.const_data_ptr(), first)) : nullptr;
    };
    const std::vector<double> sums = rows.sums([&](std::int64_t first, std::int64_t n, float* to) {
      norm_rows().reduce(row_type(x), p, rows.at(x.const_data_ptr(), first), of_y(first),
                         rows.at(g.const_data_ptr(), first), n, to);
    });
    const auto c = static_cast<std::size_t>(rows.channels);
    const at::Tensor of_weight = floats(rows.channels), of_bias = floats(rows.channels);
    std::vector<float> first_order(c), second_order(c);
    const float* inverse = p.mean + c;
    const auto n = static_cast<double>(rows.count);
    for (std::size_t i = 0; i < c; ++i) {
      const auto inv = static_cast<double>(inverse[i]);
      of_bias.mutable_data_ptr<float>()[i] = static_cast<float>(sums[i]);
      of_weight.mutable_data_ptr<float>()[i] = static_cast<float>(sums[c + i] * inv);
      first_order[i] = static_cast<float>(sums[i] / n);
      second_order[i] = static_cast<float>(sums[c + i] / n * inv * inv);
    }
    const at::Tensor of_x = at::empty(x.sizes(), x.options().memory_format(channels_last));
    // Where nothing follows the sum, the gradient of what was added is the one that came.
    const bool apart = has_more && p.activation != RowActivation::none;
    const at::Tensor of_more = apart ? at::empty(x.sizes(), x.options().memory_format(channels_last)) : at::Tensor();
    rows.each([&](std::int64_t, std::int64_t first, std::int64_t count) {
      norm_rows().backward(row_type(x), p, rows.at(x.const_data_ptr(), first), of_y(first),
                           rows.at(g.const_data_ptr(), first), first_order.data(), second_order.data(),
                           rows.at(of_x.mutable_data_ptr(), first),
                           apart ? rows.at(of_more.mutable_data_ptr(), first) : nullptr, count);
    });
    return {of_x, has_more ? (apart ? of_more : g) : at::Tensor(), of_weight, of_bias, at::Tensor()};
  }
};

}  // namespace

bool fuses(const NormInTraining& norm) {
  const at::Tensor& x = norm.x;
  const auto of_floats = [](const at::Tensor& t) { return t.scalar_type() == at::kFloat && t.is_contiguous(); };
  return x.is_cpu() && x.dim() == 4 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         x.is_contiguous(channels_last) && norm.activation != Activation::gelu &&
         !(norm.more.defined() && norm.activation == Activation::silu) &&  // its gradient needs what was added
         (!norm.more.defined() || (norm.more.sizes() == x.sizes() && norm.more.scalar_type() == x.scalar_type())) &&
         of_floats(norm.weight) && of_floats(norm.bias) && of_floats(norm.running_mean) && of_floats(norm.running_var);
}

at::Tensor fused_norm(const NormInTraining& norm) {
  std::optional<at::Tensor> more;  // an undefined tensor cannot enter an autograd function
  if (norm.more.defined()) more = norm.more;
  return FusedNorm::apply(norm.x, more, norm.weight, norm.bias, &norm);
}

}  // namespace nephron::nn
