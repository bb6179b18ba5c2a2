#include <nephron/draw.hpp>

// What may differ from one sampling group to the next.
struct GuidedRule {
  std::int64_t half_side = 10;
  double least = 0;
  double accept_random = 0.1;
  double tissue = 0;
  std::vector<std::string> classes;
  std::vector<std::string> weigh_by;
  std::string slides = "pixels";

  template <class T, class M>
  static M T::*of(M GuidedRule::*member) {
    return member;
  }
  template <class T>
  static void describe_rule(nephron::Schema<T>& s) {
    s.field("half_side", of<T>(&GuidedRule::half_side),
            "a window counts as on the spot when a label lies this near its centre")
        .at_least(1)
        .unit("px at the reduced level");
    s.field("least", of<T>(&GuidedRule::least), "share of that square that is labelled; 0: a pixel of it").range(0, 1);
    s.field("accept_random", of<T>(&GuidedRule::accept_random),
            "probability of keeping a window that is not on the spot")
        .range(0, 1);
    s.field("tissue", of<T>(&GuidedRule::tissue),
            "least share of the tile that is tissue and not glass, for a window that is not on the spot to be kept")
        .range(0, 1);
    s.field("classes", of<T>(&GuidedRule::classes), "those that count as labels; empty: all");
    s.field("weigh_by", of<T>(&GuidedRule::weigh_by), "classes whose pixels choose a slide; empty: the first");
    s.field("slides", of<T>(&GuidedRule::slides),
            "slides: in proportion to their pixels of \"weigh_by\", or one as often as another")
        .choices({"pixels", "alike"});
  }
};

struct GuidedGroup : GuidedRule {
  std::string name;
  static void describe(nephron::Schema<GuidedGroup>& s) {
    s.field("name", &GuidedGroup::name, "of the group that these numbers are for").required();
    describe_rule(s);
  }
};

struct GuidedParams : GuidedRule {
  std::vector<GuidedGroup> groups;
  int tries = 1000;
  static void describe(nephron::Schema<GuidedParams>& s) {
    describe_rule(s);
    s.field("groups", &GuidedParams::groups,
            "groups with numbers of their own, such as { name = \"external\", half_side = 250 }");
    s.field("tries", &GuidedParams::tries, "windows tried before the last one is taken as it is").range(1, 1000000);
  }
};

/// Groups by their shares, slides by their foreground, windows near labels: sampling of the HuBMAP 2021 reference.
class Guided final : public nephron::Sampler, public nephron::ParameterCheck {
 public:
  explicit Guided(const GuidedParams& params) : params_(params) {}

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t,
                       nephron::Rng& rng) const override {
    if (catalog.slides().empty()) throw nephron::Error("there is no slide to draw a window from");
    const std::string& group = nephron::choose_group(catalog, rng);
    const GuidedRule& rule = rule_of(group);
    const std::int64_t slide = slide_of(catalog, group, rule, rng);
    const std::uint32_t classes = bits(catalog, rule.classes);
    nephron::Window w;
    for (int i = 0; i < params_.tries; ++i) {
      w = nephron::window_anywhere(catalog, slide, window, rng);
      const std::int64_t cx = w.region.x + window / 2, cy = w.region.y + window / 2, h = rule.half_side;
      const nephron::Region square{cx - h, cy - h, 2 * h, 2 * h};
      const bool on_spot = rule.least > 0 ? static_cast<double>(catalog.count(slide, square, classes)) >=
                                                rule.least * static_cast<double>(square.size().area())
                                          : catalog.any_label(slide, square, classes);
      if (on_spot || (nephron::shows_tissue(catalog, w, rule.tissue) && rng.chance(rule.accept_random))) break;
    }
    return w;
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    const auto look = [&](const GuidedRule& rule) {
      nephron::require_classes("classes", rule.classes, classes, faults);
      nephron::require_classes("weigh_by", rule.weigh_by, classes, faults);
    };
    look(params_);
    for (const GuidedGroup& group : params_.groups) look(group);
  }

 private:
  static std::uint32_t bits(const nephron::Catalog& catalog, const std::vector<std::string>& names) {
    if (names.empty()) return ~0U;
    std::uint32_t out = 0;
    for (const std::size_t c : nephron::classes_named(catalog, names)) out |= 1U << c;
    return out;
  }

  const GuidedRule& rule_of(const std::string& group) const {
    for (const GuidedGroup& g : params_.groups)
      if (g.name == group) return g;
    return params_;
  }

  static std::int64_t slide_of(const nephron::Catalog& catalog, const std::string& group, const GuidedRule& rule,
                               nephron::Rng& rng) {
    const auto& slides = catalog.slides();
    std::vector<std::size_t> classes{0};
    if (!rule.weigh_by.empty()) classes = nephron::classes_named(catalog, rule.weigh_by);
    if (rule.slides == "alike") classes.clear();
    double total = 0;
    std::vector<double> weights(slides.size());
    for (std::size_t i = 0; i < slides.size(); ++i)
      for (const std::size_t c : classes)
        if (slides[i].group == group && c < slides[i].foreground.size())
          weights[i] += static_cast<double>(slides[i].foreground[c]);
    for (const double w : weights) total += w;
    if (total <= 0)  // nothing to weigh by: all alike
      for (std::size_t i = 0; i < slides.size(); ++i)
        if (slides[i].group == group) total += weights[i] = 1;
    return static_cast<std::int64_t>(nephron::chosen_by(weights, rng.uniform(0, total)));
  }

  GuidedParams params_;
};

NEPHRON_PLUGIN("guided", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Guided, "guided",
                  "Windows near labels, slides by their foreground, groups by their shares (HuBMAP 2021, 4th place)")
