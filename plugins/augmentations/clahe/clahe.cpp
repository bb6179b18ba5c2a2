#include <opencv2/imgproc.hpp>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

struct ClaheParams {
  std::array<double, 2> clip_limit{1, 4};
  std::array<int, 2> tiles{8, 8};

  static void describe(nephron::Schema<ClaheParams>& s) {
    using P = ClaheParams;
    s.field("clip_limit", &P::clip_limit, "smallest and largest height of a histogram, of its mean").range(1, 256);
    s.field("tiles", &P::tiles, "tiles across and down, each with a histogram of its own").range(1, 64);
  }
  void validate() const { nephron::require_order("clip_limit", clip_limit); }
};

namespace {

/// Of the lightness (CIELAB) alone.
void equalise(cv::Mat image, double clip_limit, cv::Size tiles) {
  cv::Mat lab, lightness;
  cv::cvtColor(image, lab, cv::COLOR_RGB2Lab);
  cv::extractChannel(lab, lightness, 0);
  cv::createCLAHE(clip_limit, tiles)->apply(lightness, lightness);
  cv::insertChannel(lightness, lab, 0);
  cv::cvtColor(lab, image, cv::COLOR_Lab2RGB);
}

}  // namespace

class Clahe final : public nephron::Augmentation {
 public:
  explicit Clahe(const ClaheParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    plan.pixels([limit = nephron::drawn(params_.clip_limit, rng), tiles = cv::Size(params_.tiles[0], params_.tiles[1])](
                    const nephron::SampleView& sample) { equalise(nephron::as_mat(sample.image), limit, tiles); });
  }

 private:
  ClaheParams params_;
};

NEPHRON_PLUGIN("clahe", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Clahe, "clahe",
                  "Adaptive histogram equalisation of the lightness (Pizer et al. 1987), as Albumentations' CLAHE")
