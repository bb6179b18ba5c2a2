#include <host/runs/folder_lock_wait.hpp>

#include <csignal>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using State = FolderLock::State;

class FolderLocks : public testing::Test {
 protected:
  const ScratchFolder scratch_{"lock"};
  const std::filesystem::path& folder_ = scratch_.path();
};

TEST_F(FolderLocks, IsAskedForWithoutBeingTaken) {
  EXPECT_EQ(FolderLock::ask(folder_), State::unknown) << "there is no lock file";
  {
    const FolderLock lock(folder_);
    EXPECT_EQ(lock.other_holder(), std::nullopt);
    EXPECT_EQ(FolderLock::ask(folder_), State::held);
    EXPECT_EQ(FolderLock::ask(folder_), State::held) << "the first question has released it";
  }
  EXPECT_EQ(FolderLock::ask(folder_), State::free);
  EXPECT_EQ(FolderLock(folder_).other_holder(), std::nullopt);
}

TEST_F(FolderLocks, TheSecondIsToldOfTheFirst) {
  const FolderLock lock(folder_);
  const FolderLock second(folder_);
  ASSERT_TRUE(second.other_holder());
  EXPECT_THAT(*second.other_holder(), testing::StartsWith("process " + std::to_string(::getpid()) + " on "));
}

TEST_F(FolderLocks, WhoWaitsHasItAlone) {
  int counted = 0;  // by who holds it alone
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        const FolderLock lock = wait_for_lock(folder_, std::chrono::minutes(1));
        const int before = counted;
        std::this_thread::yield();
        counted = before + 1;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counted, 80);
  const FolderLock held(folder_);
  EXPECT_THAT([&] { wait_for_lock(folder_, std::chrono::milliseconds(20)); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("by process " + std::to_string(::getpid()))));
}

// As processes that train one fold of a run each hold the run.
TEST_F(FolderLocks, SeveralMayHoldItThatSaySo) {
  const FolderLock first(folder_, FolderLock::Beside::others), second(folder_, FolderLock::Beside::others);
  EXPECT_FALSE(first.other_holder() || second.other_holder());
  EXPECT_EQ(FolderLock::ask(folder_), State::held);
  EXPECT_TRUE(FolderLock(folder_).other_holder()) << "one that wants it alone";
  std::atomic<int> inside{0}, most{0}, calls{0};
  std::vector<std::thread> threads;
  for (const FolderLock* lock : {&first, &second})
    threads.emplace_back([&, lock] {
      for (int k = 0; k < 200; ++k)
        lock->in_turn([&] {
          most = std::max<int>(most, ++inside);
          std::this_thread::yield();
          --inside, ++calls;
        });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(calls, 400);
}

TEST_F(FolderLocks, WhoHasItAloneIsBesideNobody) {
  const FolderLock alone(folder_);
  alone.in_turn([] {});
  EXPECT_TRUE(FolderLock(folder_, FolderLock::Beside::others).other_holder());
  EXPECT_TRUE(FolderLock(folder_).other_holder());
}

// A process that starts while others look must always get its lock.
TEST_F(FolderLocks, QuestionsNeverMakeAStartFail) {
  { const FolderLock made(folder_); }
  std::atomic<bool> over{false};
  std::thread asks([&] {
    while (!over) FolderLock::ask(folder_);
  });
  int refused = 0;
  for (int i = 0; i < 3000; ++i) refused += FolderLock(folder_).other_holder().has_value();
  over = true;
  asks.join();
  EXPECT_EQ(refused, 0);
}

TEST_F(FolderLocks, EndsWithTheProcessThatWasKilled) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder_);
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(FolderLock::ask(folder_), State::held);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(FolderLock::ask(folder_), State::free);
  ::close(ready[0]);
  ::close(ready[1]);
}

// What lies there in place of a lock file is no reason to hang, or to follow a link.
TEST_F(FolderLocks, StrangeLockFilesAreUnknown) {
  ASSERT_EQ(::mkfifo((folder_ / ".lock").c_str(), 0600), 0);
  EXPECT_NE(FolderLock::ask(folder_), State::held);
  std::filesystem::remove(folder_ / ".lock");
  std::filesystem::create_symlink("/etc/hostname", folder_ / ".lock");
  EXPECT_EQ(FolderLock::ask(folder_), State::unknown);
}

}  // namespace
}  // namespace nephron::host
