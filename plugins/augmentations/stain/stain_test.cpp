#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/slide_colours.hpp>
#include <nephron/slide_dataset.hpp>

#include <tests/support/augmentation_fixture.hpp>

namespace nephron::host {
namespace {

/// Two slides, and one without tissue.
struct Book : ColourBook {
  Book() {
    known[0].stains = {{{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}};
    known[0].strength = {1.5, 1.0};
    known[0].lab_mean = {60, 20, -10}, known[0].lab_deviation = {10, 5, 4};
    known[1].stains = {{{0.56, 0.72, 0.41}, {0.22, 0.80, 0.56}}};
    known[1].strength = {3.0, 0.5};
    known[1].lab_mean = {70, 25, -15}, known[1].lab_deviation = {12, 6, 5};
  }
  std::size_t size() const noexcept override { return 3; }
  const SlideColours* colours(std::size_t slide) const override { return slide < 2 ? &known.at(slide) : nullptr; }
  std::array<SlideColours, 2> known{};
};

class StainTest : public AugmentationFixture {
 protected:
  StainTest() : AugmentationFixture("stain_jitter") {
    file_ = std::filesystem::temp_directory_path() / ("nephron_stains_" + std::to_string(getpid()) + ".json");
    write(R"({"slides": {
      "slide": {"stains": [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]], "strength": [1.5, 1.0],
                "lab_mean": [60, 20, -10], "lab_deviation": [10, 5, 4]},
      "other": {"stains": [[0.56, 0.72, 0.41], [0.22, 0.80, 0.56]], "strength": [3.0, 0.5],
                "lab_mean": [70, 25, -15], "lab_deviation": [12, 6, 5]}}})");
  }
  ~StainTest() override { std::filesystem::remove(file_); }
  void write(const std::string& text) const { std::ofstream(file_) << text; }
  Value::Table with(const char* target) const {
    return {{"statistics", file_.string(), {}}, {"target", target, {}}, {"share", Value::Array{1, 1}, {}}};
  }
  /// What is drawn for a sample of a slide of the book.
  static WrittenPlan told(const Augmentation& a, const Book& book, std::size_t slide, std::uint64_t index) {
    SampleInfo sample = sample_of({32, 32});
    set_colours(sample, book, slide);
    const SampleInfo copy = sample;  // as plugins may
    Rng rng(3, "stain", 0, index);
    WrittenPlan plan;
    a.draw(copy, rng, plan);
    return plan;
  }
  std::filesystem::path file_;
};

std::array<double, 3> times(const std::array<float, 12>& m, const std::array<double, 3>& d) {
  std::array<double, 3> out{};
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = double(m[4 * c]) * d[0] + double(m[4 * c + 1]) * d[1] + double(m[4 * c + 2]) * d[2] + double(m[4 * c + 3]);
  return out;
}

TEST_F(StainTest, JitterScalesOneStainByItself) {
  const auto a = make({{"stains", "standard", {}}, {"shift", Value::Array{0, 0}, {}}});
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto m = *draw(*a, i).densities;
    const auto eosin = times(m, {0.07, 0.99, 0.11});
    const double factor = eosin[1] / 0.99;
    EXPECT_GE(factor, 0.7 - 1e-5);
    EXPECT_LE(factor, 1.3 + 1e-5);
    EXPECT_NEAR(eosin[0], 0.07 * factor, 1e-5);
    EXPECT_NEAR(eosin[2], 0.11 * factor, 1e-5);
  }
}

TEST_F(StainTest, JitterTakesTheSlidesOwnStains) {
  const Book book;
  const auto a = make({{"stains", "slide", {}}, {"shift", Value::Array{0, 0}, {}}});
  for (std::size_t slide = 0; slide < 3; ++slide) {
    const WrittenPlan plan = told(*a, book, slide, 5);
    ASSERT_EQ(plan.calls, slide < 2 ? 1 : 0);  // one without tissue stays as it is
    if (slide == 2) continue;
    const auto eosin = times(*plan.densities, book.known.at(slide).stains[1]);
    const double factor = eosin[1] / book.known.at(slide).stains[1][1];
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(eosin[c], factor * book.known.at(slide).stains[1][c], 1e-5);
  }
  Rng rng(1, "stain");
  WrittenPlan plan;
  a->draw(sample_of({32, 32}), rng, plan);  // of a host that measures nothing
  EXPECT_EQ(plan.calls, 0);
}

TEST_F(StainTest, WithoutAFileSlidesLookLikeOthersThatWereMeasured) {
  const Book book;
  for (const char* type : {"stain_transfer", "reinhard"}) {
    const auto a = make(type, {{"share", Value::Array{1, 1}, {}}});
    int unchanged = 0, changed = 0;
    for (std::uint64_t i = 0; i < 60; ++i) (told(*a, book, 0, i).calls == 0 ? unchanged : changed) += 1;
    EXPECT_GT(unchanged, 5) << "the one without tissue is drawn too";
    EXPECT_GT(changed, 20);
    EXPECT_EQ(told(*a, book, 2, 1).calls, 0);
  }
  const Value::Array stains{Value::Array{0.56, 0.72, 0.41}, Value::Array{0.22, 0.80, 0.56}};
  const auto fixed = make("stain_transfer",
                          {{"to", Value::Table{{"stains", stains, {}}, {"strength", Value::Array{3.0, 0.5}, {}}}, {}},
                           {"share", Value::Array{1, 1}, {}}});
  const auto h = times(*told(*fixed, book, 0, 1).densities, {1.5 * 0.65, 1.5 * 0.70, 1.5 * 0.29});
  EXPECT_NEAR(h[0], 3 * 0.56, 1e-5);
  EXPECT_NEAR(h[1], 3 * 0.72, 1e-5);
  // What is measured stands in for what a file does not know.
  write(R"({"slides": {"other": {"stains": [[0.56, 0.72, 0.41], [0.22, 0.80, 0.56]], "strength": [3.0, 0.5]}}})");
  const auto of_file = make("stain_transfer", with("other"));
  EXPECT_NEAR(times(*told(*of_file, book, 0, 1).densities, {1.5 * 0.65, 1.5 * 0.70, 1.5 * 0.29})[0], 3 * 0.56, 1e-5);
  EXPECT_THROW(make("reinhard", {{"target", "other", {}}}), Error);  // of no file
}

TEST_F(StainTest, TheWidestJitterIsWithinWhatAPlanTakes) {
  const auto a = make({{"scale", Value::Array{0, 1.5}, {}}, {"shift", Value::Array{-2, 2}, {}}});
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const auto m = *draw(*a, i).densities;
    for (std::size_t j = 0; j < 12; ++j) EXPECT_LE(std::abs(m[j]), j % 4 == 3 ? 20 : 4);
  }
}

TEST_F(StainTest, TransferGivesTheOtherSlidesColourAndStrength) {
  const auto m = *draw(*make("stain_transfer", with("other")), 1).densities;
  const auto h = times(m, {1.5 * 0.65, 1.5 * 0.70, 1.5 * 0.29}), e = times(m, {0.07, 0.99, 0.11});
  const std::array<double, 3> other_h{3 * 0.56, 3 * 0.72, 3 * 0.41}, other_e{0.5 * 0.22, 0.5 * 0.80, 0.5 * 0.56};
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(h[c], other_h[c], 1e-5);
    EXPECT_NEAR(e[c], other_e[c], 1e-5);
  }
}

TEST_F(StainTest, ASlidesOwnTargetChangesNothing) {
  const WrittenPlan plan = draw(*make("reinhard", with("slide")), 1);
  ASSERT_EQ(plan.cube.size(), 3U * 17 * 17 * 17);
  for (std::size_t n = 0; n < 17 * 17 * 17; ++n) {
    const std::array<std::size_t, 3> at{n % 17, n / 17 % 17, n / 289};
    for (std::size_t c = 0; c < 3; ++c)
      ASSERT_NEAR(plan.cube[3 * n + c], 255.0 * double(at[c]) / 16, 0.2);  // OpenCV's two matrices are rounded apart
  }
}

// Slides of several datasets may have one name.
TEST_F(StainTest, AFileOfStatisticsIsReadByDatasetAndName) {
  const auto strength = [&](const Augmentation& a, const char* dataset) {
    SampleInfo sample = sample_of({32, 32});  // of "slide"
    set_dataset(sample, dataset);
    Rng rng(3, "stain", 0, 1);
    WrittenPlan plan;
    a.draw(sample, rng, plan);
    const auto h = times(*plan.densities, {0.65, 0.70, 0.29});
    return 3.0 * 0.56 / h[0];  // of the slide's own haematoxylin, as it is brought to that of "other"
  };
  const std::string other = R"("other": {"stains": [[0.56, 0.72, 0.41], [0.22, 0.80, 0.56]], "strength": [3.0, 0.5]})";
  const auto own = [](const char* name, const char* amount) {
    return std::string(",\"") + name + R"(": {"stains": [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]], "strength": [)" +
           amount + ", 1.0]}";
  };
  write("{\"slides\": {" + other + own("a/slide", "1.5") + own("b/slide", "2") + "}}");
  const auto apart = make("stain_transfer", with("other"));
  EXPECT_NEAR(strength(*apart, "a"), 1.5, 1e-4);
  EXPECT_NEAR(strength(*apart, "b"), 2, 1e-4);
  EXPECT_THROW(strength(*apart, ""), Error) << "of a file's name alone: which of the two is not known";
  EXPECT_THROW(strength(*apart, "c"), Error) << "it is neither";
  write("{\"slides\": {" + other + own("a/slide", "1.5") + "}}");
  EXPECT_NEAR(strength(*make("stain_transfer", with("other")), ""), 1.5, 1e-4);
  write("{\"slides\": {" + other + own("slide", "1.5") + "}}");
  const auto named = make("stain_transfer", with("other"));
  EXPECT_NEAR(strength(*named, "a"), 1.5, 1e-4);
  EXPECT_NEAR(strength(*named, "a"), 1.5, 1e-4);
  try {
    strength(*named, "b");
    ADD_FAILURE() << "two slides of that name have the same statistics";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("may be of a/slide or of b/slide"), std::string::npos) << e.what();
  }
}

TEST_F(StainTest, WrongStatisticsAreNamed) {
  EXPECT_THROW(make("stain_transfer", with("nobody")), Error);
  EXPECT_THROW(make("reinhard", with("nobody")), Error);
  write(R"({"slides": {"slide": {"stains": [[1, 0, 0], [2, 0, 0]], "strength": [1, 1]}}})");
  EXPECT_THROW(make("stain_transfer", with("")), Error);  // one colour twice
  EXPECT_THROW(make("reinhard", with("")), Error);        // no means
  write(R"({"slides": {"another": {"stains": [[0.6, 0.7, 0.2], [0.1, 0.9, 0.1]], "strength": [1, 1]}}})");
  const auto a = make("stain_transfer", with(""));
  Rng rng(1, "stain");
  WrittenPlan plan;
  EXPECT_THROW(a->draw(sample_of({32, 32}), rng, plan), Error);  // "slide" is not in the file
}

}  // namespace
}  // namespace nephron::host
