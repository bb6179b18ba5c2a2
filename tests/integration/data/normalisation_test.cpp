// "normalise": slides of different stains become alike, wherever they are read.
#include <host/feed/normalisation.hpp>

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/rng.hpp>

#include <host/config/normalise_link.hpp>
#include <host/data/memory_slide.hpp>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Stain = std::array<double, 3>;
constexpr Stain haematoxylin{0.65, 0.70, 0.29}, eosin{0.07, 0.99, 0.11};

PluginSearch of_files() {
  PluginSearch out;
  out.command_line = {NEPHRON_STAIN, NEPHRON_FLIP};
  out.folders = false;
  return out;
}

/// Mixtures of both stains, `more` times as strong, of which the second is redder by `red`, beside white glass.
std::shared_ptr<const PreparedSlide> slide(const std::string& id, double more, double red, std::int64_t tissue = 200) {
  constexpr Size size{300, 240};
  MemorySlide::Parts parts;
  parts.info.id = id;
  parts.classes = 1;
  parts.annotated = true;
  parts.image = Image(size, 3);
  parts.labels = Image(size, 1);
  parts.targets = {{.any_of = 1, .none_of = 0, .weight = 1}};
  Rng rng(3, "slide");
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) {
      const std::int64_t sort = rng.integer(0, 2);  // one stain, the other, both
      const double a = sort == 1 ? 0 : more * rng.uniform(0.5, 1.0), b = sort == 0 ? 0 : more * rng.uniform(0.3, 0.8);
      for (std::size_t c = 0; c < 3; ++c) {
        const double second = eosin[c] + (c == 0 ? red : 0);
        parts.image.view().row<std::uint8_t>(y)[3 * x + static_cast<std::int64_t>(c)] = static_cast<std::uint8_t>(
            x < tissue ? std::lround(255 * std::exp(-a * haematoxylin[c] - b * second)) : 250);
      }
      parts.labels.view().row<std::uint8_t>(y)[x] = x < 50 ? 1 : 0;
    }
  return std::make_shared<MemorySlide>(std::move(parts));
}

Value list(std::initializer_list<double> numbers) {
  Value::Array out;
  for (const double n : numbers) out.emplace_back(n);
  return Value(std::move(out));
}

/// stain_transfer to fixed stains.
ComponentSpec transfer(std::initializer_list<double> share = {1, 1}) {
  Value to{Value::Table{}}, params{Value::Table{}};
  to.set("stains", Value(Value::Array{list({0.65, 0.70, 0.29}), list({0.07, 0.99, 0.11})}));
  to.set("strength", list({1.2, 0.9}));
  params.set("to", std::move(to));
  params.set("share", list(share));
  return {"stain_transfer", params, {}};
}

std::vector<std::uint8_t> pixels(const PreparedSlide& of, const Region& region) {
  const Image out(region.size(), 3);
  of.read(region, out.view(), {});
  const auto* const first = out.view().row<const std::uint8_t>(0);
  return {first, first + 3 * region.size().area()};
}

class NormalisationTest : public testing::Test {
 protected:
  PreparedData normalised_by(const ComponentSpec& component) {
    AugmentationConfig link, part;
    part.component = component;
    link.component.type = normalise_link;
    link.of = {part};
    experiment_.augmentations = {link};
    PreparedData data;
    data.slides = {slide("pale", 0.7, 0), slide("dark", 1.3, 0.2), slide("glass", 1, 0, 0)};
    data.folds = {0, 1, 2};
    return normalised(std::move(data), experiment_, registry_);
  }
  Registry registry_{of_files()};
  Experiment experiment_;
};

TEST_F(NormalisationTest, SlidesComeToHaveTheTargetsStains) {
  const PreparedData data = normalised_by(transfer());
  const auto before = slide("pale", 0.7, 0);
  EXPECT_GT(std::abs(before->colours()->strength[0] - 1.2), 0.3) << "or there would be nothing to do";
  for (const std::size_t i : {0U, 1U}) {
    SCOPED_TRACE(data.slides[i]->info().id);
    const SlideColours* const found = data.slides[i]->colours();
    ASSERT_NE(found, nullptr);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(found->stains[0][c], haematoxylin[c], 0.05) << c;
      EXPECT_NEAR(found->stains[1][c], eosin[c], 0.05) << c;
    }
    EXPECT_NEAR(found->strength[0], 1.2, 0.1);
    EXPECT_NEAR(found->strength[1], 0.9, 0.1);
  }
  EXPECT_EQ(data.folds, (std::vector<int>{0, 1, 2}));
}

TEST_F(NormalisationTest, APartIsThePartOfTheWholeAndLabelsStay) {
  const PreparedData data = normalised_by(transfer());
  const PreparedSlide& dark = *data.slides[1];
  const auto own = slide("dark", 1.3, 0.2);
  const std::vector<std::uint8_t> whole = pixels(dark, {0, 0, 300, 240});
  EXPECT_NE(whole, pixels(*own, {0, 0, 300, 240}));
  const Region part{190, 7, 31, 40};  // tissue and glass
  const std::vector<std::uint8_t> cut = pixels(dark, part);
  for (std::int64_t y = 0; y < part.height; ++y)
    EXPECT_EQ(std::memcmp(cut.data() + 3 * part.width * y, whole.data() + 3 * (300 * (part.y + y) + part.x), 3 * 31),
              0);
  const Image labels({300, 240}, 1), wanted({300, 240}, 1);
  dark.read({0, 0, 300, 240}, {}, labels.view());
  own->read({0, 0, 300, 240}, {}, wanted.view());
  EXPECT_EQ(std::memcmp(labels.view().row<std::uint8_t>(0), wanted.view().row<std::uint8_t>(0), 300 * 240), 0);
  EXPECT_EQ(dark.catalog().foreground, own->catalog().foreground);
  EXPECT_EQ(dark.tissue({0, 0, 300, 240}), own->tissue({0, 0, 300, 240})) << "tissue is looked for in the slide's own";
}

TEST_F(NormalisationTest, ASlideWithoutTissueStaysAsItIs) {
  testing::internal::CaptureStderr();
  const PreparedData data = normalised_by(transfer());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("slide \"glass\" stays as it is (normalise)"));
  EXPECT_EQ(pixels(*data.slides[2], {0, 0, 300, 240}), pixels(*slide("glass", 1, 0, 0), {0, 0, 300, 240}));
}

TEST_F(NormalisationTest, WhatDrawsOrMovesPixelsIsRefused) {
  EXPECT_THAT(
      [&] {
        normalised_by(transfer({0.2, 1}));
      },
      ThrowsMessage<Error>(HasSubstr("normalise: \"stain_transfer\" draw")));
  EXPECT_THAT(
      [&] {
        normalised_by({"stain_jitter", Value(Value::Table{}), {}});
      },
      ThrowsMessage<Error>(HasSubstr("\"stain_jitter\" draw")));
  Value always{Value::Table{}};
  always.set("horizontal", 1.0);
  EXPECT_THAT(
      [&] {
        normalised_by({"flip", always, {}});
      },
      ThrowsMessage<Error>(HasSubstr("do more than change each colour of a slide by itself")));
}

// Alone in its book, a slide would be its own target, and stay as it is.
TEST_F(NormalisationTest, WhatTakesAnySlideForATargetIsRefused) {
  for (const char* type : {"stain_transfer", "reinhard"})
    for (const bool whole : {true, false}) {
      Value params{Value::Table{}};
      if (whole) params.set("share", list({1, 1}));
      EXPECT_THAT(
          [&] {
            normalised_by({type, params, {}});
          },
          ThrowsMessage<Error>(HasSubstr(std::string("normalise: \"") + type + "\" have no target")));
    }
}

}  // namespace
}  // namespace nephron::host
