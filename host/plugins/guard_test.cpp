#include <host/plugins/guard.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

const Blame blame{
    .plugin = "\"p\" (/p.so)", .component = "loss \"l\"", .place = "e.toml:3:1", .doing = "in forward at step 12"};

template <class F>
std::string message_of(F&& call) {
  try {
    guarded(blame, call);
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
  EXPECT_EQ(guarded(blame, [] { return 7; }), 7);
  EXPECT_THROW(guarded(blame, [] { throw Cancelled(); }), Cancelled);
  EXPECT_EQ(message_of([] { guarded(blame, [] { throw Error("inner"); }); }),
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
    const std::shared_ptr<Component> thing = with_blame(std::make_shared<Thing>(gone), blame);
    address = thing.get();
    EXPECT_EQ(blame_of(*thing).component, "loss \"l\"");
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
  EXPECT_EQ(blame_of(*address).plugin, "(unknown)");
}

}  // namespace
}  // namespace nephron::host
