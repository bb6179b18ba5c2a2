// All published hand annotations on slides of their sizes: every pixel as cv::fillPoly fills it. No slide is ever held
// whole, so each object is filled in a window of its own, moved by whole pixels, and kept as run lengths.
#include <algorithm>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/csv.hpp>

#include <host/labels/label_file.hpp>
#include <tests/support/shared_data.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

using Rings = std::vector<std::vector<cv::Point>>;

/// Vertices cut to whole pixels.
Rings rings_of(const Polygon& part) {
  Rings out;
  for (const auto& ring : part) {
    out.emplace_back();
    for (const Point& p : ring) out.back().emplace_back(static_cast<int>(p.x), static_cast<int>(p.y));
  }
  return out;
}

cv::Rect box_of(const Rings& rings) {
  cv::Rect out;
  for (const auto& ring : rings) out |= cv::boundingRect(ring);
  return out;
}

/// Runs down the columns of the slide, of what OpenCV fills.
Runs filled(Rings rings, Size slide) {
  const cv::Rect box = box_of(rings);
  for (auto& ring : rings)
    for (cv::Point& p : ring) p -= box.tl();
  cv::Mat mask = cv::Mat::zeros(box.size(), CV_8U);
  cv::fillPoly(mask, rings, cv::Scalar(1));
  Runs out;
  for (int x = 0; x < box.width; ++x) {
    const std::int64_t column = (x + box.x) * slide.height + box.y;
    for (int y = 0; y < box.height;) {
      const int start = y;
      const bool inside = mask.at<std::uint8_t>(y, x) != 0;
      while (y < box.height && (mask.at<std::uint8_t>(y, x) != 0) == inside) ++y;
      if (inside) out.push_back({column + start, y - start});
    }
  }
  return out;
}

/// Sizes of Kaggle's slides by id.
std::map<std::string, Size> published_sizes(const fs::path& data) {
  const CsvTable table = CsvTable::read(data / "hubmap-metadata" / "HuBMAP-20-dataset_information.csv");
  std::map<std::string, Size> out;
  for (std::size_t row = 0; row < table.rows(); ++row)
    out[fs::path(table.cell(row, table.column("image_file"))).stem()] = {
        static_cast<std::int64_t>(table.number(row, table.column("width_pixels")).value()),
        static_cast<std::int64_t>(table.number(row, table.column("height_pixels")).value())};
  out["c68fe75ea"].width = 49780;  // the published row has 19780
  return out;
}

/// One that holds all coordinates.
Size size_around(const std::vector<AnnotatedObject>& objects) {
  cv::Rect box(0, 0, 1, 1);
  for (const AnnotatedObject& object : objects)
    for (const Polygon& part : object.parts) box |= box_of(rings_of(part));
  return {box.br().x + 10, box.br().y + 10};
}

TEST(HandAnnotations, EveryPixelOfEverySlideIsAsOpenCvFillsIt) {
  const fs::path data = shared_data();
  if (data.empty()) GTEST_SKIP() << no_shared_data;
  const std::map<std::string, Size> sizes = published_sizes(data);
  std::map<std::string, int> features;
  int files = 0, of_known_size = 0;
  std::int64_t labelled = 0;
  for (const auto& entry : fs::directory_iterator(data / "hubmap-annotations")) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const AnnotatedObjects found = read_geojson(entry.path());
    const auto known = sizes.find(entry.path().stem());
    const Size slide = known != sizes.end() ? known->second : size_around(found.objects);
    ++files;
    of_known_size += known != sizes.end() ? 1 : 0;
    const LabelSet labels = read_labels(entry.path(), {slide, {"G", "FC", "none"}, "none", "", "auto"});
    std::vector<Runs> expected(3);
    for (const AnnotatedObject& object : labels.objects)
      for (const Polygon& part : object.parts) {
        const Rings rings = rings_of(part);
        ASSERT_EQ(box_of(rings) & cv::Rect(0, 0, static_cast<int>(slide.width), static_cast<int>(slide.height)),
                  box_of(rings))
            << "an object leaves the slide";
        Runs& mask = expected[static_cast<std::size_t>(labels.class_index(object.class_name))];
        mask = union_of(mask, filled(rings, slide));
      }
    const std::vector<Runs> masks = masks_of(labels);
    ASSERT_EQ(masks, expected);
    for (const Runs& mask : masks) labelled += area_of(mask);
    for (const AnnotatedObject& object : found.objects) ++features[object.class_name];
    for (const SkippedFeature& skipped : found.skipped) ++features[skipped.class_name];
  }
  EXPECT_EQ(files, 57);
  EXPECT_GE(of_known_size, 8);
  EXPECT_EQ(features, (std::map<std::string, int>{{"G", 758}, {"FC", 369}, {"", 2}}));
  EXPECT_GT(labelled, 10000000);
}

}  // namespace
}  // namespace nephron::host
