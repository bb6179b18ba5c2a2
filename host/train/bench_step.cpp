#include <host/train/bench_step.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

#include <ATen/detail/CUDAHooksInterface.h>

#include <nlohmann/json.hpp>

#include <host/device/device.hpp>
#include <host/device/torch_state.hpp>
#include <host/runs/process.hpp>
#include <host/train/memory.hpp>
#include <host/train/network.hpp>
#include <host/train/objective.hpp>
#include <host/train/step_division.hpp>
#include <host/train/train_step.hpp>

namespace nephron::host {

namespace {

RawBatch random_batch(const BenchStepRequest& request) {
  RawBatch out;
  out.count = request.batch;
  out.side = request.tile;
  out.classes = request.classes;
  const auto pixels = static_cast<std::size_t>(out.count * out.side * out.side);
  Rng rng(42, "bench");
  out.images.resize(pixels * 3);
  for (auto& v : out.images) v = static_cast<std::uint8_t>(rng.bits());
  out.labels.resize(pixels * static_cast<std::size_t>(out.classes));
  const std::int64_t cells = (out.side + 31) / 32;
  std::vector<std::uint8_t> grid(static_cast<std::size_t>(out.count * out.classes * cells * cells));
  for (auto& v : grid) v = rng.chance(0.5) ? 255 : 0;
  for (std::size_t i = 0; i < out.labels.size(); ++i) {
    const auto side = static_cast<std::size_t>(out.side), x = i % side, y = i / side % side, plane = i / side / side;
    out.labels[i] = grid[(plane * static_cast<std::size_t>(cells) + y / 32) * static_cast<std::size_t>(cells) + x / 32];
  }
  out.weights.assign(static_cast<std::size_t>(out.count * out.classes), 1);
  return out;
}

ComponentSpec named(const std::string& type) { return {type, Value(Value::Table{}), {}}; }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

void bench_step(const BenchStepRequest& request) {
  keep_freed_memory();
  const c10::Device device = parse_device(request.device);
  set_torch_threads(request.threads);
  if (device.is_cuda()) set_deterministic(false);
  const Registry registry;
  Experiment experiment;
  ModelConfig& config = experiment.model;
  config.encoder.component = named(request.encoder);
  config.decoder = named(request.decoder);
  config.checkpointing = request.checkpointing;
  experiment.classes.resize(static_cast<std::size_t>(request.classes));
  experiment.train.batch = request.batch;
  experiment.train.precision = request.precision;
  experiment.train.channels_last = request.channels_last;
  experiment.train.cuda_graph = request.cuda_graph;
  experiment.data.tile = request.tile;
  experiment.data.prefetch = 0;  // the batch is in memory
  const double before_mb = rss_mb();
  const std::int64_t estimate = training_memory(experiment, registry, device);
  const auto model = build_model(config, request.classes, registry, 42, /*load=*/true, {device.str(), {}});
  place_model(*model, device, request.channels_last);
  model->train();
  TrainState state(model, experiment.train, device);
  LossConfig loss_config;
  if (request.classes == 2) loss_config.class_weights = {1, 0.2};
  loss_config.terms.push_back({named(request.loss), 1});
  const Objective objective(loss_config, static_cast<std::size_t>(request.classes), registry, 42, {device.str(), {}});
  const std::unique_ptr<WorkRecorder> recorder = request.cuda_graph ? cuda_recorder(device) : nullptr;
  TrainStep train_step({.state = state, .objective = objective, .recorder = recorder.get()}, experiment.train,
                       experiment.data, device);
  const RawBatch raw = random_batch(request);
  std::int64_t step = 0;
  const auto one_step = [&] {
    const at::Tensor loss = train_step.add(raw, {}).total;
    train_step.update(1e-3 * static_cast<double>(step++) / 5000);
    return loss;
  };
  const auto synchronise = [&] {
    if (device.is_cuda()) at::detail::getCUDAHooks().deviceSynchronize(device.index());
  };

  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  at::Tensor loss;
  for (int i = 0; i < request.warmup; ++i) loss = one_step();
  synchronise();
  const double warmup_s = std::chrono::duration<double>(clock::now() - start).count();
  const double warm_loss = loss.defined() ? loss.item<double>() : 0;
  reset_peak_rss();
  std::vector<double> seconds, busy;
  for (int i = 0; i < request.steps; ++i) {
    const auto before = clock::now();
    const std::clock_t busy_before = std::clock();
    loss = one_step();
    synchronise();
    seconds.push_back(std::chrono::duration<double>(clock::now() - before).count());
    busy.push_back(static_cast<double>(std::clock() - busy_before) / CLOCKS_PER_SEC);
  }
  nlohmann::ordered_json line{{"job", "train_step"},
                              {"variant", "nephron"},
                              {"seconds", median(seconds)},
                              {"items", request.batch},
                              {"items_per_s", request.batch / median(seconds)},
                              {"fastest_s", *std::min_element(seconds.begin(), seconds.end())},
                              {"cpu_s", median(busy)},
                              {"warmup_s", warmup_s},
                              {"loss_after_warmup", warm_loss},
                              {"loss", loss.item<double>()},
                              {"encoder", request.encoder},
                              {"decoder", request.decoder},
                              {"batch", request.batch},
                              {"tile", request.tile},
                              {"classes", request.classes},
                              {"device", device.str()},
                              {"precision", request.precision},
                              {"threads", torch_threads()},
                              {"channels_last", request.channels_last},
                              {"cuda_graph", request.cuda_graph},
                              {"peak_rss_mb", peak_rss_mb()},
                              {"rss_before_mb", before_mb},
                              {"estimated_mb", static_cast<double>(estimate) / (1 << 20)}};
  if (request.divide) {
    const StepDivision division = divide_steps(std::max(1, request.steps / 2), [&] { one_step(); });
    print_division(division);
    for (const StepPart& part : division.parts) line["division"][part.name] = part.seconds / division.seconds;
  }
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace nephron::host
