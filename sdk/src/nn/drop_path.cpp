#include <nephron/nn/drop_path.hpp>

#include <vector>

#include <ATen/ops/empty.h>

#include <nephron/error.hpp>

namespace nephron::nn {

at::Tensor drop_path(const at::Tensor& x, double rate, bool training) {
  if (!(rate >= 0 && rate < 1))
    throw Error("paths are dropped at a rate from 0 to below 1, not " + std::to_string(rate));
  if (rate == 0 || !training) return x;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  return x * at::empty(shape, x.options()).bernoulli_(1 - rate).div_(1 - rate);
}

}  // namespace nephron::nn
