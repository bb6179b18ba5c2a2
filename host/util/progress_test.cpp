#include <host/util/progress.hpp>

#include <gtest/gtest.h>

#include <host/util/counted.hpp>

namespace nephron::host {
namespace {

TEST(Eta, CountsWhatThisProcessDid) {
  EXPECT_EQ(eta_text(10, 0, 50, 0), "") << "nothing is known yet";
  EXPECT_EQ(eta_text(10, 5, 6, 0), "ETA 12 s");
}

TEST(Eta, SpeaksOfTheWholeCommand) { EXPECT_EQ(eta_text(10, 5, 6, 39), "ETA 12 s, of everything 1 min 30 s"); }

// Of 1000 steps an earlier process did 900: ten steps in 20 s leave 90 more of 2 s, and a fold of 1000 behind them.
TEST(Eta, OfWhatGoesOnRestsOnWhatThisProcessDid) {
  Progress resumed("fold 0", 1000, 900, 1000);
  EXPECT_EQ(resumed.eta(20), "");
  resumed.update(910);
  EXPECT_EQ(resumed.eta(20), "ETA 3 min 00 s, of everything 36 min 20 s");
}

TEST(Counted, OneAndMany) {
  EXPECT_EQ(counted(1, "slide"), "1 slide");
  EXPECT_EQ(counted(0, "slide"), "0 slides");
  EXPECT_EQ(counted(2U, "batch", "batches"), "2 batches");
}

}  // namespace
}  // namespace nephron::host
