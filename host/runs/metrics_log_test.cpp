#include <host/runs/metrics_log.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

class Metrics : public testing::Test {
 protected:
  const ScratchFolder scratch_{"metrics"};
  const fs::path& folder_ = scratch_.path();
};

/// The interpreter with TensorBoard; empty when there is none.
std::string peers_python() {
  if (const char* named = std::getenv("NEPHRON_PEERS")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base = cache != nullptr ? fs::path(cache) : fs::path(home != nullptr ? home : "") / ".cache";
  const fs::path python = base / "nephron/peers/bin/python";
  return fs::exists(python) ? python.string() : "";
}

TEST(Crc32c, KnownAnswers) {  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST_F(Metrics, WritesLinesThatReadBack) {
  {
    MetricsLog log(folder_, 0);
    log.write(1, {{"loss", 0.125}, {"lr", 1e-3}});
    log.write(2, {{"loss", std::nan("")}, {"lr", 2e-3}});
    log.flush();
  }
  const auto lines = read_metrics(folder_ / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].first, 1);
  EXPECT_EQ(lines[0].second, (MetricsLog::Values{{"loss", 0.125}, {"lr", 1e-3}}));
  EXPECT_EQ(lines[1].second, (MetricsLog::Values{{"lr", 2e-3}})) << "a NaN must be skipped, not read as a number";
}

TEST_F(Metrics, AResumedFoldDropsStepsThatAreDoneAgain) {
  {
    MetricsLog log(folder_, 0);
    for (int i = 1; i <= 5; ++i) log.write(i, {{"loss", i}});
    log.flush();
  }
  std::ofstream(folder_ / "metrics.jsonl", std::ios::app) << "{\"step\":6,\"lo";  // killed while writing
  {
    MetricsLog log(folder_, 3);
    log.write(4, {{"loss", 40}});
    log.flush();
  }
  const auto lines = read_metrics(folder_ / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[2].second[0].second, 3);
  EXPECT_EQ(lines[3].second[0].second, 40);
}

TEST_F(Metrics, DamagedLinesAreToldOfOnceAndTheOthersStay) {
  std::ofstream(folder_ / "metrics.jsonl")
      << "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2\nnothing\n"
         "{\"step\":3,\"loss\":3}\n{\"step\":\"4\"}\n{\"step\":9,\"loss\":9}\n{\"st";
  const auto said = [&] {
    testing::internal::CaptureStderr();
    MetricsLog(folder_, 5).flush();
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(said(), testing::HasSubstr((folder_ / "metrics.jsonl").string() +
                                         ": lines 2, 3, 5 are damaged and go; 2 lines up to step 5 stay"));
  EXPECT_EQ(read_metrics(folder_ / "metrics.jsonl").size(), 2U);
  EXPECT_EQ(said(), "");
}

TEST_F(Metrics, TensorBoardReadsThem) {
  const std::string python = peers_python();
  if (python.empty()) GTEST_SKIP() << "no Python with TensorBoard: set NEPHRON_PEERS to one (./nephron peers makes it)";
  {
    MetricsLog log(folder_, 0);
    for (int i = 1; i <= 5; ++i) log.write(i, {{"loss", 1.0 / i}, {"lr", i * 0.5}});
    log.flush();
  }
  {
    MetricsLog log(folder_, 3);  // goes on from step 3: steps 4 and 5 are done again
    for (int i = 4; i <= 300; ++i) log.write(i, {{"loss", 10.0 + i}});
    log.flush();
  }
  std::ofstream(folder_ / "read.py") << R"(
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
assert sorted(a.Tags()["scalars"]) == ["loss", "lr"], a.Tags()
loss = [(e.step, e.value) for e in a.Scalars("loss")]
want = [(i, 1 / i if i < 4 else 10 + i) for i in range(1, 301)]
assert [s for s, _ in loss] == [s for s, _ in want], loss
assert all(abs(x[1] - y[1]) < 1e-6 * y[1] for x, y in zip(loss, want)), loss
assert [e.value for e in a.Scalars("lr")] == [.5, 1, 1.5]
)";
  const std::string command = python + " " + (folder_ / "read.py").string() + " " + folder_.string() + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(MetricsLog, SaysWhatCannotBeWritten) { EXPECT_THROW(MetricsLog("/nowhere/at/all", 0), Error); }

}  // namespace
}  // namespace nephron::host
