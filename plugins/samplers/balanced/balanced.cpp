#include <algorithm>

#include <nephron/draw.hpp>

struct BalancedParams {
  std::vector<std::string> classes;
  double background = 0.1;
  double off_centre = 0.25;
  std::string slides = "alike";

  static void describe(nephron::Schema<BalancedParams>& s) {
    s.field("classes", &BalancedParams::classes,
            "those that windows are drawn for, one as often as another; empty: all");
    s.field("background", &BalancedParams::background, "share of the windows that may lie anywhere").range(0, 1);
    s.field("off_centre", &BalancedParams::off_centre,
            "how far from the window's centre the pixel that it is drawn for may lie, along each axis")
        .range(0, 0.5)
        .unit("windows");
    s.field("slides", &BalancedParams::slides,
            "slides that have the class: one as often as another, or in proportion to its pixels")
        .choices({"alike", "pixels"});
  }
};

/// A group by its share, then a class, then a slide that has it, then one of its pixels.
class Balanced final : public nephron::Sampler, public nephron::ParameterCheck {
 public:
  explicit Balanced(const BalancedParams& params) : params_(params) {}

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t,
                       nephron::Rng& rng) const override {
    if (catalog.slides().empty()) throw nephron::Error("there is no slide to draw a window from");
    const std::string& group = nephron::choose_group(catalog, rng);
    if (!rng.chance(params_.background)) {
      std::vector<std::size_t> there;
      for (const std::size_t c : nephron::classes_named(catalog, params_.classes))
        if (total(catalog, group, c) > 0) there.push_back(c);
      if (!there.empty()) return labelled(catalog, group, there[nephron::choose_alike(there.size(), rng)], window, rng);
    }
    const auto area = [&](std::size_t i) { return static_cast<double>(catalog.slides()[i].size.area()); };
    return nephron::window_anywhere(catalog, nephron::choose_slide(catalog, group, area, rng), window, rng);
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    nephron::require_classes("classes", params_.classes, classes, faults);
  }

 private:
  static double pixels(const nephron::CatalogSlide& slide, std::size_t class_index) {
    return class_index < slide.foreground.size() ? static_cast<double>(slide.foreground[class_index]) : 0;
  }

  static double total(const nephron::Catalog& catalog, const std::string& group, std::size_t class_index) {
    double sum = 0;
    for (const nephron::CatalogSlide& s : catalog.slides())
      if (s.group == group) sum += pixels(s, class_index);
    return sum;
  }

  nephron::Window labelled(const nephron::Catalog& catalog, const std::string& group, std::size_t class_index,
                           std::int64_t window, nephron::Rng& rng) const {
    const bool alike = params_.slides == "alike";
    const std::int64_t slide = nephron::choose_slide(
        catalog, group,
        [&](std::size_t i) {
          const double n = pixels(catalog.slides()[i], class_index);
          return alike && n > 0 ? 1.0 : n;
        },
        rng);
    const auto pixel = catalog.pixel(slide, class_index, rng);
    if (!pixel)
      throw nephron::Error("slide \"" + catalog.slides()[static_cast<std::size_t>(slide)].id +
                           "\" counts pixels of a class, and has none");
    const nephron::Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    const auto most = static_cast<std::int64_t>(params_.off_centre * static_cast<double>(window));
    const auto about = [&](std::int64_t at, std::int64_t side) {
      const std::int64_t wanted = at - window / 2 + rng.integer(-most, most);
      const nephron::WindowPlaces places(side, window);
      return std::clamp(wanted, places.first, places.last);
    };
    const std::int64_t x = about(pixel->x, size.width);
    return {slide, {x, about(pixel->y, size.height), window, window}};
  }

  BalancedParams params_;
};

NEPHRON_PLUGIN("balanced", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Balanced, "balanced",
                  "Windows about pixels of each class alike: class first, then slide, then place")
