#include <nephron/nn/linear.hpp>

#include <cmath>

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/core/GradMode.h>

#include <nephron/error.hpp>
#include <nephron/nn/first_weights.hpp>

namespace nephron::nn {

Linear::Linear(std::int64_t in, std::int64_t out, bool bias) : torch::nn::Module("Linear") {
  if (in <= 0 || out <= 0)
    throw Error("a linear layer from " + std::to_string(in) + " to " + std::to_string(out) +
                " values cannot be made: both must be positive");
  weight_ = register_parameter("weight", at::empty({out, in}));
  if (bias) bias_ = register_parameter("bias", at::empty({out}));
  // torch.nn.Linear: He uniform with negative slope sqrt(5), as the convolutions.
  if (WithoutFirstWeights::here()) return;
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  const at::NoGradGuard no_grad;
  weight_.uniform_(-bound, bound);
  if (bias) bias_.uniform_(-bound, bound);
}

Linear::~Linear() = default;

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

}  // namespace nephron::nn
