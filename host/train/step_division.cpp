#include <host/train/step_division.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <ATen/record_function.h>

#include <host/train/onednn_log.hpp>

namespace nephron::host {

namespace {

using clock = std::chrono::steady_clock;

enum Part : std::uint8_t {
  convolution,
  filtered,
  filtered_input,
  filtered_weight,
  normalisation,
  activation,
  joining,
  loss,
  optimiser,
  gathering,
  rest,
  parts
};

constexpr std::array<const char*, parts> part_names{"convolutions not by oneDNN, padding, copies",
                                                    "minimal filtering, forward",
                                                    "minimal filtering, gradient of the input",
                                                    "minimal filtering, gradient of the weights",
                                                    "normalisation",
                                                    "activation",
                                                    "joins: sums, concatenation, upsampling, pooling",
                                                    "loss",
                                                    "optimiser",
                                                    "gradients gathered",
                                                    "other"};

/// By what an operator or a node of the backward is called. The first that fits counts.
constexpr std::pair<std::string_view, Part> words[] = {
    {"nephron.loss", loss},
    {"nephron.optimiser", optimiser},
    {"nephron.normalise", normalisation},
    {"nephron.join", joining},
    {"nephron.winograd_input", filtered_input},
    {"nephron.winograd_weight", filtered_weight},
    {"nephron.winograd", filtered},
    {"AccumulateGrad", gathering},
    {"onvolution", convolution},
    {"aten::conv", convolution},
    {"atch_norm", normalisation},
    {"atchNorm", normalisation},
    {"ayer_norm", normalisation},
    {"ayerNorm", normalisation},
    {"BinaryCrossEntropy", loss},
    {"relu", activation},
    {"Relu", activation},
    {"hardtanh", activation},
    {"Hardtanh", activation},
    {"silu", activation},
    {"Silu", activation},
    {"gelu", activation},
    {"Gelu", activation},
    {"hreshold", activation},
    {"igmoid", activation},
    {"aten::cat", joining},
    {"CatBackward", joining},
    {"upsample", joining},
    {"Upsample", joining},
    {"aten::add", joining},
    {"AddBackward", joining},
    {"pool", joining},
    {"Pool", joining},
};

Part part_of(std::string_view name) {
  for (const auto& [word, part] : words)
    if (name.find(word) != std::string_view::npos) return part;
  return rest;
}

/// Seconds by part: of what is nested, the outermost name that says something counts.
struct Watch {
  std::array<double, parts> seconds{};
  Part inside = rest;
};
Watch* watch = nullptr;  ///< of the thread that is watched
thread_local bool watched = false;

struct Scope final : at::ObserverContext {
  bool outermost = false;
  clock::time_point start = clock::now();
};

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& call) {
  auto out = std::make_unique<Scope>();
  if (!watched || watch->inside != rest) return out;
  watch->inside = part_of(call.name());
  out->outermost = watch->inside != rest;
  return out;
}

void end(const at::RecordFunction&, at::ObserverContext* context) {
  const auto& scope = static_cast<Scope&>(*context);
  if (!watched || !scope.outermost) return;
  watch->seconds[std::exchange(watch->inside, rest)] +=
      std::chrono::duration<double>(clock::now() - scope.start).count();
}

/// Operators are watched on the thread that made it, which on a CPU runs the backward too.
class Watching {
 public:
  explicit Watching(Watch& of) {
    watch = &of;
    watched = true;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&begin, &end));
  }
  ~Watching() {
    at::removeCallback(handle_);
    watched = false;
    watch = nullptr;
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  at::CallbackHandle handle_;
};

/// What oneDNN ran, taken from what was spent on convolutions.
void divide_convolutions(const std::vector<OneDnnCall>& calls, int steps, StepDivision& out) {
  std::map<std::string, double> by_direction{{"convolutions, forward", 0},
                                             {"convolutions, gradient of the input", 0},
                                             {"convolutions, gradient of the weights", 0},
                                             {"reorders", 0}};
  std::map<std::string, std::pair<double, double>> by_shape;  // seconds, 1e9 operations
  double all = 0;
  for (const OneDnnCall& call : calls) {
    const double seconds = call.seconds / steps;
    if (call.kind == "reorder") {
      by_direction["reorders"] += seconds, all += seconds;
      continue;
    }
    if (call.kind != "convolution") continue;
    const bool data = call.direction == "backward_data", weights = call.direction.starts_with("backward_weights");
    by_direction[data      ? "convolutions, gradient of the input"
                 : weights ? "convolutions, gradient of the weights"
                           : "convolutions, forward"] += seconds;
    all += seconds;
    auto& [time, work] = by_shape[call.direction + " " + call.shape + " " + call.kernel];
    time += seconds, work += gflops_of(call.shape) / steps;
  }
  for (const auto& [name, seconds] : by_direction) out.parts.push_back({name, seconds});
  for (StepPart& part : out.parts)
    if (part.name == part_names[convolution]) part.seconds = std::max(0.0, part.seconds - all);
  for (const auto& [shape, of] : by_shape) out.convolutions.push_back({shape, of.first, of.second / of.first});
  std::sort(out.convolutions.begin(), out.convolutions.end(),
            [](const ConvolutionPart& a, const ConvolutionPart& b) { return a.seconds > b.seconds; });
}

}  // namespace

StepDivision divide_steps(int steps, const std::function<void()>& step) {
  Watch of;
  OneDnnLog log;
  const auto start = clock::now();
  {
    const Watching watching(of);
    for (int i = 0; i < steps; ++i) step();
  }
  StepDivision out;
  out.seconds = std::chrono::duration<double>(clock::now() - start).count() / steps;
  double named = 0;
  for (std::size_t i = 0; i < parts; ++i) {
    const double seconds = of.seconds[i] / steps;
    named += seconds;
    out.parts.push_back({part_names[i], i == rest ? out.seconds - named : seconds});
  }
  divide_convolutions(onednn_calls(log.finish()), steps, out);
  std::stable_sort(out.parts.begin(), out.parts.end(),
                   [](const StepPart& a, const StepPart& b) { return a.seconds > b.seconds; });
  return out;
}

void print_division(const StepDivision& division) {
  std::printf("%-50s %9s %7s\n", "a step while it is watched", "ms", "%");
  for (const StepPart& part : division.parts)
    std::printf("%-50s %9.1f %7.1f\n", part.name.c_str(), 1e3 * part.seconds, 100 * part.seconds / division.seconds);
  std::printf("%-50s %9.1f\n\n", "all", 1e3 * division.seconds);
  if (division.convolutions.empty()) return;
  std::printf("%9s %9s  %s\n", "ms", "GFLOP/s", "the longest convolutions, all of a shape together");
  for (std::size_t i = 0; i < std::min<std::size_t>(20, division.convolutions.size()); ++i) {
    const ConvolutionPart& c = division.convolutions[i];
    std::printf("%9.1f %9.0f  %s\n", 1e3 * c.seconds, c.gflops_per_s, c.shape.c_str());
  }
  std::printf("\n");
}

}  // namespace nephron::host
