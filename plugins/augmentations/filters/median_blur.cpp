#include <opencv2/imgproc.hpp>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

struct MedianBlurParams {
  std::array<int, 2> limit{3, 7};

  static void describe(nephron::Schema<MedianBlurParams>& s) {
    s.field("limit", &MedianBlurParams::limit, "smallest and largest side of the square; odd").range(3, 255).unit("px");
  }
  void validate() const { nephron::require_odd_order("limit", limit); }
};

class MedianBlur final : public nephron::Augmentation {
 public:
  explicit MedianBlur(const MedianBlurParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    const int side = nephron::drawn_odd(params_.limit, rng);
    plan.pixels([side](const nephron::SampleView& sample) {
      cv::Mat image = nephron::as_mat(sample.image);
      cv::medianBlur(image, image, side);
    });
  }

 private:
  MedianBlurParams params_;
};

NEPHRON_COMPONENT(nephron::Augmentation, MedianBlur, "median_blur",
                  "The median of a square about each pixel, as Albumentations' MedianBlur")
