#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

struct DownscaleParams {
  std::array<double, 2> scale{0.25, 0.75};
  std::string down = "area";
  std::string up = "linear";

  static void describe(nephron::Schema<DownscaleParams>& s) {
    using P = DownscaleParams;
    s.field("scale", &P::scale, "smallest and largest scale").range(0.01, 1);
    s.field("down", &P::down, "how pixels become fewer").choices({"area", "linear", "nearest"});
    s.field("up", &P::up, "how they become as many as before").choices({"linear", "nearest"});
  }
  void validate() const { nephron::require_order("scale", scale); }
};

namespace {

int interpolation(const std::string& name) {
  return name == "area" ? cv::INTER_AREA : name == "linear" ? cv::INTER_LINEAR : cv::INTER_NEAREST;
}

// The scale is told, not the size: what a pixel covers is then not rounded, as with Albumentations.
void resample(cv::Mat image, double scale, int down, int up) {
  const bool vanishes = cvRound(std::min(image.cols, image.rows) * scale) < 1;
  const auto fewer = [&](int side) { return std::max(1, cvRound(side * scale)); };
  cv::Mat small;
  if (vanishes) cv::resize(image, small, {fewer(image.cols), fewer(image.rows)}, 0, 0, down);
  else cv::resize(image, small, {}, scale, scale, down);
  cv::resize(small, image, image.size(), 0, 0, up);
}

}  // namespace

class Downscale final : public nephron::Augmentation {
 public:
  explicit Downscale(const DownscaleParams& params)
      : params_(params), down_(interpolation(params.down)), up_(interpolation(params.up)) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    plan.pixels([scale = nephron::drawn(params_.scale, rng), down = down_, up = up_](
                    const nephron::SampleView& sample) { resample(nephron::as_mat(sample.image), scale, down, up); });
  }

 private:
  DownscaleParams params_;
  int down_, up_;
};

NEPHRON_COMPONENT(nephron::Augmentation, Downscale, "downscale",
                  "Takes details away by fewer pixels in between, as Albumentations' Downscale")
