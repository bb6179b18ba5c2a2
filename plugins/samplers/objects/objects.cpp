#include <algorithm>

#include <nephron/draw.hpp>

struct ObjectsParams {
  std::vector<std::string> classes;
  double background = 0.1;
  std::string slides = "objects";

  static void describe(nephron::Schema<ObjectsParams>& s) {
    s.field("classes", &ObjectsParams::classes,
            "those whose objects windows are drawn about, one as often as another; empty: all");
    s.field("background", &ObjectsParams::background, "share of the windows that may lie anywhere").range(0, 1);
    s.field("slides", &ObjectsParams::slides,
            "slides that have the class: in proportion to their objects, so that each object is met as often as any "
            "other, or one slide as often as another")
        .choices({"objects", "alike"});
  }
};

/// A group by its share, then a class, then a slide, then one of its objects, and a window whose tile shows it.
class Objects final : public nephron::Sampler, public nephron::ParameterCheck {
 public:
  explicit Objects(const ObjectsParams& params) : params_(params) {}

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t,
                       nephron::Rng& rng) const override {
    if (catalog.slides().empty()) throw nephron::Error("there is no slide to draw a window from");
    const std::string& group = nephron::choose_group(catalog, rng);
    if (!rng.chance(params_.background)) {
      std::vector<std::size_t> there;
      for (const std::size_t c : nephron::classes_named(catalog, params_.classes))
        if (any(catalog, group, c)) there.push_back(c);
      if (!there.empty())
        return about_an_object(catalog, group, there[nephron::choose_alike(there.size(), rng)], window, rng);
    }
    const auto area = [&](std::size_t i) { return static_cast<double>(catalog.slides()[i].size.area()); };
    return nephron::window_anywhere(catalog, nephron::choose_slide(catalog, group, area, rng), window, rng);
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    nephron::require_classes("classes", params_.classes, classes, faults);
  }

 private:
  static bool any(const nephron::Catalog& catalog, const std::string& group, std::size_t class_index) {
    for (std::size_t i = 0; i < catalog.slides().size(); ++i)
      if (catalog.slides()[i].group == group && !catalog.objects(static_cast<std::int64_t>(i), class_index).empty())
        return true;
    return false;
  }

  nephron::Window about_an_object(const nephron::Catalog& catalog, const std::string& group, std::size_t class_index,
                                  std::int64_t window, nephron::Rng& rng) const {
    const bool alike = params_.slides == "alike";
    const std::int64_t slide = nephron::choose_slide(
        catalog, group,
        [&](std::size_t i) {
          const auto n = static_cast<double>(catalog.objects(static_cast<std::int64_t>(i), class_index).size());
          return alike ? std::min(n, 1.0) : n;
        },
        rng);
    const std::vector<nephron::Region>& objects = catalog.objects(slide, class_index);
    const nephron::Region& object = objects[nephron::choose_alike(objects.size(), rng)];
    const nephron::Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    const std::int64_t tile = std::min(catalog.tile(), window);
    // The tile is the window's middle. It holds the object where that is smaller, and nothing else where it is larger.
    const auto place = [&](std::int64_t at, std::int64_t length, std::int64_t side) {
      const std::int64_t drawn = rng.integer(std::min(at, at + length - tile), std::max(at, at + length - tile));
      const nephron::WindowPlaces places(side, window);
      return std::clamp(drawn - (window - tile) / 2, places.first, places.last);
    };
    const std::int64_t x = place(object.x, object.width, size.width);
    return {slide, {x, place(object.y, object.height, size.height), window, window}};
  }

  ObjectsParams params_;
};

NEPHRON_PLUGIN("objects", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Objects, "objects",
                  "Windows about objects: one as often as another, however large it is")
