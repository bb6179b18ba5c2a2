#include <host/slurm/slurm_queue.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

std::string line(std::initializer_list<const char*> words) {
  std::string out;
  for (const char* word : words) out += (out.empty() ? "" : "\x1f") + std::string(word);
  return out + "\n";
}

TEST(SlurmQueues, TellOfTasksThatWaitAndRun) {
  const auto tasks = tasks_in(line({"12", "3", "PENDING", "Resources", "ann", "main", "2", "gres:gpu:1",
                                    "2026-01-31T12:00:00", "2026-01-31T13:00:00", "N/A", "nephron /runs/a|b", "unet"}) +
                              line({"16", "N/A", "RUNNING", "None", "bob", "main", "1", "N/A", "2026-01-31T12:00:00",
                                    "2026-01-31T12:00:05", "NONE", "(null)", "a | name"}));
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].id(), "12_3");
  EXPECT_TRUE(tasks[0].waits() && !tasks[0].is_held() && !tasks[0].runs() && tasks[0].is_ours());
  EXPECT_EQ(tasks[0].run(), "/runs/a|b");
  EXPECT_EQ(*tasks[0].started - tasks[0].submitted, 3600);
  EXPECT_FALSE(tasks[0].ends);
  EXPECT_EQ(tasks[1].id(), "16");
  EXPECT_TRUE(tasks[1].runs() && !tasks[1].is_ours());
  EXPECT_EQ(tasks[1].reason + tasks[1].gres + tasks[1].comment, "");
  EXPECT_EQ(tasks[1].name, "a | name");
  SlurmQueue queue{tasks, ""};
  EXPECT_EQ(queue.of("12").size(), 1U);
  EXPECT_EQ(queue.of("12", 4).size(), 0U);
}

TEST(SlurmQueues, LinesOfOthersAreLeftOut) {
  EXPECT_TRUE(tasks_in("").empty());
  EXPECT_TRUE(tasks_in("slurm_load_jobs error\n\x1f\x1f\n").empty());
  const auto held =
      tasks_in(line({"1", "N/A", "PENDING", "JobHeldUser", "ann", "p", "x", "", "", "", "", "nephronic", "n"}));
  ASSERT_EQ(held.size(), 1U);
  EXPECT_TRUE(held[0].is_held());
  EXPECT_FALSE(held[0].is_ours());
  EXPECT_EQ(held[0].cores, 0);
  const auto requeued = tasks_in(
      line({"1", "N/A", "PENDING", "job requeued in held state", "ann", "p", "1", "", "", "", "", "nephron", "n"}));
  ASSERT_EQ(requeued.size(), 1U);
  EXPECT_TRUE(requeued[0].is_held());
}

}  // namespace
}  // namespace nephron::host
