#include <nephron/quiet_libraries.hpp>

#include <cstdio>
#include <thread>

#include <gtest/gtest.h>

namespace nephron {
namespace {

TEST(QuietLibrariesTest, KeepsWhatThisThreadPrintsAndNothingElse) {
  testing::internal::CaptureStderr();
  {
    const QuietLibraries quiet;
    std::fprintf(stderr, "libpng %s: %s\n", "error", "IDAT: CRC error");
    std::thread([] { std::fputs("another thread\n", stderr); }).join();
    {
      const QuietLibraries inner;
      std::fputs("inner", stderr);
      EXPECT_EQ(inner.said(), "inner");
    }
    EXPECT_EQ(quiet.said(), "libpng error: IDAT: CRC error\n");
    EXPECT_FALSE(quiet.said_damaged());
  }
  std::fputs("afterwards\n", stderr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "another thread\nafterwards\n");
}

TEST(QuietLibrariesTest, KnowsDamageThatADecoderWentOnAfter) {
  const auto damaged = [](const char* text) {
    const QuietLibraries quiet;
    std::fputs(text, stderr);
    return quiet.said_damaged();
  };
  EXPECT_TRUE(damaged("Corrupt JPEG data: premature end of data segment\n"));
  EXPECT_TRUE(damaged("Premature end of JPEG file\n"));
  EXPECT_FALSE(damaged("Corrupt JPEG data: 12 extraneous bytes before marker 0xd9\n"));
  EXPECT_FALSE(damaged("libpng warning: iCCP: known incorrect sRGB profile\n"));
  EXPECT_FALSE(damaged(""));
}

}  // namespace
}  // namespace nephron
