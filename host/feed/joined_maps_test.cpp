#include <algorithm>
#include <cmath>
#include <optional>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

#include <host/feed/execute.hpp>
#include <host/feed/warp_rows.hpp>

namespace nephron::host {
namespace {

constexpr Size picture{97, 83};

/// A smooth picture, so that a place that is off by a hundredth of a pixel shows by less than a grey level.
cv::Mat smooth_picture() {
  cv::Mat out(int(picture.height), int(picture.width), CV_8UC3);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x)
      for (int c = 0; c < 3; ++c)
        out.at<cv::Vec3b>(y, x)[c] =
            cv::saturate_cast<std::uint8_t>(128 + 60 * std::sin(0.11 * x + c) + 50 * std::cos(0.09 * y - c));
  return out;
}

/// Each pixel is another one.
cv::Mat numbered_labels() {
  cv::Mat out(int(picture.height), int(picture.width), CV_16UC1);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) out.at<std::uint16_t>(y, x) = std::uint16_t(1 + 97 * y + x);
  return out;
}

Image waves(int spacing, float most) {
  const Image grid(displacement_nodes(picture, spacing), 2, Depth::f32);
  for (std::int64_t y = 0; y < grid.size().height; ++y)
    for (std::int64_t x = 0; x < grid.size().width; ++x) {
      grid.view().row<float>(y)[2 * x] = most * std::sin(float(spacing * y) / 9);
      grid.view().row<float>(y)[2 * x + 1] = most * std::cos(float(spacing * x) / 7);
    }
  return grid;
}

double reflected(double p, double last) {
  p = std::fmod(std::abs(p), 2 * last);
  return p > last ? 2 * last - p : p;
}

/// Where a pixel of the result is read, by the words of Plan, in double: nothing where it is black.
std::optional<Point> place(const std::vector<Step>& steps, Point p) {
  for (std::size_t i = steps.size(); i-- > 0;) {
    bool reflect = true;
    if (const auto* flip = std::get_if<FlipStep>(&steps[i])) {
      p = mirror_of(*flip, picture)(p);
    } else if (const auto* affine = std::get_if<AffineStep>(&steps[i])) {
      p = affine->forward.inverse()(p);
      reflect = affine->border == Border::reflect_101;
    } else {
      const auto& step = std::get<DisplacementStep>(steps[i]);
      const auto nodes = step.grid.size();
      const double u = p.x / step.spacing, v = p.y / step.spacing;
      const auto cell = [](double at, std::int64_t n) { return std::clamp<std::int64_t>(std::int64_t(at), 0, n - 2); };
      const std::int64_t cx = cell(u, nodes.width), cy = cell(v, nodes.height);
      const double right = u - double(cx), below = v - double(cy);
      double moved[2];
      for (int c = 0; c < 2; ++c) {
        const auto node = [&](std::int64_t dx, std::int64_t dy) {
          return double(step.grid.view().row<float>(cy + dy)[2 * (cx + dx) + c]);
        };
        moved[c] = (node(0, 0) * (1 - right) + node(1, 0) * right) * (1 - below) +
                   (node(0, 1) * (1 - right) + node(1, 1) * right) * below;
      }
      p = {p.x + moved[0], p.y + moved[1]};
      reflect = step.border == Border::reflect_101;
    }
    const double last_x = double(picture.width - 1), last_y = double(picture.height - 1);
    if (reflect) {
      p = {reflected(p.x, last_x), reflected(p.y, last_y)};
      continue;
    }
    if (p.x < -0.5 || p.x > last_x + 0.5 || p.y < -0.5 || p.y > last_y + 0.5) return std::nullopt;
    p = {std::clamp(p.x, 0.0, last_x), std::clamp(p.y, 0.0, last_y)};
  }
  return p;
}

class Joined : public testing::Test {
 protected:
  std::pair<cv::Mat, cv::Mat> run(const RecordedPlan& plan, Geometry geometry, const Region& wanted) {
    const Image image(wanted.size(), 3), labels(wanted.size(), 1, Depth::u16);
    make_cpu_executor(geometry)->run(plan, wanted,
                                     [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
                                       asked_ = r;
                                       const cv::Rect part(int(r.x), int(r.y), int(r.width), int(r.height));
                                       image_(part).copyTo(as_mat(to));
                                       labels_(part).copyTo(as_mat(planes[0]));
                                     },
                                     image.view(), {labels.view()});
    return {as_mat(image.view()).clone(), as_mat(labels.view()).clone()};
  }

  /// The whole result and parts of it, against `place`. Where the picture itself is left, its edge is blended with what
  /// lies behind: nothing is said of that row of pixels.
  void expect_as_told(const RecordedPlan& plan) {
    const Region whole{0, 0, picture.width, picture.height};
    const auto [image, labels] = run(plan, Geometry::joined, whole);
    const double last_x = double(picture.width - 1), last_y = double(picture.height - 1);
    int looked_at = 0, black = 0;
    for (int y = 0; y < image.rows; ++y)
      for (int x = 0; x < image.cols; ++x) {
        const std::optional<Point> p = place(plan.steps(), {double(x), double(y)});
        if (!p) {
          ASSERT_EQ(labels.at<std::uint16_t>(y, x), 0) << x << ", " << y;
          black += image.at<cv::Vec3b>(y, x) == cv::Vec3b(0, 0, 0) ? 1 : 0;
          continue;
        }
        const int column = std::clamp(int(std::lrint(p->x)), 0, int(picture.width) - 1),
                  row = std::clamp(int(std::lrint(p->y)), 0, int(picture.height) - 1);
        const auto near_half = [](double v) { return std::abs(v - std::floor(v) - 0.5) < 0.01; };
        if (!near_half(p->x) && !near_half(p->y)) {
          ASSERT_EQ(labels.at<std::uint16_t>(y, x), labels_.at<std::uint16_t>(row, column)) << x << ", " << y;
          ++looked_at;
        }
        if (p->x < 1 || p->y < 1 || p->x > last_x - 1 || p->y > last_y - 1) continue;
        cv::Mat expected;
        cv::getRectSubPix(as_float_, {1, 1}, cv::Point2f(float(p->x), float(p->y)), expected);
        for (int c = 0; c < 3; ++c)
          ASSERT_NEAR(image.at<cv::Vec3b>(y, x)[c], expected.at<cv::Vec3f>(0)[c], 1) << x << ", " << y;
      }
    EXPECT_GT(looked_at + black, 7000);
    for (const Region& part : {Region{20, 31, 40, 23}, Region{0, 60, 97, 23}, Region{90, 0, 7, 1}}) {
      const auto [image_part, labels_part] = run(plan, Geometry::joined, part);
      const cv::Rect r(int(part.x), int(part.y), int(part.width), int(part.height));
      EXPECT_EQ(cv::norm(image_part, image(r), cv::NORM_INF), 0);
      EXPECT_EQ(cv::norm(labels_part, labels(r), cv::NORM_INF), 0);
    }
  }

  cv::Mat image_ = smooth_picture(), labels_ = numbered_labels(), as_float_ = [this] {
    cv::Mat out;
    image_.convertTo(out, CV_32F);
    return out;
  }();
  Region asked_;
  RecordedPlan plan_{picture};
};

const Affine turn =
    Affine::scaling(1.07, 0.95).then(Affine::rotation(33)).about({48, 41}).then(Affine::translation(5.3, -7.1));

TEST_F(Joined, TwoMapsWithTheEdgeBetweenThem) {
  for (const Border first : {Border::reflect_101, Border::constant})
    for (const Border second : {Border::reflect_101, Border::constant}) {
      RecordedPlan plan(picture);
      plan.affine(turn, first);
      plan.affine(Affine::rotation(-71).about({40, 50}), second);
      expect_as_told(plan);
    }
}

TEST_F(Joined, AGridBehindAMapAndBeforeOne) {
  for (const int spacing : {1, 7, 32}) {
    plan_ = RecordedPlan(picture);
    plan_.affine(turn, Border::reflect_101);
    plan_.displacement(waves(spacing, 9), spacing, Border::constant);
    plan_.flip(true, false);
    plan_.displacement(waves(spacing, 5), spacing, Border::reflect_101);
    plan_.affine(Affine::translation(-3.25, 4.5), Border::reflect_101);
    expect_as_told(plan_);
  }
}

TEST_F(Joined, MapsFarBeyondTheEdges) {
  plan_.affine(Affine::scaling(0.2, 0.3).about({10, 70}), Border::reflect_101);
  plan_.affine(Affine::translation(400, -900), Border::reflect_101);
  expect_as_told(plan_);
  RecordedPlan dark(picture);
  dark.affine(turn, Border::reflect_101);
  dark.affine(Affine::translation(400, -900), Border::constant);
  const auto [image, labels] = run(dark, Geometry::joined, {0, 0, picture.width, picture.height});
  EXPECT_EQ(cv::norm(image, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(labels, cv::NORM_INF), 0);
}

TEST_F(Joined, MapsBeyondAllNumbersEndInThePicture) {
  plan_.affine(Affine::scaling(1e-6, 1e-6), Border::reflect_101);
  plan_.affine(Affine::scaling(1e-6, 1e-6), Border::reflect_101);
  plan_.displacement(waves(8, 9e5F), 8, Border::reflect_101);
  const auto [image, labels] = run(plan_, Geometry::joined, {0, 0, picture.width, picture.height});
  EXPECT_EQ(cv::countNonZero(labels == 0), 0);  // whichever pixels they are
}

TEST_F(Joined, OneStepIsWhatItIsByItself) {
  for (int i = 0; i < 3; ++i) {
    RecordedPlan plan(picture);
    if (i == 0) plan.flip(true, true);
    if (i == 1) plan.affine(turn, Border::constant);
    if (i == 2) plan.displacement(waves(8, 9), 8, Border::reflect_101);
    const Region wanted{11, 5, 60, 70};
    const auto [image, labels] = run(plan, Geometry::joined, wanted);
    const auto [plain, plain_labels] = run(plan, Geometry::one_by_one, wanted);
    EXPECT_EQ(cv::norm(image, plain, cv::NORM_INF), 0);
    EXPECT_EQ(cv::norm(labels, plain_labels, cv::NORM_INF), 0);
  }
}

TEST_F(Joined, OnlyWhatIsReadIsAskedFor) {
  plan_.affine(Affine::translation(20, 10), Border::reflect_101);
  plan_.displacement(waves(8, 2), 8, Border::reflect_101);
  run(plan_, Geometry::joined, {50, 40, 10, 12});
  EXPECT_GE(asked_.x, 22);
  EXPECT_LE(asked_.x + asked_.width, 47);
  EXPECT_GE(asked_.y, 22);
  EXPECT_LE(asked_.y + asked_.height, 50);
}

TEST(WarpRows, AreTheirBodies) {
  Rng rng(5, "warp rows");
  constexpr std::int32_t width = 61, height = 47, n = 1003;
  std::vector<std::uint8_t> bytes(3 * width * height + 16), row(3 * n + 8), expected(3 * n);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(rng.bits());
  PlaceRow places;
  places.resize(n);
  // Mostly inside, at the edges and beyond.
  for (std::size_t i = 0; i < n; ++i) {
    const double beyond = i % 50 < 3 ? 40 : 0;
    places.x[i] = static_cast<std::int32_t>(32 * rng.uniform(-beyond, width - 1 + beyond));
    places.y[i] = static_cast<std::int32_t>(32 * rng.uniform(-beyond, height - 1 + beyond));
  }
  for (const bool reflect : {true, false})
    for (const std::int32_t corner : {0, 9}) {
      // From a part of a larger picture.
      const HeldPixels from{bytes.data(), 3 * width, corner, corner, width + corner, height + corner};
      PlaceRow shifted = places;
      for (std::size_t i = 0; i < n; ++i) {
        const auto inside = [&](std::int32_t v, std::int32_t extent) {
          return corner == 0 ? v : std::clamp(v + 32 * corner, 32 * corner, 32 * (extent - 2));
        };
        shifted.x[i] = inside(places.x[i], width + corner), shifted.y[i] = inside(places.y[i], height + corner);
      }
      std::fill(row.begin(), row.end(), std::uint8_t{77});
      read_linear_row(from, reflect, shifted, row.data());
      const LinearPixel body{from, reflect};
      for (std::size_t i = 0; i < n; ++i) body({shifted.x[i], shifted.y[i]}, expected.data() + 3 * i);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), row.begin()));
      EXPECT_TRUE(std::all_of(row.begin() + 3 * n, row.end(), [](std::uint8_t b) { return b == 77; }));
    }
}

}  // namespace
}  // namespace nephron::host
