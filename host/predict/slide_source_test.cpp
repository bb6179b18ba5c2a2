#include <host/predict/slide_source.hpp>

#include <algorithm>

#include <gtest/gtest.h>

#include <host/slides/reduced.hpp>
#include <host/tiling/tiled.hpp>
#include <host/tiling/tiling.hpp>

namespace nephron::host {
namespace {

/// A slide that is made as it is read, and knows the largest region that was asked for.
class MadeSlide final : public SlideReader {
 public:
  explicit MadeSlide(Size size) : size_(size) {}
  Size size() const noexcept override { return size_; }
  void read(const Region& region, const ImageView& out) const override {
    largest = std::max(largest, region.size().area());
    all += region.size().area();
    for (std::int64_t y = 0; y < region.height; ++y)
      for (std::int64_t x = 0; x < 3 * region.width; ++x)
        out.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>((region.x * 3 + x) * 5 + (region.y + y) * 11);
  }
  mutable std::int64_t largest = 0, all = 0;

 private:
  Size size_;
};

Image pixels_of(const TileSource& source, const Region& region) {
  Image out(region.size(), 3);
  source.read(region, out.view());
  return out;
}

TEST(SlideSource, EveryPartIsThatOfTheWhole) {
  for (const int factor : {1, 3}) {
    const auto slide = std::make_shared<MadeSlide>(Size{301, 409});
    const Image whole = read_reduced(*slide, factor);
    const auto source = slide_source(slide, factor, 0);
    ASSERT_EQ(source->size(), whole.size());
    for (const Region& part :
         {Region{0, 0, 64, 40}, Region{30, 10, 50, 30}, Region{7, 60, 64, 64}, Region{0, 96, 3, 1}}) {
      const Image is = pixels_of(*source, part);
      for (std::int64_t y = 0; y < part.height; ++y)
        EXPECT_TRUE(std::equal(is.view().row<std::uint8_t>(y), is.view().row<std::uint8_t>(y) + 3 * part.width,
                               whole.view().row<const std::uint8_t>(part.y + y) + 3 * part.x))
            << factor << " row " << y;
    }
  }
}

TEST(SlideSource, RowsOfTilesShareWhatTheyOverlap) {
  const auto slide = std::make_shared<MadeSlide>(Size{200, 900});
  const Image whole = read_reduced(*slide, 2);
  const auto source = slide_source(slide, 2, 0);
  for (const std::int64_t y : {0, 42, 84, 200, 210, 386, 300}) {
    const Image is = pixels_of(*source, {0, y, 100, 64});
    for (std::int64_t row = 0; row < 64; ++row)
      ASSERT_TRUE(std::equal(is.view().row<std::uint8_t>(row), is.view().row<std::uint8_t>(row) + 300,
                             whole.view().row<const std::uint8_t>(y + row)))
          << y << " row " << row;
  }
  EXPECT_EQ(source->digest(), held_source(whole)->digest());
}

TEST(SlideSource, ASmallOneIsHeld) {
  const auto slide = std::make_shared<MadeSlide>(Size{64, 64});
  const auto source = slide_source(slide, 2);
  const std::int64_t before = slide->all;
  pixels_of(*source, {0, 0, 32, 32});
  EXPECT_EQ(slide->all, before);
}

class Nothing final : public PixelModel {
 public:
  int classes() const noexcept override { return 1; }
  std::int64_t multiple() const noexcept override { return 1; }
  void run(const TileBatch&, float*) override {}
};
class NoSink final : public ProbabilitySink {
 public:
  void begin(Size, int) override {}
  void rows(std::int64_t, std::span<const ImageView>) override {}
};

/// A slide of 120 million pixels: what is asked for at a time stays below 64 MiB and a row of pixels, and each pixel is
/// read once, though rows of tiles overlap.
TEST(SlideSource, AWholeSlideIsReadInBands) {
  const auto slide = std::make_shared<MadeSlide>(Size{20000, 6000});
  const auto source = slide_source(slide, 4, std::int64_t{1} << 20);
  Nothing model;
  NoSink sink;
  predict_tiled(*source, model, {256, 1.5, 8, {}}, sink);
  EXPECT_LE(3 * slide->largest, (std::int64_t{1} << 26) + 3 * 20000 * 8);
  EXPECT_EQ(slide->all, std::int64_t{20000} * 6000);
}

}  // namespace
}  // namespace nephron::host
