#include <host/predict/picture_file.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/tiling/most_likely.hpp>
#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PictureFileTest : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }
  std::string error_of(const std::string& name) const {
    try {
      read_picture(folder / name);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  const ScratchFolder scratch_{"pictures"};
  const fs::path& folder = scratch_.path();
};

TEST_F(PictureFileTest, WritesAndReadsBack) {
  Image picture({5, 4}, 3);
  for (int y = 0; y < 4; ++y) {
    for (int i = 0; i < 15; ++i) picture.view().row<std::uint8_t>(y)[i] = static_cast<std::uint8_t>(16 * y + i);
  }
  save_png(folder / "a.png", picture.view());
  const Image back = read_picture(folder / "a.png");
  ASSERT_EQ(back.size(), picture.size());
  for (int y = 0; y < 4; ++y) {
    for (int i = 0; i < 15; ++i) ASSERT_EQ(back.view().row<std::uint8_t>(y)[i], 16 * y + i);
  }
}

TEST_F(PictureFileTest, MaskIsWhateverIsNotBlack) {
  Image picture({3, 1}, 3);
  picture.view().row<std::uint8_t>(0)[0] = 255;  // red
  picture.view().row<std::uint8_t>(0)[5] = 1;    // a trace of blue
  save_png(folder / "m.png", picture.view());
  const Image mask = read_mask(folder / "m.png");
  EXPECT_EQ(mask.view().row<std::uint8_t>(0)[0], 255);
  EXPECT_EQ(mask.view().row<std::uint8_t>(0)[1], 255);
  EXPECT_EQ(mask.view().row<std::uint8_t>(0)[2], 0);
}

TEST_F(PictureFileTest, ReducesByMeanAndByNearest) {
  Image picture({5, 2}, 3);  // the odd column is dropped by rescaling
  const Image small = reduce_picture(picture, 2);
  EXPECT_EQ(small.size(), (Size{2, 1}));
  Image mask({2, 2}, 1);
  mask.view().row<std::uint8_t>(0)[0] = 255;
  EXPECT_EQ(reduce_mask(mask, 2).view().row<std::uint8_t>(0)[0], 255);
  EXPECT_THROW(reduce_picture(picture, 3), Error);
}

TEST_F(PictureFileTest, ListsByNameAndLeavesOtherFilesAlone) {
  put("b.PNG", "x");
  put("a.tif", "x");
  put("notes.txt", "x");
  put("c.ome.tif", "x");
  const auto pictures = list_pictures(folder);
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_EQ(pictures[0].id, "a");
  EXPECT_EQ(pictures[1].id, "b");
  EXPECT_EQ(pictures[2].id, "c");  // as datasets call it
  EXPECT_EQ(find_picture(folder, "c"), folder / "c.ome.tif");
  EXPECT_EQ(find_picture(folder, "b"), folder / "b.PNG");
  EXPECT_TRUE(find_picture(folder, "notes").empty());
  put("a.jpg", "x");
  EXPECT_THROW(list_pictures(folder), Error);
  EXPECT_THROW(list_pictures(folder / "none"), Error);
}

TEST_F(PictureFileTest, DamagedFilesAreErrorsThatNameThem) {
  Image picture({64, 64}, 3);
  save_png(folder / "good.png", picture.view());
  const std::string good = read_file(folder / "good.png");
  put("empty.png", "");
  put("noise.png", "this is no picture at all, whatever it is called");
  put("header.png", good.substr(0, 20));
  std::string huge = good;  // width and height of 2^31 - 1 in the header
  for (const std::size_t at : {16U, 20U}) huge.replace(at, 4, "\x7f\xff\xff\xff");
  put("huge.png", huge);
  put("folder.tif", "II*\0\xff\xff\xff\x7f");
  for (const char* name : {"empty.png", "noise.png", "header.png", "huge.png", "folder.tif"})
    EXPECT_THAT(error_of(name), HasSubstr(name));
  EXPECT_THAT(error_of("empty.png"), HasSubstr("is empty"));
  EXPECT_THAT(error_of("absent.png"), HasSubstr("No such file"));
}

// Of exclusive classes, what is likeliest is found at the picture's own size, not at the maps'.
TEST(PictureFile, TheLikeliestClassIsThatOfResizedMaps) {
  const auto map_of = [](float left, float right) {
    Image out({2, 2}, 1, Depth::f32);
    for (std::int64_t y = 0; y < 2; ++y) out.view().row<float>(y)[0] = left, out.view().row<float>(y)[1] = right;
    return out;
  };
  const Image full[] = {resize_map(map_of(0.9F, 0.1F).view(), {8, 8}), resize_map(map_of(0.0F, 0.9F).view(), {8, 8})};
  const MostLikely found(2, {8, 8}, [&](std::size_t c) { return full[c]; });
  for (std::int64_t y = 0; y < 8; ++y)
    for (std::int64_t x = 0; x < 8; ++x) {
      const float a = full[0].view().row<float>(y)[x], b = full[1].view().row<float>(y)[x], none = 1 - a - b;
      EXPECT_EQ(found.mask(0).view().row<std::uint8_t>(y)[x] != 0, a > b && a > none) << x << ", " << y;
      EXPECT_EQ(found.mask(1).view().row<std::uint8_t>(y)[x] != 0, b > a && b > none) << x << ", " << y;
    }
}

}  // namespace
}  // namespace nephron::host
