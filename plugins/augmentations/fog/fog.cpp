#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <nephron/augmentation_params.hpp>
#include <nephron/image_cv.hpp>

struct FogParams {
  std::array<double, 2> intensity{0.3, 1};
  double alpha = 0.08;

  static void describe(nephron::Schema<FogParams>& s) {
    using P = FogParams;
    s.field("intensity", &P::intensity, "smallest and largest density of the fog").range(0, 1);
    s.field("alpha", &P::alpha, "share of white in one particle of full intensity").range(0, 1);
  }
  void validate() const { nephron::require_order("intensity", intensity); }
};

namespace {

struct Particle {
  int x, y, radius;
};

/// Where fog lies: in ever smaller rectangles about the middle, so that it is thickest there.
std::vector<Particle> particles_of(nephron::Size size, double intensity, nephron::Rng& rng) {
  const int cx = static_cast<int>(static_cast<double>(size.width) / 2 - 0.5),
            cy = static_cast<int>(static_cast<double>(size.height) / 2 - 0.5);
  int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  const int region = std::max(1, static_cast<int>(width / 3 * intensity));
  std::vector<Particle> out;
  for (int i = 0; i < 10 && width > region && height > region; ++i) {
    const double n = static_cast<double>(width) * height / (static_cast<double>(region) * region) * intensity * 10;
    for (int k = static_cast<int>(n); k > 0; --k) {
      const auto x = static_cast<int>(rng.integer(cx - width / 2, cx + width / 2));
      out.push_back({x, static_cast<int>(rng.integer(cy - height / 2, cy + height / 2)), 0});
    }
    width = static_cast<int>(width * 0.9), height = static_cast<int>(height * 0.9);
  }
  const int most =
      std::max(2, static_cast<int>(static_cast<double>(std::min(size.width, size.height)) * 0.1 * intensity));
  const int least = std::max(1, most / 2);
  for (Particle& p : out) p.radius = static_cast<int>(rng.integer(least, most - 1));
  return out;
}

/// Half the width of each row of OpenCV's filled circle, from the middle row on.
std::vector<int> half_widths(int radius) {
  cv::Mat drawn = cv::Mat::zeros(2 * radius + 1, 2 * radius + 1, CV_8U);
  cv::circle(drawn, {radius, radius}, radius, 1, cv::FILLED);
  std::vector<int> out;
  for (int y = radius; y <= 2 * radius; ++y) out.push_back((cv::countNonZero(drawn.row(y)) - 1) / 2);
  return out;
}

/// How many particles cover each pixel.
cv::Mat cover(const std::vector<Particle>& particles, cv::Size size) {
  cv::Mat steps = cv::Mat::zeros(size.height, size.width + 1, CV_32S);  // +1 where one begins, -1 behind its end
  std::vector<std::vector<int>> shapes;
  for (const Particle& p : particles) {
    const auto radius = static_cast<std::size_t>(p.radius);
    if (shapes.size() <= radius) shapes.resize(radius + 1);
    if (shapes[radius].empty()) shapes[radius] = half_widths(p.radius);
    for (int dy = -p.radius; dy <= p.radius; ++dy) {
      const int y = p.y + dy, half = shapes[radius][static_cast<std::size_t>(std::abs(dy))];
      const int begin = std::max(0, p.x - half), end = std::min(size.width, p.x + half + 1);
      if (y < 0 || y >= size.height || begin >= end) continue;
      ++steps.at<int>(y, begin), --steps.at<int>(y, end);
    }
  }
  for (int y = 0; y < steps.rows; ++y) {
    int* row = steps.ptr<int>(y);
    for (int x = 1; x < steps.cols; ++x) row[x] += row[x - 1];
  }
  return steps.colRange(0, size.width);
}

/// What a value becomes under 0, 1, 2, ... particles, each rounded: as if they were painted one after the other.
class Whitening {
 public:
  explicit Whitening(double alpha) : alpha_(static_cast<float>(alpha)), tables_(256) {
    for (std::size_t v = 0; v < 256; ++v) tables_[v] = static_cast<std::uint8_t>(v);
  }
  const std::uint8_t* under(int particles) {
    while (static_cast<int>(tables_.size() / 256) <= particles)
      for (std::size_t end = tables_.size(), v = end - 256; v < end; ++v)
        tables_.push_back(
            cv::saturate_cast<std::uint8_t>(255 * alpha_ + static_cast<float>(tables_[v]) * (1 - alpha_)));
    return tables_.data() + 256 * static_cast<std::size_t>(particles);
  }

 private:
  float alpha_;
  std::vector<std::uint8_t> tables_;
};

void paint(cv::Mat image, const std::vector<Particle>& particles, double alpha) {
  const cv::Mat covered = cover(particles, image.size());
  Whitening whitening(alpha);
  for (int y = 0; y < image.rows; ++y) {
    auto* pixel = image.ptr<cv::Vec3b>(y);
    const int* count = covered.ptr<int>(y);
    for (int x = 0; x < image.cols; ++x) {
      if (count[x] == 0) continue;
      const std::uint8_t* table = whitening.under(count[x]);
      for (int c = 0; c < 3; ++c) pixel[x][c] = table[pixel[x][c]];
    }
  }
}

}  // namespace

class Fog final : public nephron::Augmentation {
 public:
  explicit Fog(const FogParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    const double intensity = nephron::drawn(params_.intensity, rng);
    plan.pixels([particles = particles_of(sample.size, intensity, rng), alpha = params_.alpha * intensity](
                    const nephron::SampleView& view) { paint(nephron::as_mat(view.image), particles, alpha); });
    const auto side = static_cast<int>(std::max<std::int64_t>(3, std::min(sample.size.width, sample.size.height) / 30));
    const std::vector<float> kernel = nephron::gaussian_kernel_of_side(side + (side % 2 == 0));
    plan.filter(kernel, kernel);
  }

 private:
  FogParams params_;
};

NEPHRON_PLUGIN("fog", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Fog, "fog", "White haze, thickest in the middle, as Albumentations' RandomFog")
