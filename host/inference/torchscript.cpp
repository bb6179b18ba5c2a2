#include <host/inference/torchscript.hpp>

#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/tracer.h>

namespace nephron::host {

namespace {

at::Tensor waves(std::int64_t n, std::int64_t channels, std::int64_t side, double step) {
  return at::arange(n * channels * side * side, c10::kFloat).mul_(step).sin_().view({n, channels, side, side});
}

torch::jit::Module traced(SegmentationModel& model, const at::Tensor& picture) {
  for (at::Tensor& parameter : model.parameters()) parameter.requires_grad_(false);  // they become constants
  const auto run = [&](torch::jit::Stack in) { return torch::jit::Stack{model.forward(in.at(0).toTensor())}; };
  const auto no_names = [](const at::Tensor&) { return std::string(); };
  const auto state = torch::jit::tracer::trace({picture}, run, no_names).first;
  torch::jit::Module module("NephronModel");
  state->graph->insertInput(0, "self")->setType(module._ivalue()->type());
  module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*module.type()->name(), "forward"), state->graph));
  return module;
}

}  // namespace

std::optional<std::string> write_torchscript(SegmentationModel& model, std::int64_t channels, std::int64_t side,
                                             const std::filesystem::path& file) {
  const at::NoGradGuard no_grad;
  try {
    torch::jit::Module module = traced(model, waves(1, channels, side, 0.7));
    const at::Tensor other = waves(2, channels, side, 0.3);
    const at::Tensor expected = model.forward(other), found = module.forward({other}).toTensor();
    const double difference = (found - expected).abs().max().item().toDouble(),
                 size = expected.abs().max().item().toDouble();
    if (!(difference <= 1e-5 * (1 + size)))
      return "what LibTorch traced answers otherwise than the model, by " + std::to_string(difference);
    module.save(file.string());
  } catch (const c10::Error& e) {
    return "LibTorch cannot trace it: " + std::string(e.what_without_backtrace());
  }
  return std::nullopt;
}

}  // namespace nephron::host
