// Rows of a picture that is under way: what a file has is taken where it is what was asked for, and as far as it goes.
#include <host/predict/kept_rows.hpp>

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/files.hpp>
#include <host/util/write_error.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

constexpr Size size{37, 50};
constexpr int classes = 2;

float value(std::int64_t x, std::int64_t y, int c) { return static_cast<float>(x + 100 * y + 10'000 * c) / 65'536.0F; }

/// Rows [y, y + height).
std::vector<Image> rows_from(std::int64_t y, std::int64_t height) {
  std::vector<Image> out;
  for (int c = 0; c < classes; ++c) {
    const Image& map = out.emplace_back(Size{size.width, height}, 1, Depth::f32);
    for (std::int64_t row = 0; row < height; ++row)
      for (std::int64_t x = 0; x < size.width; ++x) map.view().row<float>(row)[x] = value(x, y + row, c);
  }
  return out;
}

void give(KeptRows& rows, std::int64_t y, std::int64_t height) {
  const std::vector<Image> maps = rows_from(y, height);
  rows.rows(y, std::vector<ImageView>{maps[0].view(), maps[1].view()});
}

void expect_right(KeptRows& rows) {
  for (std::int64_t y = 0; y < rows.rows_there(); y += 7) {
    const std::vector<Image> maps = rows.read(y, 7);
    for (int c = 0; c < classes; ++c)
      for (std::int64_t row = 0; row < maps[0].size().height; ++row)
        for (std::int64_t x = 0; x < size.width; ++x)
          ASSERT_EQ(maps[static_cast<std::size_t>(c)].view().row<const float>(row)[x], value(x, y + row, c));
  }
}

/// What it is sent.
class Rows final : public ProbabilitySink {
 public:
  void begin(Size, int) override {}
  void rows(std::int64_t y, std::span<const ImageView> maps) override {
    EXPECT_EQ(y, next);
    next = y + maps.front().height;
  }
  std::int64_t next = 0;
};

class KeptRowsFile : public testing::Test {
 protected:
  ScratchFolder scratch_{"kept-rows"};
  std::filesystem::path file_ = scratch_.path() / "partial/one.rows";
};

TEST_F(KeptRowsFile, GoesOnBelowItsLastWholeRow) {
  {
    KeptRows rows(file_, "key", size, classes);
    EXPECT_EQ(rows.rows_there(), 0);
    give(rows, 0, 20), give(rows, 20, 11);
    expect_right(rows);
  }
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 3);
  KeptRows rows(file_, "key", size, classes);
  EXPECT_EQ(rows.rows_there(), 30);
  expect_right(rows);
  Rows sink;
  rows.give_to(sink);
  EXPECT_EQ(sink.next, 30);
  give(rows, 30, 20);
  EXPECT_EQ(sink.next, size.height);
  expect_right(rows);
  rows.remove();
  EXPECT_FALSE(std::filesystem::exists(file_.parent_path()));
}

TEST_F(KeptRowsFile, OfAnotherKeyOrSizeIsBegunAnew) {
  {
    KeptRows rows(file_, "key", size, classes);
    give(rows, 0, 20);
  }
  const std::string whole = read_file(file_);
  for (const auto& [key, of] :
       {std::pair{"other", size}, std::pair{"key", Size{38, 50}}, std::pair{"key", Size{37, 49}}}) {
    write_file_atomically(file_, whole);
    EXPECT_EQ(KeptRows(file_, key, of, classes).rows_there(), 0);
  }
  write_file_atomically(file_, whole);
  EXPECT_EQ(KeptRows(file_, "key", size, 1).rows_there(), 0);
}

TEST_F(KeptRowsFile, DamageIsNoMoreThanRowsThatAreMissing) {
  {
    KeptRows rows(file_, "key", size, classes);
    give(rows, 0, size.height);
  }
  const std::string whole = read_file(file_);
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = whole.substr(0, random() % (whole.size() + 1));
    if (i % 3 == 0) bytes += std::string(random() % 100'000, '\x7f');  // longer than the picture
    write_file_atomically(file_, bytes);
    KeptRows rows(file_, "key", size, classes);
    ASSERT_LE(rows.rows_there(), size.height);
    if (i % 3 != 0) expect_right(rows);
    if (rows.rows_there() < size.height) give(rows, rows.rows_there(), size.height - rows.rows_there());
    EXPECT_EQ(rows.rows_there(), size.height);
  }
}

TEST_F(KeptRowsFile, ThatCannotBeWrittenIsNamed) {
  EXPECT_THROW(KeptRows("/dev/null/partial/one.rows", "key", size, classes), WriteError);
  std::filesystem::create_directories(file_.parent_path());
  std::filesystem::create_symlink("/dev/full", file_);
  EXPECT_THAT([&] { give(*std::make_unique<KeptRows>(file_, "key", size, classes), 0, 20); },
              testing::ThrowsMessage<WriteError>(testing::HasSubstr(file_.string() + ": No space left")));
}

}  // namespace
}  // namespace nephron::host
