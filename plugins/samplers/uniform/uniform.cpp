#include <algorithm>

#include <nephron/sampler.hpp>

struct UniformParams {
  std::string slides = "equal";

  static void describe(nephron::Schema<UniformParams>& s) {
    s.field("slides", &UniformParams::slides, "how often a slide of a group is chosen: all alike, or by its area")
        .choices({"equal", "area"});
  }
};

/// A group by its share, a slide of it, a window anywhere on it.
class Uniform final : public nephron::Sampler {
 public:
  explicit Uniform(const UniformParams& params) : by_area_(params.slides == "area") {}

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t,
                       nephron::Rng& rng) const override {
    const auto& slides = catalog.slides();
    if (slides.empty()) throw nephron::Error("there is no slide to draw a window from");
    double u = rng.uniform();
    std::string_view group;
    for (const auto& [name, share] : catalog.shares()) {
      if (share <= 0) continue;
      group = name;
      if ((u -= share) < 0) break;
    }
    double total = 0;
    for (const auto& s : slides) total += weight(s, group);
    double v = rng.uniform(0, total);
    std::int64_t chosen = 0;
    for (std::size_t i = 0; i < slides.size(); ++i) {
      const double w = weight(slides[i], group);
      if (w <= 0) continue;
      chosen = static_cast<std::int64_t>(i);
      if ((v -= w) < 0) break;
    }
    const nephron::Size size = slides[static_cast<std::size_t>(chosen)].size;
    const std::int64_t x = place(size.width, window, rng);
    return {chosen, {x, place(size.height, window, rng), window, window}};
  }

 private:
  double weight(const nephron::CatalogSlide& s, std::string_view group) const {
    return s.group != group ? 0 : by_area_ ? static_cast<double>(s.size.area()) : 1;
  }
  // A slide smaller than the window lies wholly inside it.
  static std::int64_t place(std::int64_t side, std::int64_t window, nephron::Rng& rng) {
    return rng.integer(std::min<std::int64_t>(0, side - window), std::max<std::int64_t>(0, side - window));
  }

  bool by_area_;
};

NEPHRON_PLUGIN("uniform", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Uniform, "uniform",
                  "Windows anywhere on the slides, each place as likely as any other")
