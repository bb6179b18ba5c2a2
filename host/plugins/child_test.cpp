#include <host/plugins/child.hpp>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

ChildEnd shell(const std::string& script, double patience, std::string& report) {
  return run_child({"/bin/sh", "-c", script}, patience, [&](std::string_view text) { report += text; });
}

TEST(Child, HandsOnReportsAndKeepsTheEndOfTheOutput) {
  std::string report;
  const ChildEnd end = shell("echo one >&3; echo words; echo more >&2; echo two >&3; exit 3", 20, report);
  EXPECT_EQ(report, "one\ntwo\n");
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.text(), "it exited with code 3; its last words: words more");
}

TEST(Child, NamesSignals) {
  std::string report;
  EXPECT_EQ(shell("kill -SEGV $$", 20, report).text(), "it was killed by signal 11 (Segmentation fault)");
}

TEST(Child, StopsWhatIsSilentWithEverythingItStarted) {
  std::string report;
  const ChildEnd end = shell("sleep 1000 & echo begun >&3; sleep 1000", 0.5, report);
  EXPECT_TRUE(end.silent);
  EXPECT_EQ(report, "begun\n");
  EXPECT_EQ(end.text(), "it did not answer for 1 s and was stopped");
}

TEST(Child, ComesBackWhenAGrandchildHoldsThePipes) {
  std::string report;
  const ChildEnd end = shell("sleep 1000 & exit 0", 60, report);
  EXPECT_EQ(end.code, 0);
  EXPECT_FALSE(end.silent);
}

TEST(Child, ManyReportsDoNotCountAsSilence) {
  std::string report;
  EXPECT_FALSE(shell("for i in 1 2 3 4 5 6; do echo $i >&3; sleep 0.3; done", 1, report).silent);
  EXPECT_EQ(report, "1\n2\n3\n4\n5\n6\n");
}

TEST(Child, SaysWhenTheCommandIsNotThere) {
  EXPECT_THROW(run_child({"/nonexistent/program"}, 1, [](std::string_view) {}), Error);
}

}  // namespace
}  // namespace nephron::host
