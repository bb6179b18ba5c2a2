#include "frozen_conv.hpp"

#include <optional>
#include <string_view>

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/constant_pad_nd.h>

namespace nephron::nn {

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<std::string_view>;

/// LibTorch's operators that join a convolution with what follows it; its own compiler calls them, no header has them.
const auto& reorder_weight() {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mkldnn::_reorder_convolution_weight", "")
                             .typed<at::Tensor(const at::Tensor&, c10::SymIntArrayRef, c10::SymIntArrayRef,
                                               c10::SymIntArrayRef, c10::SymInt, at::OptionalSymIntArrayRef)>();
  return op;
}
const auto& pointwise() {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                            at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view, Scalars, Text)>();
  return op;
}
const auto& pointwise_binary() {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "binary")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view,
                            std::optional<at::Scalar>, Text, Scalars, Text)>();
  return op;
}

/// An activation under its name there.
struct Named {
  std::string_view name;
  Scalars scalars;
  Text algorithm;
};
Named named(Activation activation) {
  switch (activation) {
    case Activation::none:
      return {"none", Scalars(), ""};
    case Activation::relu:
      return {"relu", Scalars(), ""};
    case Activation::relu6:
      return {"hardtanh", Scalars({at::Scalar(0.0), at::Scalar(6.0)}), ""};
    case Activation::silu:
      return {"swish", Scalars(), ""};
    case Activation::gelu:
      return {"gelu", Scalars(), "none"};
  }
  return {"none", Scalars(), ""};
}

bool is_simple(Activation activation) { return activation == Activation::none || activation == Activation::relu; }

/// 3x3, stride 1, padding 1: what own kernels are for.
bool is_plain_3x3(const ConvParts& p) {
  return p.shape.kernel == 3 && p.shape.stride == 1 && p.shape.groups == 1 && p.dilation == 1 &&
         p.padding.before == 1 && p.padding.after == 1;
}
bool filters(const ConvParts& p, const Freezing& how) {
  return how.minimal_filtering && is_plain_3x3(p) && WinogradConv::suits(p.weight);
}
bool is_narrow(const ConvParts& p) { return is_plain_3x3(p) && NarrowConv::suits(p.weight); }

/// LibTorch packs no weights in bfloat16 for other processors; its plain convolution takes them.
bool packs_bfloat16() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

}  // namespace

std::shared_ptr<const FrozenConv> FrozenConv::make(const ConvParts& parts, const Freezing& how) {
  if (how.type != at::kFloat && how.type != at::kBFloat16) return nullptr;
  if (how.type == at::kBFloat16 && !packs_bfloat16()) return nullptr;
  if (!filters(parts, how) && !is_narrow(parts) && !at::globalContext().hasMKLDNN()) return nullptr;
  return std::make_shared<const FrozenConv>(parts, how);
}

FrozenConv::FrozenConv(const ConvParts& parts, const Freezing& how) : parts_(parts) {
  parts_.weight = parts.weight.detach().to(how.type);
  if (parts.bias.defined()) parts_.bias = parts.bias.detach().to(how.type);
  if (parts.padding.after == parts.padding.before + parts.dilation) {
    // oneDNN pads both ends alike. A row and a column of zeros before the kernel cost less than a padded copy of the
    // map.
    parts_.weight = at::constant_pad_nd(parts_.weight, {1, 0, 1, 0});
    parts_.padding.before = parts.padding.after;
  }
  if (filters(parts, how)) winograd_ = std::make_unique<const WinogradConv>(parts.weight.detach(), parts.bias);
  else if (is_narrow(parts)) narrow_ = std::make_unique<const NarrowConv>(parts.weight.detach(), parts.bias);
}

at::Tensor FrozenConv::as_map(const at::Tensor& x) const {
  return x.to(parts_.weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor FrozenConv::forward(const at::Tensor& x, Activation activation, const at::Tensor& more) const {
  const at::Tensor map = as_map(x), added = more.defined() ? as_map(more) : at::Tensor();
  if (narrow_ != nullptr) {
    const at::Tensor y = narrow_->forward(map);
    return activate(added.defined() ? y + added : y, activation);
  }
  if (winograd_ == nullptr) return by_onednn(map, activation, added);
  const at::Tensor y =
      winograd_->forward({.map = map, .joined = {}, .more = added, .relu = activation == Activation::relu});
  return is_simple(activation) ? y : activate(y, activation);
}

at::Tensor FrozenConv::forward_upsampled(const at::Tensor& x, const at::Tensor& skip, Activation activation) const {
  const at::Tensor y = winograd_->forward({.map = as_map(x),
                                           .doubled = true,
                                           .joined = skip.defined() ? as_map(skip) : at::Tensor(),
                                           .more = {},
                                           .relu = activation == Activation::relu});
  return is_simple(activation) ? y : activate(y, activation);
}

at::Tensor FrozenConv::packed_for(const at::Tensor& x, std::int64_t padding) const {
  const std::lock_guard lock(mutex_);
  const std::vector<std::int64_t> form = x.sizes().slice(1).vec();  // a batch that is not full packs nothing anew
  if (packed_for_ != form) {
    const std::vector<c10::SymInt> size(x.sizes().begin(), x.sizes().end()), pad{padding, padding},
        stride{parts_.shape.stride, parts_.shape.stride}, dilation{parts_.dilation, parts_.dilation};
    packed_ =
        reorder_weight().call(parts_.weight, pad, stride, dilation, parts_.shape.groups, c10::SymIntArrayRef(size));
    packed_for_ = form;
  }
  return packed_;
}

at::Tensor FrozenConv::by_onednn(const at::Tensor& x, Activation activation, const at::Tensor& more) const {
  const auto [before, after] = parts_.padding;
  const bool even = before == after;
  const at::Tensor map = even ? x : at::constant_pad_nd(x, {before, after, before, after});
  const std::int64_t padding = even ? before : 0;
  const std::int64_t pad[2] = {padding, padding}, stride[2] = {parts_.shape.stride, parts_.shape.stride},
                     dilation[2] = {parts_.dilation, parts_.dilation};
  const at::Tensor weight = packed_for(map, padding);
  const std::optional<at::Tensor> bias = parts_.bias.defined() ? std::optional<at::Tensor>(parts_.bias) : std::nullopt;
  const bool sums = more.defined() && parts_.shape.groups == 1;  // with groups it is no one pass there
  if (!sums) {
    const Named then = named(more.defined() ? Activation::none : activation);
    const at::Tensor y = pointwise().call(map, weight, bias, pad, stride, dilation, parts_.shape.groups, then.name,
                                          then.scalars, then.algorithm);
    return more.defined() ? activate(y + more, activation) : y;
  }
  const Text relu = activation == Activation::relu ? Text("relu") : std::nullopt;
  const at::Tensor y = pointwise_binary().call(map, more, weight, bias, pad, stride, dilation, parts_.shape.groups,
                                               "add", at::Scalar(1.0), relu, Scalars(), std::nullopt);
  return is_simple(activation) ? y : activate(y, activation);
}

}  // namespace nephron::nn
