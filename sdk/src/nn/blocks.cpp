#include <nephron/nn/blocks.hpp>

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/sigmoid.h>

#include <nephron/error.hpp>

namespace nephron::nn {

ConvNormRelu::ConvNormRelu(std::int64_t in, std::int64_t out, std::int64_t kernel, bool norm)
    : torch::nn::Module("ConvNormRelu") {
  conv_ =
      register_module("0", std::make_shared<Conv2d>(ConvShape{.in = in, .out = out, .kernel = kernel, .bias = !norm}));
  if (norm) norm_ = register_module("1", std::make_shared<BatchNorm2d>(out));
}

ConvNormRelu::~ConvNormRelu() = default;

at::Tensor ConvNormRelu::forward(const at::Tensor& x) {
  return norm_ != nullptr ? conv_norm(*conv_, *norm_, x, Activation::relu) : conv_->forward(x, Activation::relu);
}

at::Tensor ConvNormRelu::forward_upsampled(const at::Tensor& x, const at::Tensor& skip) {
  if (norm_ == nullptr || norm_->folded()) return conv_->forward_upsampled(x, skip, Activation::relu);
  return norm_->forward(conv_->forward_upsampled(x, skip, Activation::none), Activation::relu);
}

Scse::Scse(std::int64_t channels, std::int64_t reduction) : torch::nn::Module("Scse") {
  if (channels / reduction == 0)
    throw Error("attention \"scse\" reduces its channels by " + std::to_string(reduction) + ", and there are only " +
                    std::to_string(channels),
                "give the block at least " + std::to_string(reduction) + " channels, or leave attention out");
  auto c = std::make_shared<ModuleList>();
  reduce_ = c->register_module(
      "1", std::make_shared<Conv2d>(ConvShape{.in = channels, .out = channels / reduction, .bias = true}));
  expand_ = c->register_module(
      "3", std::make_shared<Conv2d>(ConvShape{.in = channels / reduction, .out = channels, .bias = true}));
  register_module("cSE", c);
  auto s = std::make_shared<ModuleList>();
  space_ = s->register_module("0", std::make_shared<Conv2d>(ConvShape{.in = channels, .out = 1, .bias = true}));
  register_module("sSE", s);
}

Scse::~Scse() = default;

at::Tensor Scse::forward(const at::Tensor& x) const {
  const at::Tensor pooled = at::adaptive_avg_pool2d(x, {1, 1});
  const at::Tensor channel = at::sigmoid(expand_->forward(reduce_->forward(pooled, Activation::relu)));
  return x * channel + x * at::sigmoid(space_->forward(x));
}

ModuleList::ModuleList() : torch::nn::Module("ModuleList") {}
ModuleList::~ModuleList() = default;

void ModuleList::append(std::shared_ptr<torch::nn::Module> module) {
  register_module(std::to_string(children().size()), std::move(module));
}

}  // namespace nephron::nn
