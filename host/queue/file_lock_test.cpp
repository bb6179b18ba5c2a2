#include <host/queue/file_lock.hpp>

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

Machine machine() {
  Machine out;
  out.gpus.assign(2, {"made up", "", 1 << 30});
  out.cores = 4;
  return out;
}

Parts some() {
  Parts out;
  out.gpus[1] = 0x0f0f;
  out.cores.set(2);
  return out;
}

TEST(PartLocks, APartIsHeldByOneAloneAndAskingTakesNothing) {
  const ScratchFolder folder("queue-locks");
  const PartLocks locks(folder.path(), machine());
  EXPECT_TRUE(locks.held().empty());
  auto first = locks.take(some());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 2U);
  EXPECT_EQ(locks.held(), some());
  EXPECT_FALSE(locks.take(some()));
  Parts other;
  other.gpus[1] = 0xf0f0;
  other.cores.set(3);
  const auto second = locks.take(other);
  EXPECT_TRUE(second);
  Parts both = some();
  both.add(other);
  EXPECT_EQ(locks.held(), both);
  first.reset();
  EXPECT_EQ(locks.held(), other);
}

TEST(PartLocks, ATryThatFailsHoldsNothing) {
  const ScratchFolder folder("queue-locks");
  const PartLocks locks(folder.path(), machine());
  const auto first = locks.take(some());
  Parts more = some();
  more.gpus[0] = 1;
  EXPECT_FALSE(locks.take(more));
  EXPECT_EQ(locks.held(), some());
}

TEST(PartLocks, WhatAProgramInheritedItHoldsUntilItIsKilled) {
  const ScratchFolder folder("queue-locks");
  const PartLocks locks(folder.path(), machine());
  auto held = locks.take(some());
  ASSERT_TRUE(held);
  for (Descriptor& fd : *held) fd = keep_over_exec(std::move(fd));
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(1);
  }
  held.reset();
  EXPECT_EQ(locks.held(), some());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(locks.held().empty());
}

}  // namespace
}  // namespace nephron::host
