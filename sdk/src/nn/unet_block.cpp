#include <nephron/nn/unet_block.hpp>

#include <utility>

#include <ATen/TracerMode.h>
#include <ATen/ops/cat.h>

#include <nephron/nn/recompute.hpp>
#include <nephron/nn/stored.hpp>

namespace nephron::nn {

UnetBlock::UnetBlock(const UnetBlockShape& s) : torch::nn::Module("UnetBlock"), shape_(s) {
  conv1_ = register_module("conv1", std::make_shared<ConvNormRelu>(s.in + s.skip, s.out, 3, s.norm));
  if (s.scse) attention1_ = attention("attention1", s.in + s.skip);
  // SMP keeps it in the last block too, where nothing is joined and it never runs.
  if (attention1_ != nullptr && s.skip == 0 && !s.joins_nothing) store_only(*attention1_);
  conv2_ = register_module("conv2", std::make_shared<ConvNormRelu>(s.out, s.out, 3, s.norm));
  if (s.scse) attention2_ = attention("attention2", s.out);
}

UnetBlock::~UnetBlock() = default;

at::Tensor UnetBlock::forward(const at::Tensor& coarse, at::IntArrayRef size, const at::Tensor& skip) {
  const bool joining = skip.defined();
  std::vector<at::Tensor> inputs{coarse};
  if (joining) inputs.push_back(skip);
  return recomputed(*this, std::move(inputs), [this, joining, size = size.vec()](const std::vector<at::Tensor>& in) {
    const at::Tensor x = conv2_->forward(first(in[0], size, joining ? in[1] : at::Tensor()));
    return attention2_ != nullptr ? attention2_->forward(x) : x;
  });
}

at::Tensor UnetBlock::first(const at::Tensor& coarse, at::IntArrayRef size, const at::Tensor& skip) {
  const bool joining = skip.defined() && skip.size(1) > 0;
  const bool attending = attention1_ != nullptr && (joining || shape_.joins_nothing);
  const bool doubled = size[0] == 2 * coarse.size(2) && size[1] == 2 * coarse.size(3);
  const bool traced = at::tracer::impl::is_dispatch_enabled();  // a trace holds LibTorch's own operators alone
  if (shape_.fast && !traced && doubled && !attending && shape_.interpolation == Interpolation::nearest)
    return conv1_->forward_upsampled(coarse, joining ? skip : at::Tensor());
  at::Tensor x = resize(coarse, size, shape_.interpolation);
  if (joining) x = at::cat({x, skip}, 1);
  return conv1_->forward(attending ? attention1_->forward(x) : x);
}

std::shared_ptr<Scse> UnetBlock::attention(const char* name, std::int64_t channels) {
  auto holder = register_module(name, std::make_shared<ModuleList>());
  return holder->register_module("attention", std::make_shared<Scse>(channels));
}

}  // namespace nephron::nn
