#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

class ElasticTest : public AugmentationFixture {
 protected:
  ElasticTest() : AugmentationFixture("elastic") {}
};

/// Sums over the nodes of many grids.
struct Moments {
  double n = 0, sum = 0, squares = 0, lag = 0, lags = 0, axes = 0;
  void add(const Image& grid, int distance) {
    const auto at = [&](std::int64_t x, std::int64_t y, int c) { return double(grid.view().row<float>(y)[2 * x + c]); };
    for (std::int64_t y = 0; y < grid.size().height; ++y)
      for (std::int64_t x = 0; x < grid.size().width; ++x) {
        for (int c = 0; c < 2; ++c) {
          const double v = at(x, y, c);
          ++n, sum += v, squares += v * v;
          if (x >= distance) ++lags, lag += v * at(x - distance, y, c);
        }
        axes += at(x, y, 0) * at(x, y, 1);
      }
  }
  double deviation() const { return std::sqrt(squares / n); }
};

TEST_F(ElasticTest, MovesAsSmoothedNoiseOfPixelsWould) {
  // Evenly distributed noise of -1..1 smoothed by a Gaussian: its deviation is sqrt(1/3) / (2 sqrt(pi) sigma), and its
  // correlation over a distance d is exp(-d^2 / (4 sigma^2)).
  for (const double sigma : {2.0, 8.0, 20.0}) {
    const auto a = make({{"alpha", 300, {}}, {"sigma", sigma, {}}});
    Moments m;
    int distance = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
      const WrittenPlan plan = draw(*a, i);
      ASSERT_EQ(plan.spacing, std::max(1, int(std::lround(sigma / 4))));
      ASSERT_EQ(plan.grid.size(), displacement_nodes({384, 200}, plan.spacing));
      distance = int(std::lround(sigma / plan.spacing));
      m.add(plan.grid, distance);
      if (i == 49 && sigma == 2.0) break;
    }
    const double expected = 300 * std::sqrt(1.0 / 3) / (2 * std::sqrt(M_PI) * sigma);
    EXPECT_NEAR(m.deviation() / expected, 1, 0.03) << sigma;
    EXPECT_NEAR(m.sum / m.n / expected, 0, 0.05) << sigma;
    EXPECT_NEAR(m.lag / m.lags / (expected * expected), std::exp(-0.25), 0.05) << sigma;
    EXPECT_NEAR(m.axes / (m.n / 2) / (expected * expected), 0, 0.05) << sigma;
  }
}

TEST_F(ElasticTest, EdgesMoveAsTheMiddleDoes) {
  const auto a = make({{"alpha", 300, {}}, {"sigma", 20, {}}});
  double edge = 0, middle = 0;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    const WrittenPlan plan = draw(*a, i, {100, 100});
    const auto& v = plan.grid.view();
    for (int c = 0; c < 2; ++c) {
      edge += std::pow(v.row<float>(0)[c], 2);
      middle += std::pow(v.row<float>(v.height / 2)[2 * (v.width / 2) + c], 2);
    }
  }
  EXPECT_NEAR(edge / middle, 1, 0.15);
}

TEST_F(ElasticTest, MovedPointsReplaceAFieldThatMovesNothing) {
  const auto a = make({{"alpha", 1, {}}, {"sigma", 25, {}}, {"alpha_affine", 25, {}}});
  double most = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const WrittenPlan plan = draw(*a, i, {300, 300});
    ASSERT_TRUE(plan.map.has_value());
    const Point moved = (*plan.map)({150 + 100, 150 - 100});  // the middle one of the three
    EXPECT_LE(std::abs(moved.x - 250), 25 + 1e-9);
    EXPECT_LE(std::abs(moved.y - 50), 25 + 1e-9);
    most = std::max(most, std::abs(moved.x - 250));
  }
  EXPECT_GT(most, 24);
}

TEST_F(ElasticTest, BorderIsPassedOnAndWrongParametersAreNamed) {
  EXPECT_EQ(*draw(*make(), 1).border, Border::reflect_101);
  EXPECT_EQ(*draw(*make({{"border", "constant", {}}}), 1).border, Border::constant);
  EXPECT_THROW(make({{"border", "wrap", {}}}), Error);
  EXPECT_THROW(make({{"sigma", 0.5, {}}}), Error);
  EXPECT_THROW(make({{"alpha_affine", 5, {}}, {"compat", "2.0.8", {}}}), Error);
}

}  // namespace
}  // namespace nephron::host
