#include <opencv2/imgcodecs.hpp>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

struct JpegCompressionParams {
  std::array<int, 2> quality{50, 95};

  static void describe(nephron::Schema<JpegCompressionParams>& s) {
    s.field("quality", &JpegCompressionParams::quality, "smallest and largest quality of the encoder").range(1, 100);
  }
  void validate() const { nephron::require_order("quality", quality); }
};

namespace {

// The encoder is told that red is blue, as Albumentations tells it, and the decoder's word is taken for it.
void compress(cv::Mat image, int quality) {
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality}))
    throw nephron::Error("OpenCV's JPEG encoder refused a picture of " + std::to_string(image.cols) + " x " +
                         std::to_string(image.rows) + " px: take windows below 65,500 px");
  const cv::Mat decoded = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
  decoded.copyTo(image);
}

}  // namespace

class JpegCompression final : public nephron::Augmentation {
 public:
  explicit JpegCompression(const JpegCompressionParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo&, nephron::Rng& rng, nephron::Plan& plan) const override {
    plan.pixels([quality = nephron::drawn(params_.quality, rng)](const nephron::SampleView& sample) {
      compress(nephron::as_mat(sample.image), quality);
    });
  }

 private:
  JpegCompressionParams params_;
};

NEPHRON_PLUGIN("quality", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, JpegCompression, "jpeg_compression",
                  "What a JPEG file loses, as Albumentations' ImageCompression")
