#include <host/plugins/guard.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include <host/util/current_call.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {
namespace {

const Origin origin{
    .plugin = "\"p\" (/p.so)", .component = "loss \"l\"", .place = "e.toml:3:1", .doing = "in forward at step 12"};

template <class F>
std::string message_of(F&& call) {
  try {
    guarded(origin, call);
  } catch (const PluginError& e) {
    return e.what() + (e.hint().empty() ? "" : " | " + e.hint());
  }
  return "(nothing)";
}

TEST(Guard, NamesPluginComponentPlaceAndStep) {
  EXPECT_EQ(message_of([] { throw Error("bad", "do this"); }),
            "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in forward at step 12: bad | do this");
  EXPECT_EQ(message_of([] { throw std::out_of_range("beyond"); }),
            "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in forward at step 12: beyond");
}

TEST(Guard, NamesTheTypeOfForeignExceptions) {
  EXPECT_EQ(
      message_of([] { throw 42; }),
      "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in forward at step 12: it threw a \"int\", which is not a "
      "std::exception | a plugin throws nephron::Error (SDK rule 6)");
}

TEST(Guard, LeavesBacktracesOut) {
  EXPECT_EQ(message_of([] { throw std::runtime_error("sizes differ\nException raised from f at g.cpp:1\nframe #0"); }),
            "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in forward at step 12: sizes differ");
}

TEST(Guard, PassesResultsCancellationAndNamedErrors) {
  EXPECT_EQ(guarded(origin, [] { return 7; }), 7);
  EXPECT_THROW(guarded(origin, [] { throw Cancelled(); }), Cancelled);
  EXPECT_EQ(message_of([] { guarded(origin, [] { throw Error("inner"); }); }),
            "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in forward at step 12: inner");
}

struct Thing final : Component {
  explicit Thing(bool& gone) : gone_(gone) {}
  ~Thing() override { gone_ = true; }
  bool& gone_;
};

TEST(Guard, KnowsAComponentForAsLongAsItLives) {
  bool gone = false;
  const Component* address = nullptr;
  {
    const std::shared_ptr<Component> thing = with_origin(std::make_shared<Thing>(gone), origin);
    address = thing.get();
    EXPECT_EQ(origin_of(*thing).component, "loss \"l\"");
    bool asked = false;
    const auto doing = [&] { return asked = true, std::string("in backward"); };
    EXPECT_EQ(guarded(*thing, doing, [] { return 1; }), 1);
    EXPECT_FALSE(asked);  // texts are only made for failures
    try {
      guarded(*thing, doing, []() -> int { throw Error("x"); });
      FAIL();
    } catch (const PluginError& e) {
      EXPECT_STREQ(e.what(), "e.toml:3:1: loss \"l\" of plugin \"p\" (/p.so) failed in backward: x");
    }
  }
  EXPECT_TRUE(gone);
  EXPECT_EQ(origin_of(*address).plugin, "(unknown)");
}

TEST(ExitDeathTest, ExitWithinACallIsAFailureThatNamesIt) {
  const auto ending = [](auto&& call) {
    catch_crashes();
    guarded(origin, call);
    std::exit(0);
  };
  EXPECT_EXIT(ending([] { std::exit(0); }), testing::ExitedWithCode(1),
              "ended by exit\\(\\) in loss \"l\" of plugin \"p\" \\(/p.so\\) in forward at step 12 \\(e.toml:3:1\\)");
  EXPECT_EXIT(ending([] {}), testing::ExitedWithCode(0), "");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // those report crashes by themselves
int overflow(volatile int* deeper) {
  if (*deeper < 0) return 0;  // never
  volatile int here[1024] = {*deeper};
  return overflow(here) + here[7];
}

TEST(CrashDeathTest, ASignalNamesTheCallThatItFellInto) {
  const auto in_guard = [](auto&& call) {
    catch_crashes();
    guarded(origin, call);
  };
  const std::string who = ".* in loss \"l\" of plugin \"p\" \\(/p.so\\) in forward at step 12 \\(e.toml:3:1\\)";
  EXPECT_EXIT(in_guard([] { *static_cast<volatile int*>(nullptr) = 1; }), testing::KilledBySignal(SIGSEGV),
              "nephron died of SIGSEGV" + who);
  EXPECT_EXIT(in_guard([] { std::abort(); }), testing::KilledBySignal(SIGABRT), "nephron died of SIGABRT" + who);
  volatile int seven = 7, zero = 0;
  EXPECT_EXIT(in_guard([&] { zero = seven / zero; }), testing::KilledBySignal(SIGFPE), "nephron died of SIGFPE" + who);
  EXPECT_EXIT(in_guard([] { ::raise(SIGBUS); }), testing::KilledBySignal(SIGBUS), "nephron died of SIGBUS" + who);
  EXPECT_EXIT(in_guard([&] { std::exit(overflow(&zero)); }), testing::KilledBySignal(SIGSEGV), "SIGSEGV" + who);
  // A thread of the pool works for whoever asked for the loop.
  const auto in_pool = [] {
    thread_pool().parallel_for(2, [main = std::this_thread::get_id()](std::size_t) {
      if (std::this_thread::get_id() != main) std::abort();
      std::this_thread::sleep_for(std::chrono::seconds(20));  // the other index is the other thread's
    });
  };
  if (std::thread::hardware_concurrency() > 1) {
    EXPECT_EXIT(in_guard(in_pool), testing::KilledBySignal(SIGABRT), "SIGABRT" + who);
  }
  EXPECT_EXIT((in_guard([] {}), std::abort()), testing::KilledBySignal(SIGABRT), "outside of any plugin");
}
#endif

}  // namespace
}  // namespace nephron::host
