#include <host/feed/execute.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/rng.hpp>

namespace nephron::host {
namespace {

constexpr std::int64_t side = 97;  // odd, so that a mirror is not symmetric about the crop

class Execute : public testing::Test {
 protected:
  Execute() : image_({side, side}, 3), labels_({side, side}, 1) {
    Rng rng(3, "execute");
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        for (int c = 0; c < 3; ++c)
          image_.view().row<std::uint8_t>(y)[3 * x + c] = static_cast<std::uint8_t>(
              128 + 60 * std::sin(0.21 * double(x) + c) + 50 * std::cos(0.17 * double(y) - c) + rng.uniform(-8, 8));
        labels_.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>((x / 9 + y / 13) % 4);
      }
  }

  /// Carries the plan out; the wanted region of the result.
  std::pair<cv::Mat, cv::Mat> run(const RecordedPlan& plan, const Region& wanted = {0, 0, side, side}) {
    Image image(wanted.size(), 3), labels(wanted.size(), 1);
    const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
      copy(image_.view().crop(r), to);
      copy(labels_.view().crop(r), planes[0]);
    };
    executor_.run(plan, wanted, source, image.view(), {labels.view()});
    return {as_mat(image.view()).clone(), as_mat(labels.view()).clone()};
  }
  cv::Mat image() const { return as_mat(image_.view()); }
  cv::Mat labels() const { return as_mat(labels_.view()); }
  static double worst(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

  Image image_, labels_;
  Executor executor_;
  RecordedPlan plan_{{side, side}};
};

TEST_F(Execute, AnEmptyPlanCopiesTheRegion) {
  const auto [image, labels] = run(plan_, {10, 20, 30, 40});
  EXPECT_EQ(worst(image, this->image()(cv::Rect(10, 20, 30, 40))), 0);
  EXPECT_EQ(worst(labels, this->labels()(cv::Rect(10, 20, 30, 40))), 0);
}

TEST_F(Execute, TwoEqualMirrorsAreNothing) {
  plan_.flip(true, false);
  plan_.flip(false, true);
  plan_.flip(true, true);
  EXPECT_TRUE(plan_.steps().empty());
}

TEST_F(Execute, AMirrorMovesImageAndLabels) {
  plan_.flip(true, false);
  const auto [image, labels] = run(plan_, {5, 6, 40, 50});
  cv::Mat whole, whole_labels;
  cv::flip(this->image(), whole, 1);
  cv::flip(this->labels(), whole_labels, 1);
  EXPECT_EQ(worst(image, whole(cv::Rect(5, 6, 40, 50))), 0);
  EXPECT_EQ(worst(labels, whole_labels(cv::Rect(5, 6, 40, 50))), 0);
}

TEST_F(Execute, AnAffineMapIsWarpAffine) {
  const Affine a =
      Affine::scaling(1.07, 1.07).then(Affine::rotation(33)).about({48, 48}).then(Affine::translation(5.3, -7.1));
  for (const Border border : {Border::reflect_101, Border::constant}) {
    RecordedPlan plan({side, side});
    plan.affine(a, border);
    const auto [image, labels] = run(plan);
    const int how = border == Border::constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
    cv::Mat expected, expected_labels;
    const cv::Matx23d m(a.m.data());
    cv::warpAffine(this->image(), expected, m, {side, side}, cv::INTER_LINEAR, how);
    cv::warpAffine(this->labels(), expected_labels, m, {side, side}, cv::INTER_NEAREST, how);
    EXPECT_EQ(worst(image, expected), 0);
    EXPECT_EQ(worst(labels, expected_labels), 0);
    // A part of the result differs only by where OpenCV rounds positions (1/32 px).
    const cv::Rect part(20, 21, 50, 41);
    const auto [image_part, labels_part] = run(plan, {20, 21, 50, 41});
    EXPECT_LE(worst(image_part, expected(part)), 4);
    EXPECT_LE(cv::countNonZero(labels_part != expected_labels(part)), 50 * 41 / 100);
  }
}

TEST_F(Execute, AMirrorIsJoinedWithTheAffineMapBesideIt) {
  const Affine a = Affine::rotation(20).about({48, 48});
  plan_.flip(true, false);
  plan_.affine(a, Border::reflect_101);
  plan_.flip(false, true);
  ASSERT_EQ(plan_.steps().size(), 1U);
  const auto [image, labels] = run(plan_);
  cv::Mat expected, step;
  cv::flip(this->image(), step, 1);
  cv::warpAffine(step, expected, cv::Matx23d(a.m.data()), {side, side}, cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
  cv::flip(expected, expected, 0);
  EXPECT_LE(worst(image, expected), 5);
}

TEST_F(Execute, ADisplacementIsRemap) {
  Image field({side, side}, 2, Depth::f32);
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x) {
      field.view().row<float>(y)[2 * x] = float(x) + 4 * std::sin(float(y) / 9);
      field.view().row<float>(y)[2 * x + 1] = float(y) + 3 * std::cos(float(x) / 7);
    }
  plan_.displacement(field, Border::constant);
  cv::Mat expected;
  cv::remap(this->image(), expected, as_mat(field.view()), cv::noArray(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
  EXPECT_EQ(worst(run(plan_, {30, 0, 60, 97}).first, expected(cv::Rect(30, 0, 60, 97))), 0);
}

TEST_F(Execute, FiltersOfAPartEqualThePartOfTheFiltered) {
  Image kernel({5, 3}, 1, Depth::f32);
  for (int i = 0; i < 15; ++i) kernel.view().row<float>(0)[i] = float(i) / 105;
  plan_.filter(kernel);
  plan_.filter({0.25F, 0.5F, 0.25F}, {0.1F, 0.2F, 0.4F, 0.2F, 0.1F});
  cv::Mat expected;
  cv::filter2D(this->image(), expected, -1, as_mat(kernel.view()), {-1, -1}, 0, cv::BORDER_REFLECT_101);
  cv::sepFilter2D(expected.clone(), expected, -1, std::vector<float>{0.25F, 0.5F, 0.25F},
                  std::vector<float>{0.1F, 0.2F, 0.4F, 0.2F, 0.1F}, {-1, -1}, 0, cv::BORDER_REFLECT_101);
  for (const Region& r :
       {Region{0, 0, side, side}, Region{0, 0, 10, 10}, Region{40, 41, 20, 30}, Region{90, 1, 7, 96}}) {
    const auto [image, labels] = run(plan_, r);
    const cv::Rect part(int(r.x), int(r.y), int(r.width), int(r.height));
    EXPECT_EQ(worst(image, expected(part)), 0) << r.x << "," << r.y;
    EXPECT_EQ(worst(labels, this->labels()(part)), 0);
  }
}

TEST_F(Execute, TablesAreJoinedAndColourMatricesApplied) {
  ColourTables up{}, half{};
  for (int c = 0; c < 3; ++c)
    for (int v = 0; v < 256; ++v) {
      up[std::size_t(c)][std::size_t(v)] = std::uint8_t(std::min(255, v + 10 * (c + 1)));
      half[std::size_t(c)][std::size_t(v)] = std::uint8_t(v / 2);
    }
  plan_.lookup(up);
  plan_.lookup(half);
  EXPECT_EQ(plan_.steps().size(), 1U);
  plan_.colour_matrix({0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 5});
  const auto [image, labels] = run(plan_);
  for (int y = 0; y < side; y += 7)
    for (int x = 0; x < side; x += 5) {
      const auto in = this->image().at<cv::Vec3b>(y, x);
      const auto through = [&](int c) { return half[std::size_t(c)][up[std::size_t(c)][in[c]]]; };
      EXPECT_EQ(image.at<cv::Vec3b>(y, x), cv::Vec3b(through(1), through(2), std::uint8_t(through(0) + 5)));
    }
  EXPECT_EQ(worst(labels, this->labels()), 0);
}

TEST_F(Execute, PixelsSeeThePictureAsItIsThen) {
  plan_.flip(false, true);
  plan_.pixels([](const ImageView& image, const ImageView& labels) {
    ASSERT_EQ(image.size(), (Size{side, side}));
    image.row<std::uint8_t>(0)[0] = 7;
    labels.row<std::uint8_t>(0)[0] = 9;
  });
  plan_.flip(true, false);
  const auto [image, labels] = run(plan_);
  EXPECT_EQ(image.at<cv::Vec3b>(0, side - 1)[0], 7);
  EXPECT_EQ(labels.at<std::uint8_t>(0, side - 1), 9);
  EXPECT_EQ(image.at<cv::Vec3b>(side - 1, side - 1), this->image().at<cv::Vec3b>(0, 0));
}

TEST_F(Execute, WhatCannotBeCarriedOutIsRefused) {
  EXPECT_THROW(plan_.affine({{1, 2, 0, 2, 4, 0}}, Border::constant), Error);
  EXPECT_THROW(plan_.displacement(Image({5, 5}, 2, Depth::f32), Border::constant), Error);
  EXPECT_THROW(plan_.filter(Image({4, 3}, 1, Depth::f32)), Error);
  EXPECT_THROW(plan_.filter({1, 1}, {1}), Error);
  EXPECT_THROW(plan_.pixels(nullptr), Error);
  EXPECT_TRUE(plan_.steps().empty());
}

}  // namespace
}  // namespace nephron::host
