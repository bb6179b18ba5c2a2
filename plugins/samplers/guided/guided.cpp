#include <algorithm>

#include <nephron/draw.hpp>
#include <nephron/parameter_check.hpp>

// What may differ from one sampling group to the next.
struct GuidedRule {
  std::int64_t half_side = 10;
  double accept_random = 0.1;
  std::vector<int> classes;
  std::vector<int> weigh_by{0};

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
    s.field("accept_random", of<T>(&GuidedRule::accept_random),
            "probability of keeping a window that is not on the spot")
        .range(0, 1);
    s.field("classes", of<T>(&GuidedRule::classes), "numbers of the classes that count as labels; empty: all")
        .range(0, 31);
    s.field("weigh_by", of<T>(&GuidedRule::weigh_by),
            "a slide is chosen in proportion to its pixels of these classes; empty: all alike")
        .range(0, 31);
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
    const std::int64_t slide = choose_slide(catalog, group, rule, rng);
    const nephron::Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    nephron::Window w{slide, {0, 0, window, window}};
    for (int i = 0; i < params_.tries; ++i) {
      w.region.x = nephron::WindowPlaces(size.width, window).draw(rng);
      w.region.y = nephron::WindowPlaces(size.height, window).draw(rng);
      const std::int64_t cx = w.region.x + window / 2, cy = w.region.y + window / 2, h = rule.half_side;
      const bool on_spot = catalog.any_label(slide, {cx - h, cy - h, 2 * h, 2 * h}, bits(rule.classes));
      if (on_spot || rng.chance(rule.accept_random)) break;
    }
    return w;
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    const auto count = static_cast<int>(classes.size());
    const auto look = [&](const char* key, const std::vector<int>& numbers) {
      for (const int c : numbers)
        if (c >= count)
          faults.add(key,
                     "\"" + std::string(key) + "\" names class number " + std::to_string(c) + "; the experiment has " +
                         std::to_string(count) + (count == 1 ? " class" : " classes"),
                     "numbers begin at 0, which is \"" + classes.front() + "\"");
    };
    look("classes", params_.classes);
    look("weigh_by", params_.weigh_by);
    for (const GuidedGroup& group : params_.groups) look("classes", group.classes), look("weigh_by", group.weigh_by);
  }

 private:
  static std::uint32_t bits(const std::vector<int>& classes) {
    std::uint32_t out = classes.empty() ? ~0U : 0U;
    for (const int c : classes) out |= 1U << c;
    return out;
  }

  const GuidedRule& rule_of(const std::string& group) const {
    for (const GuidedGroup& g : params_.groups)
      if (g.name == group) return g;
    return params_;
  }

  static double foreground(const nephron::CatalogSlide& s, const GuidedRule& rule) {
    double n = 0;
    for (const int c : rule.weigh_by)
      if (static_cast<std::size_t>(c) < s.foreground.size())
        n += static_cast<double>(s.foreground[static_cast<std::size_t>(c)]);
    return n;
  }

  static std::int64_t choose_slide(const nephron::Catalog& catalog, const std::string& group, const GuidedRule& rule,
                                   nephron::Rng& rng) {
    const auto& slides = catalog.slides();
    double total = 0;
    std::vector<double> weights(slides.size());
    for (std::size_t i = 0; i < slides.size(); ++i)
      if (slides[i].group == group) total += weights[i] = foreground(slides[i], rule);
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
