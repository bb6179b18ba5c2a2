// What tests/bench times of metrics: a hidden command that prints one line of JSON.
#include <cstdio>
#include <memory>

#include <host/cli/command.hpp>
#include <host/metrics/bench_metrics.hpp>

namespace nephron::host {

namespace {

void add_bench_metrics(CLI::App& app, int& exit) {
  const auto request = std::make_shared<BenchMetricsRequest>();
  CLI::App* const command =
      app.add_subcommand("bench-metrics", "Time the comparison of two square masks of raw bytes")->group("");
  command->add_option("TRUTH", request->truth, "Mask")->required()->check(CLI::ExistingFile);
  command->add_option("FOUND", request->found, "Mask of 255 times the probability")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--least-area", request->least_area, "Smaller objects are dropped")->capture_default_str();
  command->add_option("--repeats", request->repeats, "Times it is measured")->check(CLI::Range(1, 1000));
  command->callback([request, &exit] {
    std::printf("%s\n", bench_metrics(*request).c_str());
    exit = Exit::done;
  });
}
NEPHRON_COMMAND("bench-metrics", 902, add_bench_metrics)

}  // namespace
}  // namespace nephron::host
