// What tests/bench times of the feed: a hidden command that prints one line of JSON.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include <host/cli/bench_measures.hpp>
#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/prepared.hpp>
#include <host/feed/feed.hpp>
#include <host/feed/normalisation.hpp>
#include <host/train/batch_tensors.hpp>

namespace nephron::host {

namespace {

struct FeedBench {
  std::filesystem::path experiment;
  std::vector<std::string> set;
  std::int64_t n = 1000;
};

/// Batches as training has them, normalised, by one thread that makes samples and one that waits for them: processor
/// seconds say what one core does.
void feed_bench(const FeedBench& b) {
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(b.experiment, b.set, PluginSearch{}, registry);
  const PreparedData data = normalised(prepare(experiment, *registry), experiment, *registry);
  FeedOptions options;
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  options.batch = experiment.train.batch;
  for (std::size_t i = 0; i < data.slides.size(); ++i) options.slides.push_back(i);
  Feed feed(experiment, *registry, data, options);
  at::set_num_threads(1);
  const Normalise normalise = Normalise::of(experiment.data.mean, experiment.data.std);
  const auto make = [&](std::uint64_t epoch, std::int64_t batches) {
    feed.start(epoch, 0, batches);
    while (std::unique_ptr<RawBatch> batch = feed.next()) {
      to_tensors(*batch, normalise, c10::kCPU, true);
      feed.recycle(std::move(batch));
    }
  };
  make(0, std::max(1, 20 / options.batch));
  reset_peak();
  const Clock clock;
  const std::int64_t batches = (b.n + options.batch - 1) / options.batch;
  make(1, batches);
  const auto tiles = static_cast<double>(batches * options.batch);
  const double seconds = clock.seconds(), busy = clock.busy();
  const nlohmann::ordered_json json{{"job", "feed"},
                                    {"seconds", seconds},
                                    {"items_per_s", tiles / seconds},
                                    {"tiles_per_s_core", tiles / busy},
                                    {"peak_rss_mb", peak_mb()}};
  std::printf("%s\n", json.dump().c_str());
}

void add_feed_bench(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("bench-feed", "Time the training batches of an experiment")->group("");
  const auto b = std::make_shared<FeedBench>();
  command->add_option("experiment", b->experiment)->required();
  command->add_option("--set", b->set)->allow_extra_args(false);
  command->add_option("--n", b->n, "Tiles")->check(CLI::PositiveNumber)->capture_default_str();
  command->callback([b, &exit] {
    feed_bench(*b);
    exit = Exit::done;
  });
}

}  // namespace

NEPHRON_COMMAND("bench-feed", 905, add_feed_bench)

}  // namespace nephron::host
