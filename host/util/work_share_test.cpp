#include <host/util/work_share.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

TEST(WorkShares, EveryPieceIsInExactlyOne) {
  for (const int count : {1, 2, 7, 20})
    for (std::size_t piece = 0; piece < 15; ++piece) {
      int owners = 0;
      for (int number = 1; number <= count; ++number)
        owners += WorkShare::parse(std::to_string(number) + "/" + std::to_string(count), "--share").has(piece);
      EXPECT_EQ(owners, 1) << piece << " of " << count;
    }
  EXPECT_TRUE(WorkShare().is_all());
  EXPECT_FALSE(WorkShare::parse("1/1", "--share").is_all()) << "a share has a folder of its own";
  EXPECT_TRUE(WorkShare().has(3));
}

TEST(WorkShares, RefuseWhatIsNone) {
  for (const char* text : {"", "2", "/", "0/3", "4/3", "-1/3", "1/0", "1/3x", " 1/3", "1/999999", "1/3/5"})
    EXPECT_THAT([&] { WorkShare::parse(text, "--share"); },
                testing::ThrowsMessage<UsageError>(testing::HasSubstr("--share " + std::string(text) + ": K/N")))
        << text;
}

}  // namespace
}  // namespace nephron::host
