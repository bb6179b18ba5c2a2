// Ranks in threads of one process: each has its own connections, as if it were a process.
#include <host/ranks/ranks.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <host/ranks/local_ranks.hpp>
#include <host/ranks/rank_error.hpp>
#include <tests/support/free_port.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

RankPlace place_of(int rank, int count, std::uint16_t port) {
  RankPlace out;
  out.rank = out.local = rank;
  out.count = out.local_count = count;
  out.address = "127.0.0.1";
  out.port = port;
  out.starter = "the test";
  return out;
}

/// Each rank's work in a thread of its own; what it throws, as text.
std::vector<std::string> run(int count, const std::function<void(Ranks&)>& work, const RankTimes& times = {}) {
  const std::uint16_t port = free_port();
  std::vector<std::string> out(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int r = 0; r < count; ++r)
    threads.emplace_back([&, r] {
      try {
        Ranks ranks(place_of(r, count, port), c10::kCPU, times);
        try {
          work(ranks);
          ranks.leave();
        } catch (const std::exception& e) {
          ranks.fail(e.what());
          throw;
        }
      } catch (const std::exception& e) {
        out[static_cast<std::size_t>(r)] = e.what();
      }
    });
  for (std::thread& t : threads) t.join();
  return out;
}

void expect_quiet(const std::vector<std::string>& said) {
  for (const std::string& text : said) EXPECT_EQ(text, "");
}

TEST(Ranks, SumShareAndGather) {
  expect_quiet(run(3, [](Ranks& ranks) {
    const int r = ranks.rank();
    // Of another memory order, another type, and larger than a message.
    const at::Tensor a = at::full({2, 3, 4, 4}, r + 1.0).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor b = at::full({5}, r, at::kLong), c = at::full({3 << 20}, 1.0f), d = at::full({7 << 20}, 0.5f);
    ranks.sum({a, b, c, d});
    EXPECT_TRUE(at::equal(a, at::full({2, 3, 4, 4}, 6.0)));
    EXPECT_TRUE(at::equal(b, at::full({5}, 3, at::kLong)));
    EXPECT_EQ(c.sum().item<double>(), 3.0 * (3 << 20));
    EXPECT_EQ(d.sum().item<double>(), 1.5 * (7 << 20));

    const at::Tensor own = at::arange(6, at::kFloat).view({2, 3}).t() + 100 * r;
    const at::Tensor all = ranks.gather(own);
    EXPECT_EQ(all.sizes(), at::IntArrayRef({3, 3, 2}));
    for (int k = 0; k < 3; ++k) EXPECT_TRUE(at::equal(all[k], own + 100 * (k - r)));

    const at::Tensor told = at::full({4}, r + 7.0).t();
    ranks.share({told, b});
    EXPECT_TRUE(at::equal(told, at::full({4}, 7.0)));
    EXPECT_EQ(ranks.share(r == 0 ? "of the first" : "of another"), "of the first");
    EXPECT_EQ(ranks.share(std::string(r == 0 ? "" : "x")), "");
    EXPECT_TRUE(ranks.any(r == 2));
    EXPECT_FALSE(ranks.any(false));
    EXPECT_NO_THROW(ranks.require_alike("the text", "same"));
    ranks.meet();
  }));
}

TEST(Ranks, WhatDiffersIsNamedWithItsRank) {
  const auto said = run(
      2, [](Ranks& ranks) { ranks.require_alike("the experiment", ranks.first() ? "x = 1\ny = 2" : "x = 1\ny = 3"); });
  for (const std::string& text : said)
    EXPECT_THAT(text, AllOf(HasSubstr("the experiment is another one on rank 1 of 2 ("), HasSubstr("than on rank 0"),
                            HasSubstr(R"(: "y = 3" there, "y = 2" here)")));
}

TEST(Ranks, OneThatFailsTellsTheOthersWhy) {
  // One waits in a collective, the other for a meeting.
  const auto said = run(3, [](Ranks& ranks) {
    if (ranks.rank() == 2) {
      std::this_thread::sleep_for(300ms);
      throw Error("the disk is full");
    }
    if (ranks.first()) ranks.sum({at::full({3}, 1.0)});
    else ranks.meet();
  });
  for (int r = 0; r < 2; ++r)
    EXPECT_THAT(said[static_cast<std::size_t>(r)],
                AllOf(HasSubstr("rank 2 of 3 ("), HasSubstr("ended: the disk is full")));
}

TEST(Ranks, OneThatNeverStartsIsNamed) {
  RankTimes times;
  times.start = 1500ms;
  const std::uint16_t port = free_port();
  try {
    Ranks ranks(place_of(0, 2, port), c10::kCPU, times);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("rank 1 of 2 did not start within 1 s"));
  }
  try {
    Ranks ranks(place_of(1, 2, port), c10::kCPU, times);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("rank 1 of 2 cannot meet the others at 127.0.0.1:")));
  }
}

TEST(LocalRanks, OneThatDiesBeforeTheRanksMeetIsNotWaitedFor) {
  if (std::getenv("RANK") != nullptr) {  // this test again, as the other rank
    std::fputs("error: no memory is left for it\n", stderr);
    ::_exit(3);
  }
  LocalRanks others(3);
  try {
    Ranks ranks(others.place(), c10::kCPU, {}, [&](int rank) { return others.end_of(rank); });
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("of 3 ended before the ranks met: it exited with code 3"),
                                HasSubstr("error: no memory is left for it")));
  }
}

}  // namespace
}  // namespace nephron::host
