#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

#include "noise_table.hpp"

struct IsoNoiseParams {
  std::array<double, 2> color_shift{0.01, 0.05};
  std::array<double, 2> intensity{0.1, 0.5};
  std::string compat = "2021";

  static void describe(nephron::Schema<IsoNoiseParams>& s) {
    using P = IsoNoiseParams;
    s.field("color_shift", &P::color_shift,
            "smallest and largest deviation of hues, before it is multiplied by intensity")
        .range(0, 1);
    s.field("intensity", &P::intensity, "smallest and largest strength of the noise").range(0, 2);
    s.field("compat", &P::compat, "2021: noise in grey levels, hues of the whole circle; 2.0.8: both lack their factor")
        .choices({"2021", "2.0.8"});
  }
  void validate() const {
    nephron::require_order("color_shift", color_shift);
    nephron::require_order("intensity", intensity);
  }
};

namespace {

struct Noise {
  double color_shift, intensity;
  bool whole;  ///< of 255 grey levels and 360 degrees, not of 1 and 1
  nephron::Rng rng;
};

/// In hue, lightness and saturation (degrees, 0..1, 0..1): hues move normally, lightness gains what photons would.
void add_noise(cv::Mat image, Noise noise) {
  cv::Mat hls;
  image.convertTo(hls, CV_32F, 1.0 / 255);
  cv::cvtColor(hls, hls, cv::COLOR_RGB2HLS);
  cv::Scalar mean, deviation;
  cv::meanStdDev(hls, mean, deviation);
  const double levels = noise.whole ? 255 : 1, circle = noise.whole ? 360 : 1;
  const NoiseTable photons = poisson_table(deviation[1] * noise.intensity * levels);
  const auto gain = static_cast<float>(noise.whole ? 1 / levels : noise.intensity),
             turn = static_cast<float>(noise.color_shift * noise.intensity * circle);
  const auto width = static_cast<std::size_t>(hls.cols);
  for (int y = 0; y < hls.rows; ++y) {
    auto* pixel = hls.ptr<cv::Vec3f>(y);
    normal_table().draw(width, noise.rng, [&](float v) {
      float& hue = (*pixel++)[0];
      hue += turn * v;
      hue -= 360 * std::floor(hue / 360);
    });
    pixel = hls.ptr<cv::Vec3f>(y);
    photons.draw(width, noise.rng, [&](float v) {
      float& light = (*pixel++)[1];
      light += v * gain * (1 - light);
    });
  }
  cv::cvtColor(hls, hls, cv::COLOR_HLS2RGB);
  hls.convertTo(image, CV_8U, 255);
}

}  // namespace

class IsoNoise final : public nephron::Augmentation {
 public:
  explicit IsoNoise(const IsoNoiseParams& params) : params_(params) { normal_table(); }

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const double color_shift = nephron::drawn(params_.color_shift, rng),
                 intensity = nephron::drawn(params_.intensity, rng);
    plan.pixels([noise = Noise{color_shift, intensity, params_.compat == "2021", rng.fork("noise")}](
                    const nephron::SampleView& sample) { add_noise(nephron::as_mat(sample.image), noise); });
  }

 private:
  IsoNoiseParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, IsoNoise, "iso_noise",
                  "Noise of a camera's sensor, as Albumentations' ISONoise")
