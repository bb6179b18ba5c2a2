// What tests/bench times of statistics: a hidden command that prints one line of JSON.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include <host/cli/bench_measures.hpp>
#include <host/cli/command.hpp>
#include <host/stats/bootstrap.hpp>
#include <host/stats/sign_flip.hpp>

namespace nephron::host {

namespace {

struct BenchStatsRequest {
  int donors = 20, repeats = 5;
  int draws = 9999;
};

/// Differences that the peer makes too (tests/bench/stats/peer.py).
std::vector<double> differences(int n) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i) out.push_back(0.02 + 0.05 * std::sin(1.7 * i));
  return out;
}

/// The fastest of the repeats.
template <class F>
double seconds(int repeats, const F& work) {
  double best = 1e9;
  for (int i = 0; i < repeats; ++i) {
    const Clock clock;
    work();
    best = std::min(best, clock.seconds());
  }
  return best;
}

int bench_stats(const BenchStatsRequest& request) {
  const std::vector<double> d = differences(request.donors);
  nlohmann::ordered_json out;
  double p = 0;
  Interval interval;
  BootstrapIntervals bootstrap;
  out["exact_s"] = seconds(request.repeats, [&] { p = SignFlipTest(d).p(); });
  out["interval_s"] = seconds(request.repeats, [&] { interval = SignFlipTest(d).interval(); });
  out["bca_s"] =
      seconds(request.repeats, [&] { bootstrap = bootstrap_mean(d, static_cast<std::size_t>(request.draws), 1); });
  out["p"] = p, out["low"] = interval.low, out["high"] = interval.high;
  out["bca_low"] = bootstrap.bca.low, out["bca_high"] = bootstrap.bca.high;
  std::printf("%s\n", out.dump().c_str());
  return Exit::done;
}

void add_bench_stats(CLI::App& app, int& exit) {
  const auto request = std::make_shared<BenchStatsRequest>();
  CLI::App* const command = app.add_subcommand("bench-stats", "Time the tests of paired differences")->group("");
  command->add_option("--donors", request->donors, "Differences")->check(CLI::Range(2, 1000))->capture_default_str();
  command->add_option("--draws", request->draws, "Of the bootstrap")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  command->add_option("--repeats", request->repeats, "Times it is measured")->check(CLI::Range(1, 1000));
  command->callback([request, &exit] { exit = bench_stats(*request); });
}
NEPHRON_COMMAND("bench-stats", 902, add_bench_stats)

}  // namespace
}  // namespace nephron::host
