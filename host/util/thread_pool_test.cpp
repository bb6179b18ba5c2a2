#include <host/util/thread_pool.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

TEST(ThreadPool, CallsEveryIndexOnce) {
  for (const std::size_t n : {0U, 1U, 2U, 1000U}) {
    std::vector<std::atomic<int>> calls(n);
    thread_pool().parallel_for(n, [&](std::size_t i) { ++calls[i]; });
    for (const auto& c : calls) EXPECT_EQ(c, 1);
  }
}

TEST(ThreadPool, LoopsInsideLoopsEnd) {
  std::atomic<int> calls{0};
  thread_pool().parallel_for(8, [&](std::size_t) { thread_pool().parallel_for(8, [&](std::size_t) { ++calls; }); });
  EXPECT_EQ(calls, 64);
}

TEST(ThreadPool, LoopsFromManyThreads) {
  std::atomic<int> calls{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) thread_pool().parallel_for(5, [&](std::size_t) { ++calls; });
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(calls, 4 * 200 * 5);
}

TEST(ThreadPool, ThrowsTheFirstErrorAndDropsTheRest) {
  std::atomic<int> calls{0};
  const auto loop = [&] {
    thread_pool().parallel_for(100000, [&](std::size_t i) {
      ++calls;
      if (i == 3) throw std::runtime_error("three");
    });
  };
  EXPECT_THROW(loop(), std::runtime_error);
  EXPECT_LT(calls, 100000);
  thread_pool().parallel_for(4, [&](std::size_t) { ++calls; });  // still usable
}

}  // namespace
}  // namespace nephron::host
