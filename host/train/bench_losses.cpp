#include <host/train/bench_losses.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <nlohmann/json.hpp>

#include <host/config/load.hpp>
#include <host/device/device.hpp>
#include <host/device/torch_state.hpp>
#include <host/model/backward.hpp>
#include <host/train/memory.hpp>
#include <host/train/objective.hpp>

namespace nephron::host {

namespace {

struct Case {
  std::string name;
  ComponentSpec loss;
  static void describe(Schema<Case>& s) {
    s.component(&Case::loss, "loss");
    s.field("name", &Case::name, "key in the line of JSON").required();
  }
};

struct Cases {
  std::vector<Case> cases;
  static void describe(Schema<Cases>& s) { s.field("case", &Cases::cases, "losses that are timed").required(); }
};

std::vector<Case> read_cases(const std::filesystem::path& file) {
  Diagnostics faults;
  DecodeContext context{faults};
  Cases out = schema_of<Cases>().decode(parse_toml(file), context);
  if (!faults.empty()) throw ConfigError(faults);
  return out.cases;
}

/// Foreground in blocks of 32 px, logits on its side with errors.
struct Example {
  at::Tensor logits;
  BatchTensors batch;

  Example(const BenchLossesRequest& r, c10::Device device) {
    at::Generator(at::globalContext().defaultGenerator(c10::kCPU)).set_current_seed(42);
    const std::int64_t cells = (r.tile + 31) / 32;
    const at::Tensor blocks = (at::rand({r.batch, r.classes, cells, 1, cells, 1}) < 0.3).to(c10::kFloat);
    batch.targets = blocks.expand({r.batch, r.classes, cells, 32, cells, 32})
                        .reshape({r.batch, r.classes, cells * 32, cells * 32})
                        .narrow(2, 0, r.tile)
                        .narrow(3, 0, r.tile)
                        .contiguous();
    logits = ((2 * batch.targets - 1) * r.right + 2 * at::randn(batch.targets.sizes())).to(device);
    batch.targets = batch.targets.to(device);
    batch.known_weights = at::ones({r.batch, r.classes});
    batch.weights = batch.known_weights.to(device);
  }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

double milliseconds(const Objective& objective, const Example& example, int steps) {
  std::vector<double> out;
  for (int step = -1; step < steps; ++step) {  // one to warm up
    const auto before = std::chrono::steady_clock::now();
    const at::Tensor x = example.logits.detach().set_requires_grad(true);
    run_backward(objective(x, example.batch).total);
    if (x.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(x.device().index());
    if (step >= 0)
      out.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
  }
  return median(out);
}

}  // namespace

void bench_losses(const BenchLossesRequest& request) {
  keep_freed_memory();
  const c10::Device device = parse_device(request.device);
  set_torch_threads(request.threads);
  const Registry registry;
  const Example example(request, device);
  nlohmann::ordered_json line{{"job", "losses"},           {"batch", request.batch}, {"classes", request.classes},
                              {"tile", request.tile},      {"right", request.right}, {"device", device.str()},
                              {"threads", torch_threads()}};
  for (const Case& one : read_cases(request.cases)) {
    LossConfig config;
    config.terms.push_back({one.loss, 1});
    const Objective objective(config, static_cast<std::size_t>(request.classes), registry, 42, {device.str(), {}});
    line[one.name + "_ms"] = milliseconds(objective, example, request.steps);
  }
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace nephron::host
