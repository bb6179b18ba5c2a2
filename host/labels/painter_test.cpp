// Windows of the painter against the whole slide drawn by OpenCV and reduced by OpenCV.
#include <host/labels/painter.hpp>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/geojson.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/rng.hpp>

#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

/// Draws everything that a painter gets at full size too.
class Whole {
 public:
  Whole(Size slide, int classes)
      : painter(slide, classes), labels(int(slide.height), int(slide.width), CV_8U, cv::Scalar(0)) {}

  void polygon(int c, const Polygon& polygon) {
    painter.polygon(c, polygon);
    std::vector<std::vector<cv::Point>> rings;
    for (const auto& ring : polygon) {
      rings.emplace_back();
      for (const Point& p : ring) rings.back().emplace_back(int(p.x), int(p.y));
    }
    cv::Mat filled = cv::Mat::zeros(labels.size(), CV_8U);
    cv::fillPoly(filled, rings, cv::Scalar(1 << c));
    labels |= filled;
  }
  void mask(const Region& r, const cv::Mat& bits) {
    cv::Mat copy = bits.clone();
    painter.mask(r, {copy.data, copy.cols, copy.rows, 1, Depth::u8, std::ptrdiff_t(copy.step[0])});
    labels(cv::Rect(int(r.x), int(r.y), int(r.width), int(r.height))) |= bits;
  }
  void runs(int c, const Runs& runs, bool column_major) {
    painter.runs(c, runs, column_major);
    for (const Run& run : runs)
      for (std::int64_t i = run.start; i < run.end(); ++i) {
        const auto x = column_major ? i / labels.rows : i % labels.cols;
        const auto y = column_major ? i % labels.rows : i / labels.cols;
        labels.at<std::uint8_t>(int(y), int(x)) |= std::uint8_t(1 << c);
      }
  }
  cv::Mat reduced(int factor) const {
    cv::Mat out;
    cv::resize(labels, out, cv::Size(labels.cols / factor, labels.rows / factor), 0, 0, cv::INTER_NEAREST);
    return out;
  }

  LabelPainter painter;
  cv::Mat labels;
};

void expect_equal(const Whole& whole, int factor, const Region& window) {
  const cv::Rect part(int(window.x), int(window.y), int(window.width), int(window.height));
  const cv::Mat expected = whole.reduced(factor)(part);
  const Image found(window.size(), 1);
  std::fill_n(static_cast<std::uint8_t*>(found.view().data), window.size().area(), std::uint8_t(0xff));
  whole.painter.paint(factor, window, found.view());
  ASSERT_EQ(cv::norm(expected, as_mat(found.view()), cv::NORM_INF), 0)
      << "factor " << factor << ", window " << part.x << "," << part.y << " " << part.width << "x" << part.height;
  if (cv::countNonZero(expected) > 0) {
    EXPECT_TRUE(whole.painter.touches(factor, window));
  }
}

Region random_window(Rng& rng, Size size) {
  const std::int64_t w = rng.integer(1, size.width), h = rng.integer(1, size.height);
  return {rng.integer(0, size.width - w), rng.integer(0, size.height - h), w, h};
}

Runs random_runs(Rng& rng, std::int64_t pixels, std::int64_t longest) {
  Runs out;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t start = rng.integer(0, pixels - 1);
    out.push_back({start, std::min(rng.integer(0, longest), pixels - start)});  // in no order, overlapping
  }
  return out;
}

TEST(LabelPainter, AnyWindowIsTheCropOfTheWholeReduced) {
  Rng rng(3, "painter");
  for (int i = 0; i < 400; ++i) {
    const Size slide{rng.integer(8, 200), rng.integer(8, 200)};
    Whole whole(slide, 4);
    // Inside the slide, so that any version of OpenCV can be asked; polygon_scan_test has those that leave it.
    for (int k = 0; k < 5; ++k) {
      Polygon polygon(static_cast<std::size_t>(rng.integer(1, 2)));
      for (auto& ring : polygon)
        for (int n = int(rng.integer(1, 9)); n > 0; --n)
          ring.push_back({rng.uniform(0, double(slide.width)), rng.uniform(0, double(slide.height))});
      whole.polygon(int(rng.integer(0, 3)), polygon);
    }
    whole.runs(0, random_runs(rng, slide.area(), 2 * slide.height), true);
    whole.runs(1, random_runs(rng, slide.area(), 2 * slide.width), false);
    const Region region = random_window(rng, slide);
    cv::Mat bits(int(region.height), int(region.width), CV_8U);
    for (auto p = bits.begin<std::uint8_t>(); p != bits.end<std::uint8_t>(); ++p)
      *p = rng.chance(0.2) ? std::uint8_t(rng.integer(0, 15)) : 0;
    whole.mask(region, bits);
    for (int k = 0; k < 12; ++k) {
      const int factor = int(rng.integer(1, std::min<std::int64_t>(8, std::min(slide.width, slide.height))));
      expect_equal(whole, factor, random_window(rng, whole.painter.size(factor)));
    }
  }
}

TEST(LabelPainter, NearestPixelsAreOpenCVsForAnySideAndFactor) {
  Rng rng(4, "sides");
  for (int i = 0; i < 3000; ++i) {
    const std::int64_t side = rng.integer(1, 30000), factor = rng.integer(1, std::min<std::int64_t>(side, 16));
    Whole whole({side, 1}, 1);
    whole.runs(0, random_runs(rng, side, 40), false);
    expect_equal(whole, 1, {0, 0, side, 1});
    cv::Mat expected;
    cv::resize(whole.labels, expected, cv::Size(int(side / factor), 1), 0, 0, cv::INTER_NEAREST);
    LabelPainter tall({side, factor}, 1);  // a row that the factor keeps
    Runs runs;
    for (std::int64_t x = 0; x < side; ++x)
      if (whole.labels.at<std::uint8_t>(0, int(x)) != 0) runs.push_back({x, 1});
    tall.runs(0, runs, false);
    const Image found({side / factor, 1}, 1);
    tall.paint(int(factor), {0, 0, side / factor, 1}, found.view());
    ASSERT_EQ(cv::norm(expected, as_mat(found.view()), cv::NORM_INF), 0) << side << " / " << factor;
  }
}

TEST(LabelPainter, ReductionsThatAreNoWholeNumberAreOpenCVs) {
  Rng rng(5, "reductions");
  for (int i = 0; i < 300; ++i) {
    const Reduction reduction = Reduction::of(1 + 9 * rng.uniform());
    const Size full{rng.integer(20, 900), rng.integer(20, 300)}, size = reduction.size_of(full);
    LabelPainter painter(full, 2);
    const Image mask(full, 1), map(full, 1, Depth::f32), levels(full, 1);
    for (std::int64_t y = 0; y < full.height; ++y)
      for (std::int64_t x = 0; x < full.width; ++x) {
        mask.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(rng.integer(0, 4) == 0);
        const auto level = static_cast<std::uint8_t>(rng.integer(0, 127));
        levels.view().row<std::uint8_t>(y)[x] = level;
        map.view().row<float>(y)[x] = static_cast<float>(level) / 255.F;
      }
    painter.mask({0, 0, full.width, full.height}, mask.view());
    painter.probability(1, {0, 0, full.width, full.height}, map.view());
    cv::Mat bits, soft;
    const cv::Size to(static_cast<int>(size.width), static_cast<int>(size.height));
    cv::resize(as_mat(mask.view()), bits, to, 0, 0, cv::INTER_NEAREST);
    cv::resize(as_mat(levels.view()), soft, to, 0, 0, cv::INTER_AREA);
    const Image found = painter.labels(reduction);
    ASSERT_EQ(cv::norm(bits, as_mat(found.view()), cv::NORM_INF), 0) << full.width << " by " << reduction.str();
    const std::map<int, Image> softs = painter.soft(reduction);
    ASSERT_EQ(cv::norm(soft, as_mat(softs.at(1).view()), cv::NORM_INF), 0) << full.width << " by " << reduction.str();
  }
}

TEST(LabelPainter, ProbabilitiesAreReducedAsTheWholeIsAndSetBits) {
  Rng rng(5, "soft");
  for (int i = 0; i < 60; ++i) {
    const Size slide{rng.integer(40, 700), rng.integer(40, 600)};
    LabelPainter painter(slide, 2);
    cv::Mat whole = cv::Mat::zeros(int(slide.height), int(slide.width), CV_8U), bits = whole.clone();
    for (int k = 0; k < 3; ++k) {
      const Region region = random_window(rng, slide);
      Image map(region.size(), 1, Depth::f32);
      for (std::int64_t y = 0; y < region.height; ++y)
        for (std::int64_t x = 0; x < region.width; ++x) {
          const auto p = float(rng.uniform());
          map.view().row<float>(y)[x] = p;
          whole.at<std::uint8_t>(int(region.y + y), int(region.x + x)) = std::uint8_t(std::lround(p * 255));
          bits.at<std::uint8_t>(int(region.y + y), int(region.x + x)) |= p > 0.5F ? 2 : 0;
        }
      painter.probability(1, region, map.view());
    }
    EXPECT_EQ(painter.soft_classes(), 2U);
    for (int k = 0; k < 6; ++k) {
      const int factor = int(rng.integer(1, 5));
      const Region window = random_window(rng, painter.size(factor));
      const cv::Rect part(int(window.x), int(window.y), int(window.width), int(window.height));
      cv::Mat expected, expected_bits;
      const cv::Size size(whole.cols / factor, whole.rows / factor);
      cv::resize(whole, expected, size, 0, 0, cv::INTER_AREA);
      cv::resize(bits, expected_bits, size, 0, 0, cv::INTER_NEAREST);
      const Image soft(window.size(), 1), labels(window.size(), 1);
      painter.paint_soft(1, factor, window, soft.view());
      painter.paint(factor, window, labels.view());
      ASSERT_EQ(cv::norm(expected(part), as_mat(soft.view()), cv::NORM_INF), 0) << i << " factor " << factor;
      ASSERT_EQ(cv::norm(expected_bits(part), as_mat(labels.view()), cv::NORM_INF), 0) << i << " factor " << factor;
    }
  }
}

TEST(LabelPainter, PaintsFromManyThreads) {
  Rng rng(6, "threads");
  Whole whole({300, 300}, 2);
  for (int k = 0; k < 30; ++k) {
    std::vector<Point> ring;
    for (int n = 0; n < 7; ++n) ring.push_back({rng.uniform(0, 299), rng.uniform(0, 299)});
    whole.polygon(k % 2, {ring});
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&whole, t] {
      Rng own(std::uint64_t(t), "windows");
      for (int k = 0; k < 50; ++k) expect_equal(whole, 2, random_window(own, {150, 150}));
    });
  for (auto& thread : threads) thread.join();
}

TEST(LabelPainter, KeepsHolesUnlessItShallBeAsTheReference) {
  const std::vector<Point> outline{{2.9, 2.9}, {12, 2}, {12, 12}, {2, 12}}, hole{{5, 5}, {9, 5}, {9, 9}, {5, 9}};
  const auto painted = [&](bool compat) {
    LabelPainter painter({20, 20}, 2, compat);
    painter.polygon(1, {outline, hole});
    Image out({20, 20}, 1);
    painter.paint(1, {0, 0, 20, 20}, out.view());
    return out;
  };
  const Image sound = painted(false);
  EXPECT_EQ(sound.view().row<std::uint8_t>(2)[2], 2);  // truncated, boundary included
  EXPECT_EQ(sound.view().row<std::uint8_t>(12)[12], 2);
  EXPECT_EQ(sound.view().row<std::uint8_t>(12)[13], 0);
  EXPECT_EQ(sound.view().row<std::uint8_t>(7)[7], 0);  // the hole
  cv::Mat expected = cv::Mat::zeros(20, 20, CV_8U);
  std::vector<cv::Point> joined;
  for (const auto& ring : {outline, hole})
    for (const Point& p : ring) joined.emplace_back(int(p.x), int(p.y));
  cv::fillPoly(expected, std::vector<std::vector<cv::Point>>{joined}, cv::Scalar(2));
  EXPECT_EQ(cv::norm(expected, as_mat(painted(true).view()), cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(expected, as_mat(sound.view()), cv::NORM_INF), 0);
}

TEST(LabelPainter, IsEmptyUntilSomethingIsGiven) {
  LabelPainter painter({10, 10}, 1);
  EXPECT_TRUE(painter.empty());
  EXPECT_FALSE(painter.touches(1, {0, 0, 10, 10}));
  painter.runs(0, Runs{{3, 1}}, true);
  EXPECT_FALSE(painter.empty());
  EXPECT_TRUE(painter.touches(1, {0, 3, 1, 1}));
  EXPECT_FALSE(painter.touches(1, {1, 0, 9, 10}));
}

TEST(LabelPainter, SaysWhatIsWrong) {
  LabelPainter r({10, 10}, 2);
  Image small({3, 3}, 1);
  small.view().row<std::uint8_t>(0)[0] = 4;
  EXPECT_THAT(error_of([&] { r.polygon(2, {}); }), HasSubstr("class 2, but the experiment has 2 classes"));
  EXPECT_THAT(error_of([&] { r.mask({8, 8, 3, 3}, small.view()); }), HasSubstr("3 x 3 at (8, 8), which is not inside"));
  EXPECT_THAT(error_of([&] { r.mask({0, 0, 3, 3}, small.view()); }), HasSubstr("sets bit 2"));
  EXPECT_THAT(error_of([&] { r.runs(0, Runs{{90, 11}}, true); }), HasSubstr("run 90 + 11 leaves the slide of 10 x 10"));
  Image p({1, 1}, 1, Depth::f32);
  p.view().row<float>(0)[0] = 1.5F;
  EXPECT_THAT(error_of([&] { r.probability(0, {0, 0, 1, 1}, p.view()); }), HasSubstr("numbers in [0, 1]"));
  EXPECT_THAT(error_of([&] { r.polygon(0, {{{0.0 / 0.0, 1}, {2, 2}, {3, 4}}}); }), HasSubstr("not a number"));
  EXPECT_THAT(error_of([&] {
                r.paint(2, {3, 3, 3, 3}, small.view());
              }),
              HasSubstr("not inside the label map of 5 x 5"));
  EXPECT_THAT(error_of([&] { r.paint(11, {0, 0, 1, 1}, small.view()); }), HasSubstr("cannot be reduced by 11"));
  EXPECT_THAT(error_of([&] {
                r.paint_soft(1, 1, {0, 0, 3, 3}, small.view());
              }),
              HasSubstr("was given no probabilities"));
  EXPECT_THAT(error_of([] { LabelPainter({0, 4}, 1); }), HasSubstr("sides of 1 to 10^8"));
  EXPECT_THAT(error_of([] { LabelPainter({4, 4}, 33); }), HasSubstr("1 to 32 classes"));
}

// Classes beyond the eighth are painted as the first ones are, into wider pixels.
TEST(LabelPainter, ThirtyTwoClassesAreFourTimesEight) {
  Rng rng(12, "wide");
  for (const int classes : {12, 32}) {
    for (int round = 0; round < 20; ++round) {
      const Size slide{rng.integer(20, 150), rng.integer(20, 150)};
      LabelPainter wide(slide, classes);
      std::vector<LabelPainter> bytes;
      for (int c = 0; c < classes; c += 8) bytes.emplace_back(slide, std::min(8, classes - c));
      for (int c = 0; c < classes; ++c) {
        Polygon polygon(1);
        for (int n = 5; n > 0; --n)
          polygon[0].push_back({rng.uniform(0, double(slide.width)), rng.uniform(0, double(slide.height))});
        const Runs runs = random_runs(rng, slide.area(), slide.width);
        for (auto* painter : {&wide, &bytes[std::size_t(c / 8)]}) {
          const int number = painter == &wide ? c : c % 8;
          painter->polygon(number, polygon);
          painter->runs(number, runs, c % 2 == 0);
        }
      }
      const Region region = random_window(rng, slide);
      const Image mask(region.size(), 1, wide.depth());
      const int last = classes - 1;
      const Image byte(region.size(), 1);
      with_label_type(wide.depth(), [&](auto zero) {
        for (std::int64_t y = 0; y < region.height; ++y)
          for (std::int64_t x = 0; x < region.width; ++x)
            if (rng.chance(0.2)) {
              mask.view().row<decltype(zero)>(y)[x] = static_cast<decltype(zero)>(1U << last);
              byte.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(1U << last % 8);
            }
      });
      wide.mask(region, mask.view());
      bytes.back().mask(region, byte.view());
      for (const int factor : {1, 3}) {
        const Region window = random_window(rng, {slide.width / factor, slide.height / factor});
        const Image found(window.size(), 1, wide.depth());
        wide.paint(factor, window, found.view());
        for (std::size_t b = 0; b < bytes.size(); ++b) {
          const Image expected(window.size(), 1);
          bytes[b].paint(factor, window, expected.view());
          with_label_type(wide.depth(), [&](auto zero) {
            for (std::int64_t y = 0; y < window.height; ++y)
              for (std::int64_t x = 0; x < window.width; ++x)
                ASSERT_EQ(found.view().row<decltype(zero)>(y)[x] >> (8 * b) & 0xFF,
                          expected.view().row<std::uint8_t>(y)[x]);
          });
        }
      }
    }
  }
  LabelPainter twelve({10, 10}, 12);
  const Image narrow({10, 10}, 1);
  EXPECT_THAT(error_of([&] { twelve.paint(1, {0, 0, 10, 10}, narrow.view()); }), HasSubstr("one channel of 16 bits"));
  const Image mask({10, 10}, 1, Depth::u16);
  mask.view().row<std::uint16_t>(3)[3] = 1 << 12;
  EXPECT_THAT(error_of([&] { twelve.mask({0, 0, 10, 10}, mask.view()); }), HasSubstr("sets bit 12"));
}

// Ignored pixels have a bit of their own and no other, whoever came first, in windows and reduced as labels are.
TEST(LabelPainter, IgnoredPixelsHaveNoOtherLabel) {
  Rng rng(11, "ignored");
  for (int round = 0; round < 60; ++round) {
    const Size slide{rng.integer(30, 150), rng.integer(30, 150)};
    Whole labels(slide, 3), ignored(slide, 1);
    const auto polygon = [&] {
      Polygon out(1);
      for (int n = 5; n > 0; --n)
        out[0].push_back({rng.uniform(0, double(slide.width)), rng.uniform(0, double(slide.height))});
      return out;
    };
    const Polygon hole = polygon();
    ignored.polygon(0, hole);
    labels.painter.polygon(AnnotationSink::ignored, hole);
    for (int c = 0; c < 3; ++c) labels.polygon(c, polygon());
    const Runs runs = random_runs(rng, slide.area(), slide.width);
    ignored.runs(0, runs, true);
    labels.painter.runs(AnnotationSink::ignored, runs, true);
    const Region region = random_window(rng, slide);
    cv::Mat mask(int(region.height), int(region.width), CV_8U, cv::Scalar(0));
    mask(cv::Rect(0, 0, (mask.cols + 1) / 2, mask.rows)) = 255;
    labels.painter.ignore(region, {mask.data, mask.cols, mask.rows, 1, Depth::u8, std::ptrdiff_t(mask.step[0])});
    ignored.mask(region, cv::Mat(mask & 1));
    ASSERT_TRUE(labels.painter.ignores());
    labels.labels.setTo(8, ignored.labels);
    for (const int factor : {1, 3}) {
      const Size reduced{slide.width / factor, slide.height / factor};
      expect_equal(labels, factor, {0, 0, reduced.width, reduced.height});
      expect_equal(labels, factor, random_window(rng, reduced));
    }
  }
}

TEST(LabelPainter, WhatIsIgnoredNeedsAPlaceInTheSlideAndABit) {
  LabelPainter painter({40, 30}, 32);
  const Polygon square{{{1, 1}, {9, 1}, {9, 9}, {1, 9}}};
  EXPECT_THAT(error_and_hint_of([&] { painter.polygon(AnnotationSink::ignored, square); }),
              HasSubstr("a bit beside those of 32 classes"));
  LabelPainter other({40, 30}, 8);
  EXPECT_FALSE(other.ignores());
  const Image pixels({20, 20}, 1);
  EXPECT_THAT(error_and_hint_of([&] {
                other.ignore({30, 0, 20, 20}, pixels.view());
              }),
              HasSubstr("a mask of ignored pixels covers 20 x 20 at (30, 0)"));
  other.ignore({0, 0, 20, 20}, pixels.view());
  EXPECT_FALSE(other.ignores()) << "no pixel of it is set";
  const Image map({20, 20}, 1, Depth::f32);
  EXPECT_THROW(other.probability(AnnotationSink::ignored, {0, 0, 20, 20}, map.view()), Error);
  other.polygon(AnnotationSink::ignored, square);
  EXPECT_TRUE(other.ignores());
  EXPECT_EQ(other.depth(), Depth::u16) << "nine bits";
}

}  // namespace
}  // namespace nephron::host
