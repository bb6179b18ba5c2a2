#include <host/feed/execute.hpp>

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>
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
    executor_->run(plan, wanted, source, image.view(), {labels.view()});
    return {as_mat(image.view()).clone(), as_mat(labels.view()).clone()};
  }
  cv::Mat image() const { return as_mat(image_.view()); }
  cv::Mat labels() const { return as_mat(labels_.view()); }
  static double worst(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

  Image image_, labels_;
  std::unique_ptr<Executor> executor_ = make_cpu_executor();
  RecordedPlan plan_{{side, side}};
};

/// A grid of a smooth displacement of up to `most` px.
Image waves(Size picture, int spacing, float most) {
  Image grid(displacement_nodes(picture, spacing), 2, Depth::f32);
  for (std::int64_t y = 0; y < grid.size().height; ++y)
    for (std::int64_t x = 0; x < grid.size().width; ++x) {
      grid.view().row<float>(y)[2 * x] = most * std::sin(float(spacing * y) / 9);
      grid.view().row<float>(y)[2 * x + 1] = most * std::cos(float(spacing * x) / 7);
    }
  return grid;
}

/// The position that each pixel reads, by the words of Plan::displacement().
cv::Mat positions(const Image& grid, int spacing, cv::Size picture) {
  cv::Mat out(picture, CV_32FC2);
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      const int i = std::min<int>(x / spacing, int(grid.size().width) - 2),
                j = std::min<int>(y / spacing, int(grid.size().height) - 2);
      const float u = float(x - i * spacing) / float(spacing), v = float(y - j * spacing) / float(spacing);
      for (int c = 0; c < 2; ++c) {
        const auto node = [&](int dx, int dy) { return grid.view().row<float>(j + dy)[2 * (i + dx) + c]; };
        const float left = node(0, 0) + (node(0, 1) - node(0, 0)) * v,
                    right = node(1, 0) + (node(1, 1) - node(1, 0)) * v;
        out.at<cv::Vec2f>(y, x)[c] = float(c == 0 ? x : y) + (left + (right - left) * u);
      }
    }
  return out;
}

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
    const cv::Rect part(20, 21, 50, 41);
    const auto [image_part, labels_part] = run(plan, {20, 21, 50, 41});
    EXPECT_EQ(worst(image_part, expected(part)), 0);
    EXPECT_EQ(worst(labels_part, expected_labels(part)), 0);
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

TEST_F(Execute, MapsThatReachFarBeyondTheEdgesAreWarpAffine) {
  for (const double scale : {0.03, 0.4, 30.0})
    for (const Border border : {Border::reflect_101, Border::constant}) {
      const Affine a = Affine::scaling(scale, 1.3 * scale).then(Affine::rotation(-71)).about({80, 3});
      RecordedPlan plan({side, side});
      plan.affine(a, border);
      const auto [image, labels] = run(plan);
      const int how = border == Border::constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
      cv::Mat expected, expected_labels;
      cv::warpAffine(this->image(), expected, cv::Matx23d(a.m.data()), {side, side}, cv::INTER_LINEAR, how);
      cv::warpAffine(this->labels(), expected_labels, cv::Matx23d(a.m.data()), {side, side}, cv::INTER_NEAREST, how);
      EXPECT_EQ(worst(image, expected), 0) << scale;
      EXPECT_EQ(worst(labels, expected_labels), 0) << scale;
    }
}

TEST_F(Execute, ADisplacementIsRemapOfTheInterpolatedGrid) {
  for (const int spacing : {1, 7, 16, 300})
    for (const Border border : {Border::reflect_101, Border::constant}) {
      const Image grid = waves({side, side}, spacing, 9);
      RecordedPlan plan({side, side});
      plan.displacement(grid, spacing, border);
      const cv::Mat map = positions(grid, spacing, {side, side});
      const int how = border == Border::constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
      cv::Mat expected, expected_labels;
      cv::remap(this->image(), expected, map, cv::noArray(), cv::INTER_LINEAR, how);
      cv::remap(this->labels(), expected_labels, map, cv::noArray(), cv::INTER_NEAREST, how);
      for (const Region& r : {Region{0, 0, side, side}, Region{30, 0, 60, 97}, Region{3, 60, 1, 9}}) {
        const cv::Rect part(int(r.x), int(r.y), int(r.width), int(r.height));
        const auto [image, labels] = run(plan, r);
        EXPECT_EQ(worst(image, expected(part)), 0) << spacing << " " << r.x;
        EXPECT_EQ(worst(labels, expected_labels(part)), 0) << spacing << " " << r.x;
      }
    }
}

TEST_F(Execute, ADisplacementReadsNoMoreThanItsVectorsReach) {
  plan_.displacement(waves({side, side}, 8, 3), 8, Border::reflect_101);
  EXPECT_EQ(region_read(plan_.steps()[0], {40, 2, 10, 10}, {side, side}), (Region{35, 0, 20, 17}));
  const Image nothing(displacement_nodes({side, side}, 8), 2, Depth::f32);
  RecordedPlan still({side, side});
  still.displacement(nothing, 8, Border::constant);
  EXPECT_TRUE(still.steps().empty());
  EXPECT_EQ(still.told(), 1U);
}

TEST_F(Execute, VectorsLongerThanThePictureAreMirroredAgainAndAgain) {
  Image grid(displacement_nodes({side, side}, 50), 2, Depth::f32);
  for (std::int64_t y = 0; y < grid.size().height; ++y)
    for (std::int64_t x = 0; x < grid.size().width; ++x)
      grid.view().row<float>(y)[2 * x] = 2 * (side - 1), grid.view().row<float>(y)[2 * x + 1] = -4 * (side - 1);
  plan_.displacement(grid, 50, Border::reflect_101);
  const auto [image, labels] = run(plan_, {60, 1, 30, 90});
  EXPECT_EQ(worst(image, this->image()(cv::Rect(60, 1, 30, 90))), 0);
  EXPECT_EQ(worst(labels, this->labels()(cv::Rect(60, 1, 30, 90))), 0);
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
  plan_.pixels([](const SampleView& s) {
    ASSERT_EQ(s.image.size(), (Size{side, side}));
    EXPECT_TRUE(s.soft.empty());
    s.image.row<std::uint8_t>(0)[0] = 7;
    s.labels.row<std::uint8_t>(0)[0] = 9;
  });
  plan_.flip(true, false);
  const auto [image, labels] = run(plan_);
  EXPECT_EQ(image.at<cv::Vec3b>(0, side - 1)[0], 7);
  EXPECT_EQ(labels.at<std::uint8_t>(0, side - 1), 9);
  EXPECT_EQ(image.at<cv::Vec3b>(side - 1, side - 1), this->image().at<cv::Vec3b>(0, 0));
}

TEST_F(Execute, ProbabilityMapsFollowWhateverMovesPixels) {
  // Two maps that say where a pixel was: what moves it shows in them.
  Image column({side, side}, 1), row({side, side}, 1);
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x) {
      column.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(x);
      row.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(y);
    }
  const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
    copy(image_.view().crop(r), to);
    copy(labels_.view().crop(r), planes[0]);
    copy(column.view().crop(r), planes[1]);
    copy(row.view().crop(r), planes[2]);
  };
  plan_.lookup({});  // all black: the maps stay
  plan_.filter({0.25F, 0.5F, 0.25F}, {0.1F, 0.2F, 0.4F, 0.2F, 0.1F});
  plan_.pixels([](const SampleView& s) {  // each plane's rows move down by one
    ASSERT_EQ(s.soft.size(), 2U);
    for (const ImageView* v : {&s.labels, &s.soft[0], &s.soft[1]})
      for (std::int64_t y = v->height - 1; y > 0; --y)
        std::copy_n(v->row<std::uint8_t>(y - 1), v->width, v->row<std::uint8_t>(y));
  });
  plan_.flip(true, false);
  plan_.affine(Affine::translation(3, 5), Border::reflect_101);
  plan_.displacement(waves({side, side}, 8, 6), 8, Border::reflect_101);
  const Region wanted{25, 31, 40, 50};
  Image image(wanted.size(), 3), labels(wanted.size(), 1), columns(wanted.size(), 1), rows(wanted.size(), 1);
  executor_->run(plan_, wanted, source, image.view(), {labels.view(), columns.view(), rows.view()});
  const cv::Mat map = positions(waves({side, side}, 8, 6), 8, {side, side});
  for (std::int64_t y = 0; y < wanted.height; ++y)
    for (std::int64_t x = 0; x < wanted.width; ++x) {
      const auto read = map.at<cv::Vec2f>(int(y + wanted.y), int(x + wanted.x));
      const auto was_x = std::int64_t(side - 1 - (std::lrint(read[0]) - 3)), was_y = std::lrint(read[1]) - 5 - 1;
      ASSERT_EQ(columns.view().row<std::uint8_t>(y)[x], was_x) << x << "," << y;
      ASSERT_EQ(rows.view().row<std::uint8_t>(y)[x], was_y) << x << "," << y;
      ASSERT_EQ(labels.view().row<std::uint8_t>(y)[x], labels_.view().row<std::uint8_t>(was_y)[was_x]);
    }
}

TEST_F(Execute, LabelsOfSeveralBytesMoveAsOneByteDoes) {
  Image wide({side, side}, 1, Depth::u16);
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x) wide.view().row<std::uint16_t>(y)[x] = std::uint16_t(1000 * y + x);
  plan_.affine(Affine::rotation(20).about({48, 48}), Border::reflect_101);
  plan_.flip(false, true);
  const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
    copy(image_.view().crop(r), to);
    copy(wide.view().crop(r), planes[0]);
  };
  Image image({side, side}, 3), out({side, side}, 1, Depth::u16);
  executor_->run(plan_, {0, 0, side, side}, source, image.view(), {out.view()});
  cv::Mat expected;
  const auto& m = std::get<AffineStep>(plan_.steps()[0]).forward.m;
  cv::warpAffine(as_mat(wide.view()), expected, cv::Matx23d(m.data()), {side, side}, cv::INTER_NEAREST,
                 cv::BORDER_REFLECT_101);
  EXPECT_EQ(worst(as_mat(out.view()), expected), 0);
}

TEST_F(Execute, ResultsGoToAPlaceInALargerPictureAndNowhereElse) {
  const auto plans = [] {
    std::vector<RecordedPlan> out(7, RecordedPlan({side, side}));
    out[1].flip(true, true);
    out[2].affine(Affine::rotation(20).about({48, 48}), Border::constant);
    out[3].displacement(waves({side, side}, 8, 6), 8, Border::reflect_101);
    out[4].filter({0.25F, 0.5F, 0.25F}, {0.25F, 0.5F, 0.25F});
    out[5].colour_matrix({0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 5});
    out[6].affine(Affine::rotation(20).about({48, 48}), Border::constant);
    out[6].filter({0.25F, 0.5F, 0.25F}, {0.25F, 0.5F, 0.25F});
    out[6].colour_matrix({0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 5});
    out[6].pixels([](const SampleView& s) { s.image.row<std::uint8_t>(30)[3 * 30] ^= 1; });
    return out;
  }();
  const Region wanted{21, 23, 40, 50}, place{5, 4, 40, 50};
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const auto [image, labels] = run(plans[i], wanted);
    Image large({60, 60}, 3), large_labels({60, 60}, 1);
    as_mat(large.view()).setTo(cv::Scalar::all(77));
    as_mat(large_labels.view()).setTo(cv::Scalar::all(77));
    const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
      copy(image_.view().crop(r), to);
      copy(labels_.view().crop(r), planes[0]);
    };
    make_cpu_executor()->run(plans[i], wanted, source, large.view().crop(place), {large_labels.view().crop(place)});
    for (auto [whole, part] :
         {std::pair(as_mat(large.view()), image), std::pair(as_mat(large_labels.view()), labels)}) {
      cv::Mat inside = whole(cv::Rect(5, 4, 40, 50));
      EXPECT_EQ(worst(inside, part), 0) << "plan " << i;
      inside.setTo(cv::Scalar::all(77));
      EXPECT_EQ(cv::countNonZero(whole.reshape(1) != 77), 0) << "plan " << i << " wrote beside its place";
    }
  }
}

TEST(ExecuteSmall, PicturesOfOnePixelAndThinOnesAreWarped) {
  for (const Size size : {Size{1, 1}, Size{1, 9}, Size{9, 1}, Size{2, 2}})
    for (const Border border : {Border::reflect_101, Border::constant}) {
      Image image(size, 3), labels(size, 1);
      for (std::int64_t i = 0; i < 3 * size.area(); ++i)
        image.view().row<std::uint8_t>(0)[i] = std::uint8_t(50 + 9 * i);
      for (std::int64_t i = 0; i < size.area(); ++i) labels.view().row<std::uint8_t>(0)[i] = std::uint8_t(1 + i);
      const auto source = [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
        copy(image.view().crop(r), to);
        copy(labels.view().crop(r), planes[0]);
      };
      const Affine a = Affine::rotation(30).then(Affine::translation(0.3, -0.2));
      RecordedPlan plan(size), bent(size);
      plan.affine(a, border);
      const Image grid = waves(size, 4, 0.8F);
      bent.displacement(grid, 4, border);
      Image out(size, 3), out_labels(size, 1);
      const int how = border == Border::constant ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
      const cv::Size all(int(size.width), int(size.height));
      const auto executor = make_cpu_executor();
      cv::Mat expected;
      executor->run(plan, {0, 0, size.width, size.height}, source, out.view(), {out_labels.view()});
      cv::warpAffine(as_mat(image.view()), expected, cv::Matx23d(a.m.data()), all, cv::INTER_LINEAR, how);
      EXPECT_EQ(cv::norm(as_mat(out.view()), expected, cv::NORM_INF), 0) << size.width << " x " << size.height;
      executor->run(bent, {0, 0, size.width, size.height}, source, out.view(), {out_labels.view()});
      cv::remap(as_mat(image.view()), expected, positions(grid, 4, all), cv::noArray(), cv::INTER_LINEAR, how);
      EXPECT_EQ(cv::norm(as_mat(out.view()), expected, cv::NORM_INF), 0) << size.width << " x " << size.height;
      cv::remap(as_mat(labels.view()), expected, positions(grid, 4, all), cv::noArray(), cv::INTER_NEAREST, how);
      EXPECT_EQ(cv::norm(as_mat(out_labels.view()), expected, cv::NORM_INF), 0) << size.width << " x " << size.height;
    }
}

TEST_F(Execute, WhatCannotBeCarriedOutIsRefused) {
  EXPECT_THROW(plan_.affine({{1, 2, 0, 2, 4, 0}}, Border::constant), Error);
  EXPECT_THROW(plan_.displacement(Image({5, 5}, 2, Depth::f32), 8, Border::constant), Error);
  EXPECT_THROW(plan_.displacement(waves({side, side}, 8, 1), 0, Border::constant), Error);
  EXPECT_THROW(plan_.displacement(waves({side, side}, 8, 2e6F), 8, Border::constant), Error);
  EXPECT_THROW(plan_.displacement(waves({side, side}, 8, std::nanf("")), 8, Border::constant), Error);
  EXPECT_THROW(plan_.density_matrix({5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, {255, 255, 255}), Error);
  EXPECT_THROW(plan_.density_matrix({1, 0, 0, 21, 0, 1, 0, 0, 0, 0, 1, 0}, {255, 255, 255}), Error);
  EXPECT_THROW(plan_.density_matrix({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, {255, 0, 255}), Error);
  EXPECT_THROW(plan_.colour_cube(1, {0, 0, 0}), Error);
  EXPECT_THROW(plan_.colour_cube(2, std::vector<float>(23)), Error);
  EXPECT_THROW(plan_.colour_cube(2, std::vector<float>(24, std::nanf(""))), Error);
  EXPECT_THROW(plan_.filter(Image({4, 3}, 1, Depth::f32)), Error);
  EXPECT_THROW(plan_.filter({1, 1}, {1}), Error);
  EXPECT_THROW(plan_.pixels(nullptr), Error);
  EXPECT_TRUE(plan_.steps().empty());
}

// Whatever moves labels of a byte moves wider ones alike.
TEST_F(Execute, WideLabelsMoveAsBytesDo) {
  plan_.flip(true, false);
  plan_.affine(Affine::translation(3.4, -7.2).then(Affine{{0.9, 0.3, 4, -0.3, 0.9, 11}}), Border::constant);
  plan_.displacement(waves({side, side}, 8, 3), 8, Border::reflect_101);
  const Region wanted{5, 9, 70, 60};
  const auto [image, labels] = run(plan_, wanted);
  for (const Depth depth : {Depth::u16, Depth::u32}) {
    const int shift = depth == Depth::u16 ? 13 : 29;
    const Image wide({side, side}, 1, depth), out(wanted.size(), 1, depth), seen(wanted.size(), 3);
    with_label_type(depth, [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t y = 0; y < side; ++y)
        for (std::int64_t x = 0; x < side; ++x)
          wide.view().row<T>(y)[x] =
              static_cast<T>(static_cast<unsigned>(labels_.view().row<std::uint8_t>(y)[x]) << shift);
      executor_->run(plan_, wanted,
                     [&](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
                       copy(image_.view().crop(r), to);
                       copy(wide.view().crop(r), planes[0]);
                     },
                     seen.view(), {out.view()});
      for (int y = 0; y < labels.rows; ++y)
        for (int x = 0; x < labels.cols; ++x)
          ASSERT_EQ(out.view().row<T>(y)[x],
                    static_cast<T>(static_cast<unsigned>(labels.at<std::uint8_t>(y, x)) << shift))
              << x << ", " << y;
    });
  }
}

}  // namespace
}  // namespace nephron::host
