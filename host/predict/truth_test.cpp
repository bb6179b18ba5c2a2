#include <host/predict/truth.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/predict/picture_file.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Image row(const std::vector<float>& values) {
  Image map({static_cast<std::int64_t>(values.size()), 1}, 1, Depth::f32);
  std::copy(values.begin(), values.end(), map.view().row<float>(0));
  return map;
}

Image mask(const std::vector<int>& values) {
  Image out({static_cast<std::int64_t>(values.size()), 1}, 1);
  for (std::size_t i = 0; i < values.size(); ++i) out.view().row<std::uint8_t>(0)[i] = values[i] != 0 ? 255 : 0;
  return out;
}

TEST(Above, IsStrict) {
  const Image hit = above(row({0.4F, 0.5F, 0.6F}).view(), 0.5);
  EXPECT_EQ(hit.view().row<std::uint8_t>(0)[1], 0);
  EXPECT_EQ(hit.view().row<std::uint8_t>(0)[2], 255);
}

TEST(DiceOf, CountsPixels) {
  EXPECT_NEAR(dice_of(mask({1, 1, 0, 0}), mask({1, 0, 0, 0})), 2.0 / 3, 1e-7);
  EXPECT_DOUBLE_EQ(dice_of(mask({0, 0}), mask({0, 0})), 1);
}

TEST(TruthFolderTest, FindsOneMaskAClass) {
  const fs::path folder = fs::temp_directory_path() / ("nephron-truth-" + std::to_string(::getpid()));
  fs::create_directories(folder / "healthy");
  fs::create_directories(folder / "sclerotic");
  const auto put = [&](const char* name, const Image& m) { save_png(folder / name, m.view()); };
  put("flat.png", mask({1, 0}));
  put("healthy/both.png", mask({1, 0}));
  put("sclerotic/both.png", mask({0, 1}));
  put("healthy/half.png", mask({1, 0}));
  const TruthFolder one(folder, {"glomerulus"}), two(folder, {"healthy", "sclerotic"});
  EXPECT_EQ(one.read("flat", {2, 1}).of_class.size(), 1U);
  EXPECT_FALSE(one.read("flat", {2, 1}).coded);
  EXPECT_TRUE(one.read("absent", {2, 1}).of_class.empty());
  EXPECT_FALSE(one.has("absent"));
  EXPECT_THAT(one.looked_for("absent"), HasSubstr((folder / "absent").string()));
  const auto both = two.read("both", {2, 1}).of_class;
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1].view().row<std::uint8_t>(0)[1], 255);
  const auto message = [&](const std::string& id, const TruthFolder& truth, Size size) {
    try {
      truth.read(id, size);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message("half", two, {2, 1}), HasSubstr("1 of 2 classes"));
  EXPECT_THAT(message("flat", one, {4, 4}), HasSubstr("2 x 1 px; its picture is 4 x 4 px"));
  fs::remove_all(folder);
}

TEST(TruthFolderTest, PlainMasksMayHaveAFolderOfIgnoredPixels) {
  const fs::path folder = fs::temp_directory_path() / ("nephron-ignored-" + std::to_string(::getpid()));
  fs::create_directories(folder / "ignored");
  save_png(folder / "a.png", mask({1, 0, 1}).view());
  save_png(folder / "b.png", mask({1, 0, 1}).view());
  save_png(folder / "ignored/a.png", mask({0, 1, 1}).view());
  const TruthFolder truth(folder, {"glomerulus"});
  EXPECT_EQ(truth.read("a", {3, 1}).ignored.view().row<std::uint8_t>(0)[1], 255);
  EXPECT_TRUE(truth.read("b", {3, 1}).ignored.empty());
  save_png(folder / "ignored/b.png", mask({0, 1}).view());
  EXPECT_THROW(truth.read("b", {3, 1}), Error);
  fs::create_directories(folder / "other");
  save_png(folder / "other/b.png", mask({0, 1, 0}).view());
  save_png(folder / "ignored/b.png", mask({1, 1, 0}).view());
  const TruthFolder named(folder, {"ignored", "other"});  // the folder is a class's
  EXPECT_TRUE(named.read("b", {3, 1}).ignored.empty());
  EXPECT_EQ(named.read("b", {3, 1}).of_class.size(), 2U);
  fs::remove_all(folder);
}

TEST(IgnoredMask, IsTheBitAfterTheClasses) {
  Image bits({3, 1}, 1);
  bits.view().row<std::uint8_t>(0)[0] = 1;
  EXPECT_TRUE(ignored_mask(bits.view(), 2).empty());
  bits.view().row<std::uint8_t>(0)[2] = 4;
  const Image out = ignored_mask(bits.view(), 2);
  ASSERT_EQ(out.size(), (Size{3, 1}));
  EXPECT_EQ(out.view().row<std::uint8_t>(0)[0], 0);
  EXPECT_EQ(out.view().row<std::uint8_t>(0)[2], 255);
}

}  // namespace
}  // namespace nephron::host
