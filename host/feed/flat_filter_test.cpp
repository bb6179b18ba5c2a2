#include <host/feed/flat_filter.hpp>

#include <functional>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>

namespace nephron::host {
namespace {

Image kernel_of(int side, const std::function<bool(int, int)>& inside) {
  Image kernel({side, side}, 1, Depth::f32);
  cv::Mat m = as_mat(kernel.view());
  m = 0;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      if (inside(x - side / 2, y - side / 2)) m.at<float>(y, x) = 1;
  m /= cv::sum(m)[0];
  return kernel;
}

TEST(FlatFilter, IsOpenCvsWithinItsRounding) {
  cv::Mat picture(90, 120, CV_8UC3);
  cv::randu(picture, 0, 256);
  picture(cv::Rect(0, 0, 60, 40)) = cv::Scalar(255, 255, 0);  // sums as large as they become
  std::vector<Image> kernels;
  for (const int radius : {1, 3, 8})
    kernels.push_back(kernel_of(2 * radius + 1, [=](int x, int y) { return x * x + y * y <= radius * radius; }));
  kernels.push_back(kernel_of(5, [](int x, int y) { return x == y; }));
  kernels.push_back(kernel_of(3, [](int x, int y) { return y == 0 && x >= 0; }));  // two taps: halves are ties
  for (const Image& kernel : kernels)
    for (const cv::Rect& part : {cv::Rect(0, 0, 120, 90), cv::Rect(30, 20, 41, 33), cv::Rect(0, 60, 50, 30)}) {
      std::optional<FlatFilter> flat = FlatFilter::of(kernel.view());
      ASSERT_TRUE(flat);
      cv::Mat ours(part.size(), CV_8UC3), expected;
      flat->run(picture(part), ours);
      cv::filter2D(picture(part), expected, -1, as_mat(kernel.view()), {-1, -1}, 0, cv::BORDER_REFLECT_101);
      EXPECT_LE(cv::norm(ours, expected, cv::NORM_INF), 1);
      EXPECT_LT(cv::norm(ours, expected, cv::NORM_L1), 0.001 * static_cast<double>(ours.total()));
    }
}

TEST(FlatFilter, OtherWeightsAreLeftToOpenCv) {
  const auto is_flat = [](const std::function<bool(int, int)>& inside, float first) {
    const Image kernel = kernel_of(17, inside);
    kernel.view().row<float>(0)[0] = first;
    return FlatFilter::of(kernel.view()).has_value();
  };
  const auto disk = [](int x, int y) { return x * x + y * y < 64; };
  EXPECT_TRUE(is_flat(disk, 0));
  EXPECT_FALSE(is_flat(disk, 0.5F));
  EXPECT_FALSE(is_flat(disk, -1));
  EXPECT_FALSE(is_flat([](int, int) { return false; }, 0));
  EXPECT_FALSE(is_flat([](int, int) { return true; }, 1.0F / 289));  // more than 16 bits hold
}

}  // namespace
}  // namespace nephron::host
