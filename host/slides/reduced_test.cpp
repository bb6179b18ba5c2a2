#include <host/slides/reduced.hpp>

#include <algorithm>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

namespace nephron::host {
namespace {

/// A slide in memory that notes the largest region that is asked for at once.
class Memory final : public SlideReader {
 public:
  explicit Memory(Size size) : image_(size, 3) {
    cv::Mat pixels = as_mat(image_.view());
    cv::randu(pixels, 0, 256);
  }
  Size size() const noexcept override { return image_.size(); }
  void read(const Region& region, const ImageView& out) const override {
    most_ = std::max(most_, region.size().area());
    copy(image_.view().crop(region), out);
  }
  std::int64_t most() const { return most_; }
  ImageView all() const { return image_.view(); }

 private:
  Image image_;
  mutable std::int64_t most_ = 0;
};

TEST(Reduced, WholeSlidesAreReadInBandsWhateverTheirSides) {
  for (const Size size : {Size{9001, 3003}, Size{9000, 3000}}) {
    const Memory slide(size);
    for (const int factor : {1, 2, 3}) {
      const Image got = read_reduced(slide, factor);
      ASSERT_EQ(got.size(), (Size{size.width / factor, size.height / factor}));
      cv::Mat expected;
      cv::resize(as_mat(slide.all()), expected,
                 {static_cast<int>(got.size().width), static_cast<int>(got.size().height)}, 0, 0, cv::INTER_AREA);
      EXPECT_EQ(cv::norm(as_mat(got.view()), expected, cv::NORM_INF), 0) << size.width << " by " << factor;
      EXPECT_LE(3 * slide.most(), (1 << 26) + 6 * size.width * factor) << size.width << " by " << factor;
    }
  }
}

TEST(Reduced, ASlideSmallerThanTheFactorIsRefused) { EXPECT_THROW(read_reduced(Memory({30, 3}), 4), Error); }

}  // namespace
}  // namespace nephron::host
