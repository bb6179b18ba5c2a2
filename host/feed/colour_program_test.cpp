#include <host/feed/colour_program.hpp>

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <nephron/rng.hpp>

namespace nephron::host {
namespace {

using Colour = std::array<std::uint8_t, 3>;

/// Colours all over the cube, its corners and edges among them.
std::vector<Colour> colours() {
  std::vector<Colour> out;
  for (int r = 0; r < 256; r += 15)
    for (int g = 0; g < 256; g += 5)
      for (int b = 0; b < 256; b += 5) out.push_back({std::uint8_t(r), std::uint8_t(g), std::uint8_t(b)});
  for (int v = 0; v < 256; ++v) out.push_back({std::uint8_t(v), std::uint8_t(255 - v), std::uint8_t(v / 3)});
  return out;
}

template <class... Steps>
std::vector<Colour> run(const std::vector<Colour>& in, const Steps&... steps) {
  ColourProgram program;
  (program.add(steps), ...);
  std::vector<Colour> out(in.size());
  program.run(in[0].data(), out[0].data(), static_cast<std::int64_t>(in.size()));
  return out;
}

/// Largest difference of a channel from what `exact` says, which is not rounded.
template <class Exact>
double worst(const std::vector<Colour>& in, const std::vector<Colour>& out, const Exact& exact) {
  double most = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::array<double, 3> e = exact(in[i]);
    for (std::size_t c = 0; c < 3; ++c) most = std::max(most, std::abs(out[i][c] - std::clamp(e[c], 0.0, 255.0)));
  }
  return most;
}

std::array<double, 3> times(const std::array<float, 12>& m, const std::array<double, 3>& v) {
  std::array<double, 3> out{};
  for (std::size_t r = 0; r < 3; ++r) {
    const auto* row = m.data() + 4 * r;
    out[r] = double(row[0]) * v[0] + double(row[1]) * v[1] + double(row[2]) * v[2] + double(row[3]);
  }
  return out;
}

constexpr std::array<float, 12> mixing{0.9F, 0.3F, -0.1F, 6.0F, -0.2F, 1.2F, 0.05F, -9.5F, 0.4F, -0.3F, 0.8F, 20.25F};
constexpr double half = 0.5 + 1e-3;  // rounding, and that of floats before it

TEST(ColourProgram, AMatrixIsRoundedToTheNearestLevel) {
  const auto in = colours();
  EXPECT_LE(worst(in, run(in, ColourStep{mixing}),
                  [&](const Colour& c) {
                    return times(mixing, {double(c[0]), double(c[1]), double(c[2])});
                  }),
            half);
}

TEST(ColourProgram, ADensityMatrixWorksOnLogarithms) {
  const auto in = colours();
  for (const std::array<float, 3>& white : {std::array<float, 3>{255, 255, 255}, std::array<float, 3>{231, 240, 128}}) {
    const std::array<float, 12> m{1.1F, -0.2F, 0.1F, 0.02F, 0.05F, 0.9F, 0.0F, -0.1F, -0.3F, 0.2F, 1.0F, 0.0F};
    const auto exact = [&](const Colour& c) {
      std::array<double, 3> d{};
      for (std::size_t i = 0; i < 3; ++i) d[i] = std::log(double(white[i]) / std::max(double(c[i]), 0.25));
      d = times(m, d);
      for (std::size_t i = 0; i < 3; ++i) d[i] = double(white[i]) * std::exp(-d[i]);
      return d;
    };
    EXPECT_LE(worst(in, run(in, DensityStep{m, white}), exact), half);
  }
}

TEST(ColourProgram, DensitiesThatStayAndColoursThatStayChangeNothing) {
  const auto in = colours();
  const std::array<float, 12> identity{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
  EXPECT_EQ(run(in, DensityStep{identity, {255, 255, 255}}), in);
  EXPECT_EQ(run(in, DensityStep{identity, {240, 1, 17.5F}}), in);
  EXPECT_EQ(run(in, ColourStep{identity}), in);
}

TEST(ColourProgram, DensitiesAtTheEndOfTheirRangeAreBlackOrWhite) {
  const std::array<float, 12> steep{4, 4, 4, 20, -4, -4, -4, -20, 4, -4, 4, 0};
  const auto out = run({{0, 0, 0}, {255, 255, 255}, {0, 255, 0}}, DensityStep{steep, {255, 255, 255}});
  EXPECT_EQ(out[0], (Colour{0, 255, 0}));
  EXPECT_EQ(out[1], (Colour{0, 255, 255}));
  EXPECT_EQ(out[2], (Colour{0, 255, 0}));
}

CubeStep cube(int side, const auto& value) {
  CubeStep out{side, {}};
  const double unit = 255.0 / (side - 1);
  for (int b = 0; b < side; ++b)
    for (int g = 0; g < side; ++g)
      for (int r = 0; r < side; ++r) {
        const std::array<double, 3> v = value(unit * r, unit * g, unit * b);
        for (const double x : v) out.nodes.push_back(static_cast<float>(x));
        out.nodes.push_back(0);
      }
  return out;
}

TEST(ColourProgram, ACubeOfTheColoursThemselvesChangesNothing) {
  const auto in = colours();
  for (const int side : {2, 3, 17, 33, 65})
    EXPECT_EQ(run(in, cube(side, [](double r, double g, double b) { return std::array{r, g, b}; })), in) << side;
}

TEST(ColourProgram, ACubeIsLinearBetweenItsNodes) {
  const auto in = colours();
  // Products of two channels are linear along each axis, so that cubes of any side have them exactly.
  const auto product = [](double r, double g, double b) { return std::array{r * g / 255, 255 - b, g * b / 255}; };
  for (const int side : {2, 5, 33})
    EXPECT_LE(worst(in, run(in, cube(side, product)), [&](const Colour& c) { return product(c[0], c[1], c[2]); }), half)
        << side;
}

TEST(ColourProgram, OnePassEqualsOneStepAfterTheOther) {
  const auto in = colours();
  LookupStep table{};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t v = 0; v < 256; ++v) table.table[c][v] = std::uint8_t(255 - v / (c + 1));
  const ColourStep matrix{mixing};
  const DensityStep density{{1.1F, -0.2F, 0.1F, 0.02F, 0.05F, 0.9F, 0, -0.1F, -0.3F, 0.2F, 1, 0}, {250, 245, 255}};
  const CubeStep swapped = cube(9, [](double r, double g, double b) { return std::array{b, r, g * g / 255}; });
  EXPECT_EQ(run(in, table, matrix, density, swapped, density),
            run(run(run(run(run(in, table), matrix), density), swapped), density));
}

TEST(ColourProgram, IsUsedAgain) {
  const auto in = colours();
  const DensityStep density{{1.1F, -0.2F, 0.1F, 0.02F, 0.05F, 0.9F, 0, -0.1F, -0.3F, 0.2F, 1, 0}, {250, 245, 255}};
  ColourProgram program;
  for (int i = 0; i < 3; ++i) {
    auto pixels = in;
    program.clear();
    program.add(density);
    if (i == 1) program.add(ColourStep{mixing});
    program.run(pixels[0].data(), pixels[0].data(), static_cast<std::int64_t>(pixels.size()));
    EXPECT_EQ(pixels, i == 1 ? run(in, density, ColourStep{mixing}) : run(in, density)) << i;
  }
}

}  // namespace
}  // namespace nephron::host
