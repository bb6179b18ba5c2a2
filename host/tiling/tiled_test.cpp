#include <host/tiling/tiled.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

/// Red falls with x, green with y: each pixel is told apart from its neighbours.
class Gradient final : public TileSource {
 public:
  explicit Gradient(Size size) : size_(size) {}
  Size size() const noexcept override { return size_; }
  static std::uint8_t red(std::int64_t x) { return static_cast<std::uint8_t>(x % 251); }
  static std::uint8_t green(std::int64_t y) { return static_cast<std::uint8_t>(y * 3 % 241); }
  void read(const Region& r, const ImageView& out) const override {
    ASSERT_EQ(r.clipped({0, 0, size_.width, size_.height}), r);
    for (std::int64_t y = 0; y < r.height; ++y) {
      for (std::int64_t x = 0; x < r.width; ++x) {
        std::uint8_t* const p = out.row<std::uint8_t>(y) + 3 * x;
        p[0] = red(r.x + x), p[1] = green(r.y + y), p[2] = 0;
      }
    }
  }
  std::string digest() const override { return ""; }

 private:
  Size size_;
};

/// Class 0 is red, class 1 green, as a share of 255; notes the sizes it was given.
class Echo final : public PixelModel {
 public:
  int classes() const noexcept override { return 2; }
  std::int64_t multiple() const noexcept override { return 16; }
  void run(const TileBatch& tiles, float* out) override {
    most = std::max(most, tiles.count);
    places.insert(places.end(), tiles.places.begin(), tiles.places.end());
    const std::int64_t pixels = tiles.size.area();
    for (std::int64_t i = 0; i < tiles.count; ++i) {
      for (int c = 0; c < 2; ++c) {
        for (std::int64_t p = 0; p < pixels; ++p)
          out[(i * 2 + c) * pixels + p] = static_cast<float>(tiles.images[(i * pixels + p) * 3 + c]) / 255.0F;
      }
    }
  }
  std::int64_t most = 0;
  std::vector<Region> places;
};

class Collect final : public ProbabilitySink {
 public:
  void begin(Size size, int classes) override {
    for (int c = 0; c < classes; ++c) planes.emplace_back(size, 1, Depth::f32);
  }
  void rows(std::int64_t y, std::span<const ImageView> classes) override {
    EXPECT_EQ(y, next);
    for (std::size_t c = 0; c < classes.size(); ++c)
      copy(classes[c], planes[c].view().crop({0, y, classes[c].width, classes[c].height}));
    next = y + classes[0].height;
    tallest = std::max(tallest, classes[0].height);
  }
  std::vector<Image> planes;
  std::int64_t next = 0;
  std::int64_t tallest = 0;
};

class PredictTiled : public ::testing::TestWithParam<std::tuple<Size, std::int64_t, double>> {};

// Whatever the tiling, a model that looks at single pixels must give back every pixel in its place.
TEST_P(PredictTiled, EveryPixelInItsPlace) {
  const auto [size, tile, overlap] = GetParam();
  const Gradient source(size);
  Echo model;
  Collect sink;
  std::int64_t done = 0, total = -1;
  TilingOptions options{tile, overlap, 4, {}};
  options.progress = [&](std::int64_t d, std::int64_t t) { done = d, total = t; };
  predict_tiled(source, model, options, sink);
  EXPECT_EQ(done, total);
  EXPECT_EQ(sink.next, size.height);
  EXPECT_LE(model.most, 4);
  double worst = 0;
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      worst = std::max<double>(
          worst, std::abs(sink.planes[0].view().row<float>(y)[x] - static_cast<float>(Gradient::red(x)) / 255.0F));
      worst = std::max<double>(
          worst, std::abs(sink.planes[1].view().row<float>(y)[x] - static_cast<float>(Gradient::green(y)) / 255.0F));
    }
  }
  EXPECT_LT(worst, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Sizes, PredictTiled,
                         ::testing::Values(std::tuple{Size{200, 150}, std::int64_t{64}, 1.5},
                                           std::tuple{Size{64, 64}, std::int64_t{64}, 1.5},
                                           std::tuple{Size{33, 7}, std::int64_t{64}, 2.0},
                                           std::tuple{Size{1, 1}, std::int64_t{64}, 1.0},
                                           std::tuple{Size{500, 20}, std::int64_t{32}, 1.0},
                                           std::tuple{Size{130, 70}, std::int64_t{0}, 1.5},
                                           std::tuple{Size{97, 301}, std::int64_t{48}, 3.0}));

TEST(PredictTiled, BandsStaySmallerThanTheSource) {
  const Gradient source({100, 2000});
  Echo model;
  Collect sink;
  predict_tiled(source, model, {64, 1.5, 8, {}}, sink);
  EXPECT_LE(sink.tallest, 64);
}

/// Says 1 at the centre of each tile's left half and 0 elsewhere: shows the weights.
class LeftRight final : public PixelModel {
 public:
  int classes() const noexcept override { return 1; }
  std::int64_t multiple() const noexcept override { return 16; }
  void run(const TileBatch& tiles, float* out) override {
    for (std::int64_t i = 0; i < tiles.count; ++i) {
      const float value = calls++ % 2 == 0 ? 0.0F : 1.0F;
      std::fill_n(out + i * tiles.size.area(), tiles.size.area(), value);
    }
  }
  int calls = 0;
};

TEST(PredictTiled, BlendsNeighboursByTheirWeights) {
  const Gradient source({48, 32});
  LeftRight model;
  Collect sink;
  predict_tiled(source, model, {32, 2.0, 1, {}}, sink);
  const float* const line = sink.planes[0].view().row<float>(16);  // middle row: tiles [0, 32) and [16, 48)
  EXPECT_FLOAT_EQ(line[0], 0);
  EXPECT_FLOAT_EQ(line[47], 1);
  // x = 16: first tile's weight 1, second's 0.001; x = 24: 8 and 9 of 16 ramps.
  EXPECT_NEAR(line[16], 0.001 / 1.001, 1e-6);
  EXPECT_NEAR(line[24], 0.533 / (0.533 + 0.467), 1e-6);
}

// What lies under a tile that is asked about is as if all were; what lies under none is 0.
TEST(PredictTiled, TilesThatAreNotWantedAreNotAskedAbout) {
  const Gradient source({300, 200});
  Echo all, some;
  Collect whole, part;
  predict_tiled(source, all, {64, 1.5, 4, {}}, whole);
  TilingOptions options{64, 1.5, 4, {}};
  const Region left{0, 0, 100, 200};
  std::int64_t total = 0;
  options.progress = [&](std::int64_t, std::int64_t t) { total = t; };
  options.wanted = [&](const Region& tile) { return !tile.clipped(left).empty(); };
  predict_tiled(source, some, options, part);
  EXPECT_EQ(total, static_cast<std::int64_t>(some.places.size()));
  EXPECT_LT(some.places.size(), all.places.size());
  EXPECT_EQ(part.next, 200);
  for (const Region& tile : some.places) EXPECT_TRUE(options.wanted(tile));
  for (std::int64_t y = 0; y < 200; ++y) {
    for (std::int64_t x = 0; x < 100; ++x)
      ASSERT_EQ(part.planes[0].view().row<float>(y)[x], whole.planes[0].view().row<float>(y)[x]) << x << ", " << y;
    for (std::int64_t x = 200; x < 300; ++x) ASSERT_EQ(part.planes[0].view().row<float>(y)[x], 0) << x << ", " << y;
  }
}

// Rows of the grid that have few wanted tiles share batches.
TEST(PredictTiled, BatchesGoAcrossRows) {
  const Gradient source({300, 600});
  Echo all, some;
  Collect whole, part;
  predict_tiled(source, all, {64, 2.0, 4, {}}, whole);
  TilingOptions options{64, 2.0, 4, {}};
  options.wanted = [](const Region& tile) { return tile.x == 0 && tile.y != 96; };
  predict_tiled(source, some, options, part);
  EXPECT_EQ(some.most, 4);
  EXPECT_EQ(part.next, 600);
  for (std::int64_t y = 0; y < 600; ++y)
    for (std::int64_t x = 0; x < 32; ++x)
      ASSERT_NEAR(part.planes[1].view().row<float>(y)[x], whole.planes[1].view().row<float>(y)[x], 1e-6) << y;
}

/// A source that cannot be read.
class Broken final : public TileSource {
 public:
  Size size() const noexcept override { return {100, 100}; }
  void read(const Region&, const ImageView&) const override { throw Error("damaged"); }
  std::string digest() const override { return ""; }
};

TEST(PredictTiled, WhatReadingMeetsIsThrown) {
  Echo model;
  Collect sink;
  EXPECT_THROW(predict_tiled(Broken(), model, {64, 2.0, 4, {}}, sink), Error);
  EXPECT_TRUE(model.places.empty());
}

/// Says what no probability is, of one pixel of one tile.
class Faulty final : public PixelModel {
 public:
  explicit Faulty(float says) : says_(says) {}
  int classes() const noexcept override { return 2; }
  std::int64_t multiple() const noexcept override { return 1; }
  void run(const TileBatch& tiles, float* out) override {
    const std::int64_t of_tile = 2 * tiles.size.area();
    std::fill_n(out, tiles.count * of_tile, 0.5F);
    for (std::int64_t i = 0; i < tiles.count; ++i)
      if (tiles.places[static_cast<std::size_t>(i)].x > 0) out[(i + 1) * of_tile - 1] = says_;
  }

 private:
  float says_;
};

TEST(PredictTiled, WhatIsNotFiniteIsAnErrorAndNeverNothing) {
  using testing::AllOf;
  using testing::HasSubstr;
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Gradient source({48, 32});
  TilingOptions options{32, 2.0, 2, {}};
  options.network = "w.safetensors", options.picture = "\"s0\"";
  for (const float says : {nan, -nan, inf, -inf}) {
    Faulty model(says);
    Collect sink;
    EXPECT_THAT([&] { predict_tiled(source, model, options, sink); },
                testing::ThrowsMessage<Error>(
                    AllOf(HasSubstr("the output of w.safetensors is not finite"), HasSubstr("(16, 0) of \"s0\""))));
  }
  for (const float says : {-1.0F, 0.0F, std::numeric_limits<float>::max()}) {
    Faulty model(says);
    Collect sink;
    EXPECT_NO_THROW(predict_tiled(source, model, options, sink));
  }
}

/// The sums of one line of pixels as section 9 of 2021 makes them, with NumPy's rounding to half precision.
TEST(PredictTiled, AsTheReferenceRepeatsAndRounds) {
  // Tiles of 32 every 16 px of 48: starts 0, 16, 32 -> 0, 16, 16. The second tile counts twice in each direction.
  const Gradient source({48, 32});
  LeftRight model;
  Collect sink;
  TilingOptions options{32, 2.0, 1, {}};
  options.as_reference = true;
  predict_tiled(source, model, options, sink);
  const auto half = [](float v) { return static_cast<float>(static_cast<_Float16>(v)); };
  const float* const line = sink.planes[0].view().row<float>(16);
  const float first = half(0.467F), second = half(0.533F);
  float sum = 0, all = 0;  // at x = 24, in all rows: starts of y are 0 and 16 -> 0, 0
  for (int i = 0; i < 2; ++i) all = half(all + first);
  for (int i = 0; i < 4; ++i) sum = half(sum + second), all = half(all + second);
  EXPECT_EQ(line[24], half(sum / all));
  EXPECT_EQ(line[0], 0);
  EXPECT_EQ(line[47], 1);
}

/// Says something else of every tile, and of the same tile in another place of its batch.
class OfTheBatch final : public PixelModel {
 public:
  int classes() const noexcept override { return 1; }
  std::int64_t multiple() const noexcept override { return 16; }
  void run(const TileBatch& tiles, float* out) override {
    const std::int64_t pixels = tiles.size.area();
    for (std::int64_t i = 0; i < tiles.count; ++i)
      for (std::int64_t p = 0; p < pixels; ++p)
        out[i * pixels + p] =
            static_cast<float>((tiles.places[static_cast<std::size_t>(i)].x * 7 + p * 13 + i) % 101) / 100;
    asked += tiles.count;
  }
  std::int64_t asked = 0;
};

TEST(PredictTiled, GoesOnBelowRowsThatAreKnown) {
  const Gradient source({150, 400});
  OfTheBatch all;
  Collect whole;
  predict_tiled(source, all, {64, 1.5, 5, {}}, whole);
  for (const std::int64_t from : {1, 41, 42, 43, 106, 170, 336, 399, 400}) {
    OfTheBatch some;
    Collect part;
    part.next = from;
    TilingOptions options{64, 1.5, 5, {}};
    options.from_row = from;
    predict_tiled(source, some, options, part);
    EXPECT_EQ(part.next, 400);
    if (from >= 106) {
      EXPECT_LT(some.asked, all.asked);
    }
    for (std::int64_t y = from; y < 400; ++y)
      for (std::int64_t x = 0; x < 150; ++x)
        ASSERT_EQ(part.planes[0].view().row<float>(y)[x], whole.planes[0].view().row<float>(y)[x]) << from << ": " << y;
  }
}

}  // namespace
}  // namespace nephron::host
