#include <host/predict/bench_forward.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

#include <ATen/ops/from_blob.h>

#include <nlohmann/json.hpp>

#include <nephron/rng.hpp>

#include <host/model/model.hpp>
#include <host/predict/networks.hpp>
#include <host/runs/process.hpp>
#include <host/util/temporary_folder.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace {

using clock = std::chrono::steady_clock;

double since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

Experiment experiment_of(const BenchForwardRequest& request) {
  Experiment out;
  const auto named = [](const std::string& type) { return ComponentSpec{type, Value(Value::Table{}), {}}; };
  out.model.encoder.component = named(request.encoder);
  out.model.decoder = named(request.decoder);
  out.classes.resize(static_cast<std::size_t>(request.classes));
  return out;
}

void save(const BenchForwardRequest& request, std::vector<std::uint8_t>& images, std::vector<float>& out) {
  if (request.save.empty()) return;
  const std::int64_t n = request.batch, side = request.tile;
  write_tensors(request.save,
                {{"images", at::from_blob(images.data(), {n, side, side, 3}, at::TensorOptions(c10::kByte))},
                 {"probabilities", at::from_blob(out.data(), {n, request.classes, side, side})}});
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

}  // namespace

void bench_forward(const BenchForwardRequest& request) {
  const Registry registry;
  const Experiment experiment = experiment_of(request);
  std::optional<TemporaryFolder> scratch;
  std::filesystem::path weights = request.weights;
  if (weights.empty()) {
    weights = scratch.emplace("nephron-debug-").folder() / "weights.safetensors";
    write_tensors(weights, state_dict(*build_model(experiment.model, request.classes, registry, 42)));
  }
  const auto start = clock::now();
  NetworkOptions options{request.device, request.precision, request.tta, request.threads};
  const auto model = open_networks(experiment, registry, {weights}, options);
  const double open_s = since(start);

  const auto pixels = static_cast<std::size_t>(request.batch * request.tile * request.tile);
  std::vector<std::uint8_t> images(3 * pixels);
  Rng rng(42, "bench");
  for (auto& v : images) v = static_cast<std::uint8_t>(rng.bits());
  std::vector<float> out(pixels * static_cast<std::size_t>(request.classes));
  const TileBatch tiles{request.batch, {request.tile, request.tile}, images.data(), {}};
  model->run(tiles, out.data());
  const double ready_s = since(start);
  save(request, images, out);
  std::vector<double> seconds;
  for (int i = 0; i < request.runs; ++i) {
    const auto before = clock::now();
    model->run(tiles, out.data());
    seconds.push_back(since(before));
  }
  const nlohmann::ordered_json line{{"job", "forward"},
                                    {"variant", "nephron"},
                                    {"seconds", median(seconds)},
                                    {"items", request.batch},
                                    {"fastest_s", *std::min_element(seconds.begin(), seconds.end())},
                                    {"open_s", open_s},
                                    {"ready_s", ready_s},
                                    {"encoder", request.encoder},
                                    {"decoder", request.decoder},
                                    {"tile", request.tile},
                                    {"directions", request.tta.size()},
                                    {"precision", request.precision},
                                    {"peak_rss_mb", peak_rss_mb()}};
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace nephron::host
