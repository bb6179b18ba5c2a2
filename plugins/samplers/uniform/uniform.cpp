#include <nephron/draw.hpp>

struct UniformParams {
  std::string slides = "equal";
  double tissue = 0;
  int tries = 1000;

  static void describe(nephron::Schema<UniformParams>& s) {
    s.field("slides", &UniformParams::slides, "how often a slide of a group is chosen: all alike, or by its area")
        .choices({"equal", "area"});
    s.field("tissue", &UniformParams::tissue, "least share of the tile that is tissue and not glass").range(0, 1);
    s.field("tries", &UniformParams::tries, "places that are tried for it before the last one is taken as it is")
        .range(1, 1000000);
  }
};

/// A group by its share, a slide of it, a window anywhere on it, or wherever its tile has tissue.
class Uniform final : public nephron::Sampler {
 public:
  explicit Uniform(const UniformParams& params) : params_(params), by_area_(params.slides == "area") {}

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t,
                       nephron::Rng& rng) const override {
    const auto& slides = catalog.slides();
    if (slides.empty()) throw nephron::Error("there is no slide to draw a window from");
    const std::string& group = nephron::choose_group(catalog, rng);
    const std::int64_t slide = nephron::choose_slide(
        catalog, group, [&](std::size_t i) { return by_area_ ? static_cast<double>(slides[i].size.area()) : 1; }, rng);
    nephron::Window out;
    for (int i = 0; i < params_.tries; ++i) {
      out = nephron::window_anywhere(catalog, slide, window, rng);
      if (nephron::shows_tissue(catalog, out, params_.tissue)) break;
    }
    return out;
  }

 private:
  UniformParams params_;
  bool by_area_;
};

NEPHRON_PLUGIN("uniform", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Uniform, "uniform",
                  "Windows anywhere on the slides, each place as likely as any other")
