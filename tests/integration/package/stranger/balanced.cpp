#include <nephron/draw.hpp>

// A class, each as often; a slide, by how much of the class it has; a pixel of the class, anywhere in the window.
class Balanced final : public nephron::Sampler {
 public:
  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t,
                       nephron::Rng& rng) const override {
    const auto& slides = catalog.slides();
    if (slides.empty()) throw nephron::Error("there is no slide to draw from");
    const std::size_t classes = catalog.classes().size();
    std::vector<double> there(classes);
    for (const auto& slide : slides)
      for (std::size_t c = 0; c < classes; ++c) there[c] += slide.foreground[c] > 0 ? 1 : 0;
    double present = 0;
    for (double& n : there) present += n = n > 0 ? 1 : 0;
    const std::size_t chosen = nephron::chosen_by(there, rng.uniform(0, present));

    std::vector<double> weights;
    double sum = 0;
    for (const auto& slide : slides) {
      const auto pixels = present > 0 ? slide.foreground[chosen] : slide.size.area();
      weights.push_back(static_cast<double>(pixels));
      sum += weights.back();
    }
    const auto slide = static_cast<std::int64_t>(nephron::chosen_by(weights, rng.uniform(0, sum)));
    const nephron::Size size = slides[static_cast<std::size_t>(slide)].size;
    const nephron::WindowPlaces across(size.width, window), down(size.height, window);
    const auto pixel = present > 0 ? catalog.pixel(slide, chosen, rng) : std::nullopt;
    if (!pixel) return {slide, {across.draw(rng), down.draw(rng), window, window}};
    const auto place = [&](std::int64_t at, const nephron::WindowPlaces& places) {
      return std::clamp(at - rng.integer(0, window - 1), places.first, places.last);
    };
    return {slide, {place(pixel->x, across), place(pixel->y, down), window, window}};
  }
};

NEPHRON_PLUGIN("outside_balanced", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Balanced, "outside_balanced", "windows of each class as often")
