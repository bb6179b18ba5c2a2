#include <algorithm>

#include <nephron/augmentation_params.hpp>

struct CoarseDropoutParams {
  std::array<int, 2> holes{1, 2};
  std::array<double, 2> height{0.1, 0.2};
  std::array<double, 2> width{0.1, 0.2};
  std::array<int, 3> fill{0, 0, 0};
  bool labels = false;

  static void describe(nephron::Schema<CoarseDropoutParams>& s) {
    using P = CoarseDropoutParams;
    s.field("holes", &P::holes, "smallest and largest number of holes").range(1, 1000);
    s.field("height", &P::height, "smallest and largest height, as a share of the picture's").range(0, 1);
    s.field("width", &P::width, "smallest and largest width, as a share of the picture's").range(0, 1);
    s.field("fill", &P::fill, "colour of the holes, RGB").range(0, 255);
    s.field("labels", &P::labels, "labels and probability maps become 0 there, too");
  }
  void validate() const {
    nephron::require_order("holes", holes);
    nephron::require_order("height", height);
    nephron::require_order("width", width);
  }
};

namespace {

void fill(const nephron::ImageView& image, const std::array<int, 3>& colour) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    auto* pixel = image.row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < image.width; ++x)
      for (const int value : colour) *pixel++ = static_cast<std::uint8_t>(value);
  }
}

void clear(const nephron::ImageView& plane) {
  for (std::int64_t y = 0; y < plane.height; ++y)
    std::fill_n(plane.row<std::uint8_t>(y), static_cast<std::size_t>(plane.width) * plane.pixel_bytes(),
                std::uint8_t{0});
}

}  // namespace

class CoarseDropout final : public nephron::Augmentation {
 public:
  explicit CoarseDropout(const CoarseDropoutParams& params) : params_(params) {}

  void draw(const nephron::SampleInfo& sample, nephron::Rng& rng, nephron::Plan& plan) const override {
    std::vector<nephron::Region> holes;
    for (int i = nephron::drawn(params_.holes, rng); i > 0; --i) {
      const auto height = side(params_.height, sample.size.height, rng),
                 width = side(params_.width, sample.size.width, rng);
      const std::int64_t y = rng.integer(0, sample.size.height - height), x = rng.integer(0, sample.size.width - width);
      if (width > 0 && height > 0) holes.push_back({x, y, width, height});
    }
    plan.pixels(
        [holes = std::move(holes), colour = params_.fill, labels = params_.labels](const nephron::SampleView& view) {
          for (const nephron::Region& hole : holes) {
            fill(view.image.crop(hole), colour);
            if (!labels) continue;
            if (!view.labels.empty()) clear(view.labels.crop(hole));
            for (const nephron::ImageView& map : view.soft) clear(map.crop(hole));
          }
        });
  }

 private:
  static std::int64_t side(const std::array<double, 2>& share, std::int64_t of, nephron::Rng& rng) {
    return static_cast<std::int64_t>(static_cast<double>(of) * nephron::drawn(share, rng));
  }

  CoarseDropoutParams params_;
};

NEPHRON_PLUGIN("coarse_dropout", "1.0.0")
NEPHRON_COMPONENT(
    nephron::Augmentation, CoarseDropout, "coarse_dropout",
    "Rectangles of one colour (DeVries and Taylor 2017, arXiv:1708.04552), as Albumentations' CoarseDropout")
