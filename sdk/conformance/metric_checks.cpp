#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <utility>

#include <nephron/kept_measurement.hpp>
#include <nephron/metric.hpp>
#include <nephron/value.hpp>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>
#include <conformance/made_slide.hpp>

namespace nephron::conformance {

namespace {

using Values = std::vector<MetricValue>;

std::string text(const MetricValue& v) {
  return v.name + (v.class_index < 0 ? "" : " of class " + std::to_string(v.class_index));
}

/// Sums in another order end in other last places.
bool equal(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

void require_equal(const Values& found, const Values& expected, const std::string& when) {
  expect(found.size() == expected.size(), [&] {
    return when + " there are " + std::to_string(found.size()) + " values; before, " + std::to_string(expected.size());
  });
  for (std::size_t i = 0; i < found.size(); ++i) {
    expect(found[i].name == expected[i].name && found[i].class_index == expected[i].class_index,
           [&] { return when + " a value is " + text(found[i]) + "; before, " + text(expected[i]); });
    expect(equal(found[i].value, expected[i].value), [&] {
      return when + " " + text(found[i]) + " is " + std::to_string(found[i].value) + "; expected " +
             std::to_string(expected[i].value);
    });
  }
}

void require_same_bits(const Values& found, const Values& expected, const std::string& when) {
  require_equal(found, expected, when);
  for (std::size_t i = 0; i < found.size(); ++i)
    expect(std::isnan(found[i].value) || found[i].value == expected[i].value,
           [&] { return when + " " + text(found[i]) + " differs in its last places"; });
}

const MadeSlide& usual() {
  static const MadeSlide slide({.seed = 1});
  return slide;
}
const MadeSlide& other() {
  static const MadeSlide slide({.seed = 2});
  return slide;
}

/// What may be measured besides, by name.
std::vector<std::pair<std::string, MadeSlide>> extremes() {
  std::vector<std::pair<std::string, MadeSlide>> out;
  out.emplace_back("a slide without truth", MadeSlide({.seed = 3, .truth = false}));
  out.emplace_back("a slide without a prediction", MadeSlide({.seed = 3, .prediction = false}));
  out.emplace_back("a slide without truth or prediction", MadeSlide({.truth = false, .prediction = false}));
  out.emplace_back("a slide of one pixel", MadeSlide({.size = {1, 1}}));
  out.emplace_back("a slide of one row", MadeSlide({.size = {50, 1}}));
  out.emplace_back("a slide of which nothing is known", MadeSlide({.size = {60, 1 + 16}}));
  return out;
}

void require_finite(const Values& values) {
  for (const MetricValue& v : values)
    expect(!std::isinf(v.value), [&] { return text(v) + " is infinite; expected a number, or undefined"; });
}

void require_sound(const Values& values) {
  expect(!values.empty(), "values() gives none; expected at least one, undefined where there is nothing to say");
  std::set<std::pair<std::string, int>> seen;
  for (const MetricValue& v : values) {
    bool good = !v.name.empty() && v.name.size() <= 60;
    for (const char c : v.name)
      good = good &&
             (std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string("._-@").find(c) != std::string::npos);
    expect(good, [&] { return "a value is called \"" + v.name + "\"; expected letters, digits and ._-@, 60 at most"; });
    expect(v.class_index >= MetricValue::all_classes && v.class_index < 2,
           [&] { return text(v) + " is of no class of the slide, which has two"; });
    expect(seen.emplace(v.name, v.class_index).second, [&] { return text(v) + " is given twice"; });
  }
}

void check_values(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  expect((metric->needs() & ~(MetricNeeds::rows | MetricNeeds::objects)) == 0 && metric->needs() != 0,
         "needs() has bits besides those of MetricNeeds, or none");
  const Values expected = usual().measured(*metric);
  require_sound(expected);
  const auto same_names = [&](const Values& found, const std::string& when) {
    require_sound(found);
    expect(found.size() == expected.size(), when + " there is another number of values");
    for (std::size_t i = 0; i < found.size(); ++i)
      expect(found[i].name == expected[i].name && found[i].class_index == expected[i].class_index &&
                 found[i].over == expected[i].over && found[i].better == expected[i].better,
             [&] { return when + " values are called otherwise, or in another order: " + text(found[i]); });
  };
  same_names(metric->begin(usual().slide())->values(), "of a slide that was not shown");
  same_names(MadeSlide({.truth = false}).measured(*metric), "of a slide without truth");
}

void check_bands(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  const Values whole = usual().measured(*metric, 1000);
  for (const std::int64_t band : {1, 7, 16})
    require_equal(usual().measured(*metric, band), whole, "in bands of " + std::to_string(band) + " rows");
}

void check_ignored(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  const Values expected = usual().measured(*metric);
  for (const float p : {0.0F, 0.97F})
    require_equal(MadeSlide({.seed = 1, .ignored = p}).measured(*metric), expected,
                  "with a probability of " + std::to_string(p) + " in pixels that are ignored");
}

Values pooled(const Metric& metric, const std::vector<const MadeSlide*>& slides) {
  MeasuredSlide all = usual().slide();
  all.id.clear(), all.group.clear();
  all.size = {};
  all.microns_per_pixel = 0;
  const auto sum = metric.begin(all);
  for (const MadeSlide* slide : slides) {
    const auto one = metric.begin(slide->slide());
    slide->show(metric, *one, 16);
    sum->add(*one);
  }
  return sum->values();
}

/// That not all of two slides' values are those of one: single ones can be, such as the largest of something.
void require_both(const Values& both, const Values& one, const Values& other_one, const std::string& name) {
  bool told = false, differs = false;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (both[i].over == PooledOver::slides || equal(one[i].value, other_one[i].value)) continue;
    told = true;
    differs = differs || !equal(both[i].value, one[i].value);
  }
  expect(differs || !told,
         [&] { return "all values of two slides are those of the " + name + " one: add() loses the other"; });
}

/// Two equal slides are as good as one of them, where all their pixels count as one slide's; what counts pixels may
/// double, and what is 1 of the truth itself is no count.
void require_twice_as_once(const Values& twice, const Values& once, const Values& truth) {
  const auto near = [](double a, double b) { return std::abs(a - b) <= 0.02 * std::max(std::abs(a), std::abs(b)); };
  for (std::size_t i = 0; i < once.size(); ++i) {
    const double one = once[i].value, two = twice[i].value;
    if (once[i].over != PooledOver::pixels || once[i].better == Better::neither || std::isnan(one)) continue;
    const bool share = once[i].better == Better::higher && equal(truth[i].value, 1);
    expect(near(one, two) || (!share && near(2 * one, two)), [&] {
      return text(once[i]) + " of a slide that is added to itself is " + std::to_string(two) + ", of the slide alone " +
             std::to_string(one) + ": does add() add up all that values() divides?";
    });
  }
}

/// That what is predicted is told by MeasuredSlide::thresholds. Values of the probabilities themselves show when these
/// change on one side of the threshold; others must not change when probabilities and thresholds move alike.
void check_thresholds(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  const Values base = usual().measured(*metric), redrawn = MadeSlide({.seed = 1, .redrawn = true}).measured(*metric);
  for (const double threshold : {0.2, 0.8}) {
    const Values moved = MadeSlide({.seed = 1, .threshold = threshold}).measured(*metric);
    for (std::size_t i = 0; i < base.size(); ++i)
      expect(!equal(base[i].value, redrawn[i].value) || equal(base[i].value, moved[i].value), [&] {
        return text(base[i]) + " is " + std::to_string(base[i].value) + " at a threshold of 0.5 and " +
               std::to_string(moved[i].value) + " at " + Value(threshold).str() +
               ", where the same pixels are predicted: does it have a threshold of its own? MeasuredSlide::thresholds "
               "has the experiment's, and MeasuredRows::predicted is what lies above them";
      });
  }
}

void check_pooling(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  static const MadeSlide third({.seed = 9});
  require_equal(pooled(*metric, {&usual()}), usual().measured(*metric), "added to nothing, of one slide,");
  const Values both = pooled(*metric, {&usual(), &other()});
  require_equal(pooled(*metric, {&other(), &usual()}), both, "added in another order");
  require_equal(pooled(*metric, {&third, &usual(), &other()}), pooled(*metric, {&usual(), &other(), &third}),
                "of three slides in another order");
  const Values first = usual().measured(*metric), second = other().measured(*metric);
  require_twice_as_once(pooled(*metric, {&usual(), &usual()}), first,
                        MadeSlide({.seed = 1, .perfect = true}).measured(*metric));
  require_both(both, first, second, "first");
  require_both(both, second, first, "second");
}

/// What a measurement tells of itself makes another one that is equal, alone and added to others.
void check_kept(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  std::vector<std::pair<std::string, const MadeSlide*>> slides{{"a slide", &usual()}, {"another slide", &other()}};
  const auto odd = extremes();
  for (const auto& [name, slide] : odd) slides.emplace_back(name, &slide);
  const auto made = metric->begin(usual().slide()), sum = metric->begin(usual().slide());
  for (const auto& [name, slide] : slides) {
    const auto measured = metric->begin(slide->slide()), again = metric->begin(slide->slide());
    slide->show(*metric, *measured, 16);
    const auto* const told = dynamic_cast<const KeptMeasurement*>(measured.get());
    auto* const restored = dynamic_cast<KeptMeasurement*>(again.get());
    if (told == nullptr) return;  // nothing is promised
    restored->restore(told->kept());
    require_same_bits(again->values(), measured->values(), "restored, of " + name + ",");
    made->add(*measured), sum->add(*again);
    require_same_bits(sum->values(), made->values(), "restored and added, with " + name + ",");
    const std::vector<double> numbers = told->kept();
    if (numbers.empty()) continue;
    bool refused = false;
    try {
      const auto third = metric->begin(slide->slide());
      dynamic_cast<KeptMeasurement&>(*third).restore(std::span(numbers).first(numbers.size() - 1));
    } catch (const Error&) {
      refused = true;
    }
    expect(refused, "restore() takes fewer numbers than kept() tells; expected an Error");
  }
}

void check_slides(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  const Values expected = usual().measured(*metric);
  const auto one = metric->begin(usual().slide()), two = metric->begin(other().slide());
  other().show(*metric, *two, 16);
  usual().show(*metric, *one, 16);
  require_equal(one->values(), expected, "with another slide measured meanwhile");
  require_equal(one->values(), expected, "asked twice");
  require_equal(usual().measured(*metric), expected, "measured again");
}

void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  const Values first = usual().measured(*metric), second = other().measured(*metric);
  on_threads(4, [&](std::size_t t) {
    for (int i = 0; i < 5; ++i)
      require_equal((t % 2 == 0 ? usual() : other()).measured(*metric), t % 2 == 0 ? first : second,
                    "with slides measured on several threads at once");
  });
}

/// That the truth itself is no worse than a prediction of it.
void check_better(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  const Values good = MadeSlide({.seed = 1, .perfect = true}).measured(*metric), worse = usual().measured(*metric);
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (std::isnan(good[i].value) || std::isnan(worse[i].value)) continue;
    const double gain = good[i].value - worse[i].value;
    expect((good[i].better != Better::higher || gain >= -1e-12) && (good[i].better != Better::lower || gain <= 1e-12),
           [&] {
             return text(good[i]) + " of the truth itself is " + std::to_string(good[i].value) + ", of a prediction " +
                    std::to_string(worse[i].value) + ", which it says is better";
           });
  }
}

void check_extremes(const Subject& s) {
  BenchContext context(s);
  const auto metric = s.make<Metric>(context);
  for (const auto& [name, slide] : extremes()) try {
      require_finite(slide.measured(*metric));
      require_finite(pooled(*metric, {&slide}));
    } catch (const std::exception& e) {
      throw Failed("with " + name + ": " + e.what());
    }
  require_finite(pooled(*metric, {}));
}

}  // namespace

std::vector<Check> metric_checks() {
  return {
      {"values", "values have names, classes and a fixed order", &check_values},
      {"bands", "values do not depend on the heights of bands", &check_bands},
      {"ignored", "what pixels hold that are ignored changes nothing", &check_ignored},
      {"pooling", "slides are added up in any order, and none is lost", &check_pooling},
      {"thresholds", "what is predicted is told by the thresholds of the slide", &check_thresholds},
      {"kept", "a measurement that can be kept is restored as it was", &check_kept},
      {"slides", "slides are measured apart", &check_slides},
      {"threads", "slides can be measured on several threads", &check_threads},
      {"better", "the truth itself is no worse than a prediction", &check_better},
      {"extremes", "empty truth, empty predictions and slides of a pixel give numbers or nothing", &check_extremes},
  };
}

}  // namespace nephron::conformance
