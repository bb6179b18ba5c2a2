// Objects against OpenCV's components, and holes against a flood of the background.
#include <host/objects/object_finder.hpp>

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

struct Slide {
  Image mask, probability;
};

Slide random_slide(Rng& rng, Size size, double share) {
  Slide out{Image(size, 1), Image(size, 1, Depth::f32)};
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x) {
      out.mask.view().row<std::uint8_t>(y)[x] = rng.uniform() < share ? std::uint8_t(rng.integer(1, 255)) : 0;
      out.probability.view().row<float>(y)[x] = float(rng.uniform());
    }
  return out;
}

/// Ellipses and rings that overlap, with specks between them: bays, bridges, islands.
Slide drawn_slide(Rng& rng, Size size) {
  Slide out = random_slide(rng, size, 0.02);
  cv::Mat mask = as_mat(out.mask.view());
  const int across = int(size.width), down = int(size.height);
  for (int i = 0; i < 25; ++i)
    cv::ellipse(mask, {int(rng.integer(0, across)), int(rng.integer(0, down))},
                {int(rng.integer(1, across / 4)), int(rng.integer(1, down / 4))}, rng.uniform() * 180, 0,
                rng.uniform() < 0.7 ? 360 : 300, cv::Scalar(1), rng.uniform() < 0.3 ? cv::FILLED : 1);
  return out;
}

std::vector<FoundObject> found_by_bands(const Slide& slide, std::int64_t height, ObjectOptions options = {}) {
  ObjectFinder finder(options);
  const Size size = slide.mask.size();
  for (std::int64_t y = 0; y < size.height; y += height) {
    const Region band{0, y, size.width, std::min(height, size.height - y)};
    finder.rows(y, slide.mask.view().crop(band), slide.probability.view().crop(band));
  }
  return finder.finish();
}

cv::Mat drawn(const FoundObject& object, cv::Size size) {
  cv::Mat out = cv::Mat::zeros(size, CV_8U);
  for (const RowRun& run : object.runs) out.row(run.y).colRange(run.first, run.end).setTo(1);
  return out;
}

// Every part that OpenCV finds in a mask, in the order of their first pixels.
void expect_components(const cv::Mat& mask, const cv::Mat& seen, const Slide& slide,
                       const std::vector<FoundObject>& objects, std::int64_t least_area) {
  cv::Mat labels, stats, centroids;
  const int n = cv::connectedComponentsWithStats(mask, labels, stats, centroids, 8);
  std::size_t next = 0;
  // OpenCV numbers its parts by blocks of two rows; ours begin where their first pixel is.
  std::vector<int> order;
  for (int y = 0; y < labels.rows; ++y)
    for (int x = 0; x < labels.cols; ++x)
      if (const int l = labels.at<int>(y, x); l > 0 && std::find(order.begin(), order.end(), l) == order.end())
        order.push_back(l);
  ASSERT_EQ(order.size() + 1, std::size_t(n));
  for (const int label : order) {
    const auto stat = [&](int i) { return stats.at<int>(label, i); };
    if (stat(cv::CC_STAT_AREA) < least_area) continue;
    ASSERT_LT(next, objects.size());
    const FoundObject& o = objects[next++];
    EXPECT_EQ(o.area, stat(cv::CC_STAT_AREA));
    EXPECT_EQ(o.box, (Region{stat(cv::CC_STAT_LEFT), stat(cv::CC_STAT_TOP), stat(cv::CC_STAT_WIDTH),
                             stat(cv::CC_STAT_HEIGHT)}));
    EXPECT_NEAR(o.centroid.x, centroids.at<double>(label, 0), 1e-6);
    EXPECT_NEAR(o.centroid.y, centroids.at<double>(label, 1), 1e-6);
    const cv::Mat part = labels == label;
    ASSERT_EQ(cv::norm(drawn(o, mask.size()) * 255, part, cv::NORM_INF), 0);
    double most = 0;
    const cv::Mat own = part & (seen != 0), probability = as_mat(slide.probability.view());
    cv::minMaxLoc(probability, nullptr, &most, nullptr, nullptr, own);
    EXPECT_EQ(o.confidence, most);
    EXPECT_NEAR(o.mean_probability, cv::mean(probability, own)[0], 1e-6) << "float sums of sixteen lanes a run";
  }
  EXPECT_EQ(next, objects.size());
}

void expect_same(const std::vector<FoundObject>& a, const std::vector<FoundObject>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].runs, b[i].runs);
    EXPECT_EQ(a[i].confidence, b[i].confidence);
    EXPECT_EQ(a[i].mean_probability, b[i].mean_probability);
  }
}

TEST(ObjectFinder, FindsWhatOpenCvFinds) {
  Rng rng(1, "objects");
  for (int round = 0; round < 60; ++round) {
    const Size size{rng.integer(1, 140), rng.integer(1, 90)};
    const Slide slide =
        round % 2 == 0 ? random_slide(rng, size, rng.uniform()) : drawn_slide(rng, {size.width + 8, size.height + 8});
    const ObjectOptions options{.least_area = rng.integer(1, 6)};
    const std::vector<FoundObject> whole = found_by_bands(slide, 64, options);
    const cv::Mat mask = as_mat(slide.mask.view()) != 0;
    ASSERT_NO_FATAL_FAILURE(expect_components(mask, mask, slide, whole, options.least_area)) << round;
    expect_same(whole, found_by_bands(slide, 1, options));
    expect_same(whole, found_by_bands(slide, 7, options));
  }
}

/// The mask with its holes (4-connected parts of the background off the border) of at most `most` pixels filled.
cv::Mat without_holes(const cv::Mat& mask) {
  cv::Mat labels, out = mask.clone();
  const int n = cv::connectedComponents(mask == 0, labels, 4);
  for (int l = 1; l < n; ++l) {
    const cv::Mat part = labels == l;
    cv::Mat inner = part.clone();
    if (inner.rows > 2 && inner.cols > 2) inner(cv::Rect(1, 1, inner.cols - 2, inner.rows - 2)).setTo(0);
    if (cv::countNonZero(inner) == 0) out.setTo(255, part);
  }
  return out;
}

TEST(ObjectFinder, FillsHolesWithWhatLiesInThem) {
  Rng rng(2, "holes");
  for (int round = 0; round < 60; ++round) {
    const Size size{rng.integer(9, 140), rng.integer(9, 90)};
    const Slide slide = round % 3 == 0 ? random_slide(rng, size, rng.uniform()) : drawn_slide(rng, size);
    const ObjectOptions options{.least_area = rng.integer(1, 6), .fill_holes = ObjectOptions::every_hole};
    const std::vector<FoundObject> whole = found_by_bands(slide, 64, options);
    const cv::Mat mask = as_mat(slide.mask.view()) != 0;
    ASSERT_NO_FATAL_FAILURE(expect_components(without_holes(mask), mask, slide, whole, options.least_area)) << round;
    expect_same(whole, found_by_bands(slide, 1, options));
  }
}

std::vector<FoundObject> found_in(const std::vector<std::string>& rows, ObjectOptions options = {}) {
  Image mask({std::int64_t(rows[0].size()), std::int64_t(rows.size())}, 1);
  for (std::size_t y = 0; y < rows.size(); ++y)
    for (std::size_t x = 0; x < rows[y].size(); ++x)
      mask.view().row<std::uint8_t>(std::int64_t(y))[x] = rows[y][x] == '#' ? 1 : 0;
  ObjectFinder finder(options);
  finder.rows(0, mask.view());
  return finder.finish();
}

TEST(ObjectFinder, CornersJoin) {
  EXPECT_EQ(found_in({"#..#", ".##."}).size(), 1U);
  EXPECT_EQ(found_in({"##..", "...#"}).size(), 2U);
  EXPECT_EQ(found_in({"#.#.#.#", "#.#.#.#", ".#.#.#."}).size(), 1U) << "four arms that meet late";
  EXPECT_EQ(found_in({"#####", "....#", "###.#", "#...#", "#####"}).size(), 1U) << "a spiral";
}

TEST(ObjectFinder, HolesAreLimited) {
  const std::vector<std::string> rows{"#######", "#.#...#", "###.#.#", "#.#...#", "#.#####", "......."};
  EXPECT_EQ(found_in(rows).size(), 2U);
  EXPECT_EQ(found_in(rows)[0].area, 23);
  EXPECT_EQ(found_in(rows, {.fill_holes = 1}).at(0).area, 24);
  EXPECT_EQ(found_in(rows, {.fill_holes = 8}).size(), 2U) << "the island is counted";
  const auto filled = found_in(rows, {.fill_holes = 9});
  ASSERT_EQ(filled.size(), 1U);
  EXPECT_EQ(filled[0].area, 33) << "the bay on the left stays";
  EXPECT_EQ(found_in({"##", ".#", "##"}, {.fill_holes = 9})[0].area, 5) << "the border opens it";
}

TEST(ObjectFinder, SaysWhereTheCentreIs) {
  const FoundObject object = found_in({"....", ".###", ".#.."})[0];
  EXPECT_EQ(object.centre().x, 2);
  EXPECT_EQ(object.centre().y, 2);
  EXPECT_FALSE(object.contains(2, 2));
  EXPECT_TRUE(object.contains(1, 2));
  EXPECT_EQ(object.confidence, 1) << "no probabilities";
}

TEST(ObjectFinder, RowsLeftOutAreEmpty) {
  Image row({5, 1}, 1);
  row.view().row<std::uint8_t>(0)[2] = 1;
  ObjectFinder finder;
  for (const std::int64_t y : {0, 1, 3, 7}) finder.rows(y, row.view());
  const auto objects = finder.finish();
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0].area, 2);
  EXPECT_EQ(objects[2].box, (Region{2, 7, 1, 1}));
  EXPECT_TRUE(finder.finish().empty()) << "as new";
}

TEST(ObjectFinder, TakesTheBitsOfAClass) {
  Image labels({6, 1}, 1, Depth::u16);
  for (std::int64_t x = 0; x < 6; ++x) labels.view().row<std::uint16_t>(0)[x] = x < 4 ? 0x100 : 0x1;
  ObjectFinder finder({.bits = 0x100});
  finder.rows(0, labels.view());
  EXPECT_EQ(finder.finish().at(0).area, 4);
}

TEST(ObjectFinder, RefusesRowsThatDoNotFit) {
  ObjectFinder finder;
  finder.rows(4, Image({5, 2}, 1).view());
  EXPECT_NE(error_of([&] { finder.rows(5, Image({5, 1}, 1).view()); }).find("rising order"), std::string::npos);
  EXPECT_NE(error_of([&] { finder.rows(6, Image({6, 1}, 1).view()); }).find("6 px"), std::string::npos);
  EXPECT_NE(error_of([&] { finder.rows(6, Image({5, 1}, 3).view()); }).find("one channel"), std::string::npos);
  EXPECT_NE(error_of([&] {
              finder.rows(6, Image({5, 1}, 1).view(), Image({5, 1}, 1).view());
            }).find("floats"),
            std::string::npos);
}

// A large object stays open over thousands of specks; those in its hole are swallowed all the same.
TEST(ObjectFinder, KeepsSpecksThatMayBeSwallowed) {
  constexpr std::int64_t side = 401;
  Slide slide{Image({side, side}, 1), Image({side, side}, 1, Depth::f32)};
  const auto set = [&](std::int64_t x, std::int64_t y, float p) {
    slide.mask.view().row<std::uint8_t>(y)[x] = 1, slide.probability.view().row<float>(y)[x] = p;
  };
  for (std::int64_t i = 100; i <= 300; ++i) set(i, 100, 0.5F), set(i, 300, 0.5F), set(100, i, 0.5F), set(300, i, 0.5F);
  for (std::int64_t y = 1; y < side; y += 2)
    for (std::int64_t x = 1; x < side; x += 2)
      if (x < 98 || x > 302 || y > 302 || (x > 101 && x < 299 && y > 101 && y < 299))
        set(x, y, x == 201 && y == 103 ? 0.9F : 0.6F);
  const auto objects = found_by_bands(slide, 16, {.least_area = 2, .fill_holes = ObjectOptions::every_hole});
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].area, 201 * 201);
  EXPECT_EQ(objects[0].confidence, 0.9F);
}

}  // namespace
}  // namespace nephron::host
