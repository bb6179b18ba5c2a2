#include <host/registry/run_index.hpp>

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/support/put_file.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Index : public testing::Test {
 protected:
  /// A finished run with this Dice, of an hour ago: what is just being changed is looked at again.
  fs::path make_run(int number, double dice) const {
    char name[40];
    std::snprintf(name, sizeof name, "20260131-120000-%06x", static_cast<unsigned>(number));
    const fs::path run = runs_ / "unet" / name;
    fs::create_directories(run / "fold-0");
    put_file(run / "experiment.resolved.toml", "name = \"unet\"\n[train]\nbatch = " + std::to_string(number) + "\n");
    put_file(run / "environment.json", R"({"started": "2026-01-31T12:00:00+0000", "folds": [0], "sessions": [{}]})");
    put_file(run / "fold-0/done.json", R"({"best_dice": )" + std::to_string(dice) + "}");
    put_file(run / ".lock", "");
    make_old(run);
    return run;
  }
  void make_old(const fs::path& run) const {
    const auto then = fs::file_time_type::clock::now() - 1h;
    for (const fs::path& path : {run, run.parent_path(), runs_}) fs::last_write_time(path, then);
  }
  RunIndex open() const { return RunIndex::open({runs_}, scratch_.path() / "runs.sqlite"); }
  static double dice_of(const RunIndex& index, std::size_t i) {
    return std::get<double>(*index.column("dice").find(index.runs().at(i).number));
  }

  const ScratchFolder scratch_{"run-index"};
  const fs::path runs_ = scratch_.path() / "runs";
};

TEST_F(Index, LooksOnlyAtWhatCanHaveChanged) {
  for (int i = 1; i <= 20; ++i) make_run(i, 0.5);
  EXPECT_EQ(open().looked_at(), 20U);
  EXPECT_EQ(open().looked_at(), 0U);
  const fs::path changed = make_run(7, 0.75);
  fs::last_write_time(changed, fs::file_time_type::clock::now() - 30min);
  const RunIndex again = open();
  EXPECT_EQ(again.looked_at(), 1U);
  EXPECT_EQ(dice_of(again, 6), 0.75);
  make_run(21, 0.25);
  fs::last_write_time(runs_ / "unet", fs::file_time_type::clock::now() - 20min);
  EXPECT_EQ(open().looked_at(), 1U) << "a new one";
  // One that is not at its end may change without its folder's time.
  fs::remove(make_run(3, 0.5) / "fold-0/done.json");
  make_old(runs_ / "unet/20260131-120000-000003");
  fs::last_write_time(runs_ / "unet/20260131-120000-000003", fs::file_time_type::clock::now() - 10min);
  open();
  EXPECT_EQ(open().looked_at(), 1U);
}

// Many are read by several threads at a time: for the thread sanitizer.
TEST_F(Index, ManyRunsAreReadAtATime) {
  constexpr int count = 300;
  for (int i = 1; i <= count; ++i) make_run(i, i / 1000.0);
  const RunIndex index = open();
  ASSERT_EQ(index.runs().size(), static_cast<std::size_t>(count));
  for (int i = 1; i <= count; ++i)
    EXPECT_EQ(dice_of(index, static_cast<std::size_t>(i - 1)), std::stod(std::to_string(i / 1000.0)));
}

}  // namespace
}  // namespace nephron::host
