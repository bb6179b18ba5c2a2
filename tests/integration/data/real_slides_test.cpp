// Scanned slides with annotations drawn for them: what the store holds is what OpenCV makes of the whole slide.
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/feed/preview.hpp>
#include <host/slides/opener.hpp>
#include <tests/support/shared_data.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json ring(double x, double y, double radius, int corners, bool closed = true) {
  json out = json::array();
  for (int i = 0; i < corners + (closed ? 1 : 0); ++i) {
    const double angle = 2 * std::numbers::pi * (i % corners) / corners, reach = radius * (i % 2 == 0 ? 1 : 0.8);
    out.push_back({x + reach * std::cos(angle), y + reach * std::sin(angle)});
  }
  return out;
}

json feature(const char* type, json coordinates, const char* name) {
  json out{{"type", "Feature"},
           {"geometry", {{"type", type}, {"coordinates", std::move(coordinates)}}},
           {"properties", {{"objectType", "annotation"}}}};
  if (*name != '\0') out["properties"]["classification"] = {{"name", name}};
  return out;
}

/// Stars with fractional corners: one with a hole, one of two parts, one unclosed, one without a class, a line; and a
/// rectangle that leaves the slide.
json drawn_for(Size size) {
  const auto w = static_cast<double>(size.width), h = static_cast<double>(size.height);
  return {feature("Polygon", {ring(0.3 * w, 0.3 * h, 150, 40), ring(0.3 * w, 0.3 * h, 50, 12)}, "G"),
          feature("MultiPolygon", {{ring(0.6 * w, 0.3 * h, 90, 30)}, {ring(0.8 * w, 0.35 * h, 110, 26)}}, "G"),
          feature("Polygon", {ring(0.4 * w, 0.7 * h, 120, 50, false)}, "FC"),
          feature("Polygon", {ring(0.34 * w, 0.33 * h, 100, 24)}, "FC"),
          feature("Polygon", {ring(0.75 * w, 0.75 * h, 130, 32)}, ""),
          feature("LineString", {{1, 1}, {50, 60}}, "G"),
          feature("Polygon", {{{w - 100, h - 200}, {w + 300, h - 200}, {w + 300, h - 90}, {w - 100, h - 90}}}, "G")};
}

/// Each part alone, holes by the even-odd rule, on vertices cut to whole pixels.
cv::Mat filled(const json& features, Size size) {
  cv::Mat out = cv::Mat::zeros(static_cast<int>(size.height), static_cast<int>(size.width), CV_8U);
  for (const json& one : features) {
    const json& coordinates = one["geometry"]["coordinates"];
    if (one["geometry"]["type"] == "LineString") continue;
    const bool diseased =
        one["properties"].contains("classification") && one["properties"]["classification"]["name"] == "FC";
    for (const json& part : one["geometry"]["type"] == "Polygon" ? json::array({coordinates}) : coordinates) {
      std::vector<std::vector<cv::Point>> rings;
      for (const json& r : part) {
        rings.emplace_back();
        for (const json& p : r)
          rings.back().emplace_back(static_cast<int>(p[0].get<double>()), static_cast<int>(p[1].get<double>()));
      }
      cv::Mat mask = cv::Mat::zeros(out.size(), CV_8U);
      cv::fillPoly(mask, rings, cv::Scalar(diseased ? 2 : 1));
      out |= mask;
    }
  }
  return out;
}

class RealSlides : public testing::Test {
 protected:
  RealSlides() : folder_(fs::temp_directory_path() / ("nephron_real_" + std::to_string(getpid()))) {
    fs::create_directories(folder_ / "data/annotations");
  }
  ~RealSlides() override { fs::remove_all(folder_); }

  /// In the layout of "Dataset A". Returns the features by slide.
  std::map<std::string, json> lay_out(const fs::path& slides) {
    std::map<std::string, json> out;
    for (const auto& [from, id] : {std::pair{"cmu-1-small-region", "SAS_1"}, {"tcga-cr-7395-01a-01-ts1", "VUHSK_2"}}) {
      const fs::path file = folder_ / "data" / (std::string(id) + ".svs");
      fs::copy_file(slides / (std::string(from) + ".svs"), file);
      out[id] = drawn_for(opener_.open(file)->size());
      std::ofstream(folder_ / "data/annotations" / (std::string(id) + ".json")) << out[id];
    }
    return out;
  }
  Experiment experiment() const {
    Experiment e = synthetic_experiment();
    e.classes = {"healthy", "unhealthy"};
    e.data.store = folder_ / "store";
    e.data.factors = {1, 2, 4};
    e.data.tile = 128;
    e.datasets[0].component = {"mendeley", table({{"root", (folder_ / "data").string()}}), {}};
    return e;
  }

  fs::path folder_;
  Registry registry_ = plugins();
  ReaderOpener opener_{registry_};
};

TEST_F(RealSlides, ArePreparedAsOpenCvReducesThemWhole) {
  const fs::path slides = shared_data() / "slides";
  if (!fs::is_directory(slides)) GTEST_SKIP() << no_shared_data;
  const std::map<std::string, json> features = lay_out(slides);
  Experiment e = experiment();
  for (const int factor : {1, 2, 4}) {
    e.data.factor = factor;
    const PreparedData data = prepare(e, registry_);
    EXPECT_THAT(data.problems, testing::IsEmpty());
    ASSERT_EQ(data.slides.size(), 2U);
    for (const auto& slide : data.slides) {
      SCOPED_TRACE(slide->info().id + " by " + std::to_string(factor));
      const auto file = opener_.open(slide->info().source);
      const Size full = file->size();
      const Image whole(full, 3), image(slide->size(), 3), labels(slide->size(), 1);
      file->read({0, 0, full.width, full.height}, whole.view());
      slide->read({0, 0, slide->size().width, slide->size().height}, image.view(), labels.view());
      const cv::Size small(static_cast<int>(full.width) / factor, static_cast<int>(full.height) / factor);
      ASSERT_EQ(slide->size(), (Size{small.width, small.height}));
      cv::Mat expected, expected_labels;
      cv::resize(as_mat(whole.view()), expected, small, 0, 0, cv::INTER_AREA);
      cv::resize(filled(features.at(slide->info().id), full), expected_labels, small, 0, 0, cv::INTER_NEAREST);
      EXPECT_EQ(cv::norm(as_mat(image.view()), expected, cv::NORM_INF), 0);
      EXPECT_EQ(cv::norm(as_mat(labels.view()), expected_labels, cv::NORM_INF), 0);
      EXPECT_EQ(slide->catalog().foreground, (std::vector<std::int64_t>{cv::countNonZero(expected_labels & 1),
                                                                        cv::countNonZero(expected_labels & 2)}));
      EXPECT_GT(slide->catalog().tissue, small.area() / 10);
    }
  }
}

TEST_F(RealSlides, AreShownWithTheirAnnotations) {
  const fs::path slides = shared_data() / "slides";
  if (!fs::is_directory(slides)) GTEST_SKIP() << no_shared_data;
  lay_out(slides);
  const Experiment e = experiment();
  const PreparedData data = prepare(e, registry_);
  FeedOptions options;
  options.slides = all_slides(data);
  const Feed feed(e, registry_, data, options);
  const Image sheet = draw_preview(feed, e, 0, 16);
  cv::Mat outlined;
  cv::inRange(as_mat(sheet.view()), cv::Scalar(230, 20, 20), cv::Scalar(230, 20, 20), outlined);
  EXPECT_EQ(sheet.size(), (Size{4 * 132 - 4, 4 * (128 + preview_caption)}));
  EXPECT_GT(cv::countNonZero(outlined), 1000);
}

}  // namespace
}  // namespace nephron::host
