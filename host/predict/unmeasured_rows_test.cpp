// Rows that wait to be measured: read as they were written, and nothing of a file that is not whole.
#include <host/predict/unmeasured_rows.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/files.hpp>
#include <host/util/write_error.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

constexpr Size size{31, 40};
constexpr std::size_t classes = 2;

float probability(std::int64_t x, std::int64_t y, std::size_t c) {
  return static_cast<float>(x + 31 * y + 1240 * static_cast<std::int64_t>(c)) / 4096.0F;
}
std::uint8_t mark(std::int64_t x, std::int64_t y, std::size_t c) {
  return (x * 7 + y * 3 + static_cast<std::int64_t>(c)) % 5 == 0 ? 255 : 0;
}

class Unmeasured : public testing::Test {
 protected:
  void write(bool ignores) const {
    std::filesystem::remove(file_);
    RowsToMeasure rows(file_, {size, Reduction::of(2.5), 0.25, {true, false}, ignores});
    for (std::int64_t y = 0; y < size.height; y += 9) {
      const Size part{size.width, std::min<std::int64_t>(9, size.height - y)};
      std::vector<Image> maps;
      std::vector<ImageView> views;
      TruthFolder::Masks truth;
      for (std::size_t c = 0; c < classes; ++c) {
        views.push_back(maps.emplace_back(part, 1, Depth::f32).view());
        truth.of_class.emplace_back(part, 1);
        for (std::int64_t v = 0; v < part.height; ++v)
          for (std::int64_t x = 0; x < part.width; ++x) {
            maps[c].view().row<float>(v)[x] = probability(x, y + v, c);
            truth.of_class[c].view().row<std::uint8_t>(v)[x] = mark(x, y + v, c);
          }
      }
      if (ignores) truth.ignored = Image(part, 1);
      rows.add(views, truth);
    }
    EXPECT_FALSE(std::filesystem::exists(file_)) << "there before it is whole";
    rows.finish();
  }
  ScratchFolder scratch_{"unmeasured"};
  std::filesystem::path file_ = scratch_.path() / "unmeasured/one.rows";
};

TEST_F(Unmeasured, AreReadAsTheyWereWritten) {
  for (const bool ignores : {false, true}) {
    write(ignores);
    std::optional<UnmeasuredRows> rows = UnmeasuredRows::open(file_, classes);
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->picture().size, size);
    EXPECT_EQ(rows->picture().reduction, Reduction::of(2.5));
    EXPECT_EQ(rows->picture().mpp, 0.25);
    EXPECT_EQ(rows->picture().known, (std::vector<bool>{true, false}));
    std::int64_t next = 0;
    while (const auto strip = rows->next(16)) {
      EXPECT_EQ(strip->y, next);
      EXPECT_EQ(strip->truth.ignored.empty(), !ignores);
      for (std::size_t c = 0; c < classes; ++c)
        for (std::int64_t y = 0; y < strip->maps[c].size().height; ++y)
          for (std::int64_t x = 0; x < size.width; ++x) {
            ASSERT_EQ(strip->maps[c].view().row<const float>(y)[x], probability(x, next + y, c));
            ASSERT_EQ(strip->truth.of_class[c].view().row<const std::uint8_t>(y)[x], mark(x, next + y, c));
          }
      next += strip->maps[0].size().height;
    }
    EXPECT_EQ(next, size.height);
    const std::string text = read_file(file_);
    EXPECT_EQ(static_cast<std::int64_t>(text.size() - text.find('\n') - 1),
              RowsToMeasure::bytes_of(size, classes, ignores));
  }
}

TEST_F(Unmeasured, OfWhatIsNotWholeThereIsNothing) {
  EXPECT_FALSE(UnmeasuredRows::open(file_, classes)) << "there is no file";
  write(true);
  EXPECT_FALSE(UnmeasuredRows::open(file_, 1)) << "of other classes";
  const std::string whole = read_file(file_);
  const std::size_t rows = whole.find('\n');
  const std::vector<std::string> damaged{
      "",
      "\n",
      whole.substr(0, whole.size() - 1),
      whole + "x",
      whole.substr(rows + 1),
      "[" + whole,
      R"({"size":[9223372036854775807,9223372036854775807],"reduction":1,"mpp":0,"known":[true,true],"ignores":true})"
      "\n",
      R"({"size":[-1,5],"reduction":1,"mpp":0,"known":[true,true],"ignores":true})"
      "\n",
      std::string(200'000, '{')};
  for (const std::string& text : damaged) {
    write_file_atomically(file_, text);
    EXPECT_FALSE(UnmeasuredRows::open(file_, classes)) << text.substr(0, 80);
  }
}

TEST_F(Unmeasured, WhatIsNotFinishedLeavesNothing) {
  { const RowsToMeasure rows(file_, {size, 1, 0, {true}, false}); }
  EXPECT_TRUE(std::filesystem::is_empty(file_.parent_path()));
  EXPECT_THROW(RowsToMeasure("/dev/null/unmeasured/one.rows", {size, 1, 0, {true}, false}), WriteError);
}

}  // namespace
}  // namespace nephron::host
