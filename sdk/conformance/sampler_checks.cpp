#include <algorithm>
#include <map>
#include <set>

#include <nephron/sampler.hpp>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>

namespace nephron::conformance {

namespace {

/// Prepared slides that exist in numbers alone: one square of each class a slide, at a known place.
class FakeCatalog final : public Catalog {
 public:
  explicit FakeCatalog(const std::vector<Size>& sizes, bool labelled = true) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      CatalogSlide slide{.id = "slide" + std::to_string(i),
                         .group = i % 2 == 0 ? "first" : "second",
                         .size = sizes[i],
                         .foreground = {},
                         .tissue = sizes[i].area() / 2};
      squares_.push_back(labelled ? Region{sizes[i].width / 3, sizes[i].height / 3,
                                           std::max<std::int64_t>(1, sizes[i].width / 8),
                                           std::max<std::int64_t>(1, sizes[i].height / 8)}
                                  : Region{});
      objects_.emplace_back();
      if (!squares_.back().empty()) objects_.back().push_back(squares_.back());
      slide.foreground = {squares_.back().size().area(), squares_.back().size().area() / 2};
      slides_.push_back(std::move(slide));
    }
    if (!sizes.empty()) shares_.emplace_back("first", sizes.size() > 1 ? 0.75 : 1);
    if (sizes.size() > 1) shares_.emplace_back("second", 0.25);
  }
  const std::vector<CatalogSlide>& slides() const noexcept override { return slides_; }
  const std::vector<std::pair<std::string, double>>& shares() const noexcept override { return shares_; }
  bool any_label(std::int64_t slide, const Region& region, std::uint32_t classes) const override {
    expect(slide >= 0 && slide < static_cast<std::int64_t>(slides_.size()),
           "any_label() is asked for a slide that is not in the catalogue");
    return (classes & 3) != 0 && !squares_[static_cast<std::size_t>(slide)].clipped(region).empty();
  }
  const std::vector<std::string>& classes() const noexcept override {
    static const std::vector<std::string> names{"one", "two"};
    return names;
  }
  std::optional<Pixel> pixel(std::int64_t slide, std::size_t class_index, Rng& rng) const override {
    expect(slide >= 0 && slide < static_cast<std::int64_t>(slides_.size()),
           "pixel() is asked for a slide that is not in the catalogue");
    const Region& r = squares_[static_cast<std::size_t>(slide)];
    if (class_index > 1 || r.empty()) return std::nullopt;
    return Pixel{r.x + rng.integer(0, r.width - 1), r.y + rng.integer(0, r.height - 1)};
  }
  const std::vector<Region>& objects(std::int64_t slide, std::size_t class_index) const override {
    expect(slide >= 0 && slide < static_cast<std::int64_t>(slides_.size()),
           "objects() is asked for a slide that is not in the catalogue");
    static const std::vector<Region> none;
    return class_index > 1 ? none : objects_[static_cast<std::size_t>(slide)];
  }
  std::int64_t tile() const noexcept override { return 64; }
  std::int64_t count(std::int64_t slide, const Region& region, std::uint32_t classes) const override {
    expect(slide >= 0 && slide < static_cast<std::int64_t>(slides_.size()),
           "count() is asked for a slide that is not in the catalogue");
    return (classes & 3) == 0 ? 0 : squares_[static_cast<std::size_t>(slide)].clipped(region).size().area();
  }
  /// The left half of each slide.
  std::int64_t tissue(std::int64_t slide, const Region& region) const override {
    expect(slide >= 0 && slide < static_cast<std::int64_t>(slides_.size()),
           "tissue() is asked for a slide that is not in the catalogue");
    const Size size = slides_[static_cast<std::size_t>(slide)].size;
    return region.clipped({0, 0, size.width / 2, size.height}).size().area();
  }

 private:
  std::vector<std::vector<Region>> objects_;
  std::vector<CatalogSlide> slides_;
  std::vector<Region> squares_;
  std::vector<std::pair<std::string, double>> shares_;
};

const FakeCatalog& usual() {
  static const FakeCatalog catalog({{4000, 3000}, {2500, 6000}, {900, 800}, {5000, 5000}});
  return catalog;
}

constexpr std::int64_t side = 384;
constexpr std::int64_t draws = 500;

bool equal(const Window& a, const Window& b) { return a.slide == b.slide && a.region == b.region; }

std::string text(const Window& w) {
  return "slide " + std::to_string(w.slide) + ", x " + std::to_string(w.region.x) + ", y " +
         std::to_string(w.region.y) + ", " + std::to_string(w.region.width) + " x " + std::to_string(w.region.height);
}

/// Number of different windows that can be asked for.
std::int64_t reach(const Sampler& sampler, const Catalog& catalog, std::int64_t window) {
  const std::int64_t count = sampler.count(catalog, window);
  expect(count >= 0, "count() is negative");
  return count == 0 ? draws : std::min(count, draws);
}

Window draw(const Sampler& sampler, const Catalog& catalog, std::int64_t window, std::int64_t index) {
  Rng rng(3, "check/sampler", 0, static_cast<std::uint64_t>(index));
  return sampler.draw(catalog, window, index, rng);
}

void require_window(const Window& w, const Catalog& catalog, std::int64_t window) {
  expect(w.slide >= 0 && w.slide < static_cast<std::int64_t>(catalog.slides().size()),
         [&] { return "a window of a slide that is not there: " + text(w); });
  expect(w.region.width == window && w.region.height == window,
         [&] { return "a window that is not a square of side " + std::to_string(window) + ": " + text(w); });
  const Size size = catalog.slides()[static_cast<std::size_t>(w.slide)].size;
  expect(!w.region.clipped({0, 0, size.width, size.height}).empty(), [&] {
    return "a window beside its slide of " + std::to_string(size.width) + " x " + std::to_string(size.height) + ": " +
           text(w);
  });
}

/// A window may leave a slide that is smaller than it, and no other: what lies outside is trained on as padding.
void require_inside(const Window& w, const Catalog& catalog) {
  const Size size = catalog.slides()[static_cast<std::size_t>(w.slide)].size;
  const auto inside = [](std::int64_t from, std::int64_t window, std::int64_t extent) {
    return extent < window || (from >= 0 && from + window <= extent);
  };
  expect(inside(w.region.x, w.region.width, size.width) && inside(w.region.y, w.region.height, size.height), [&] {
    return "a window that leaves its slide of " + std::to_string(size.width) + " x " + std::to_string(size.height) +
           ", which is larger than it: " + text(w) +
           "; its corner lies within 0 and the extent less the window, and what lies outside is trained on as padding";
  });
}

void check_windows(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  for (const std::int64_t window : {std::int64_t{64}, side, std::int64_t{700}})
    for (std::int64_t i = 0; i < reach(*sampler, usual(), window); ++i) {
      const Window w = draw(*sampler, usual(), window, i);
      require_window(w, usual(), window);
      require_inside(w, usual());
    }
}

void check_determinism(const Subject& s) {
  BenchContext context(s);
  const auto one = s.make<Sampler>(context);
  const auto two = s.make<Sampler>(context);
  const std::int64_t n = reach(*one, usual(), side);
  expect(reach(*two, usual(), side) == n, "count() differs between two instances with equal parameters");
  std::vector<Window> forwards;
  for (std::int64_t i = 0; i < n; ++i) forwards.push_back(draw(*one, usual(), side, i));
  for (std::int64_t i = n - 1; i >= 0; --i)
    for (const auto& sampler : {one, two}) {
      const Window again = draw(*sampler, usual(), side, i);
      expect(equal(again, forwards[static_cast<std::size_t>(i)]), [&] {
        return "window " + std::to_string(i) +
               " drawn again with an equal Rng, in another order, is another: " + text(again) +
               "; before: " + text(forwards[static_cast<std::size_t>(i)]);
      });
    }
}

/// A list made in the first call and kept is another catalogue's in validation, and in the next fold.
void check_catalogues(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  const auto twin = s.make<Sampler>(context);
  // The first of them has as many slides.
  static const FakeCatalog others[] = {FakeCatalog({{900, 1200}, {1500, 1500}, {7000, 900}, {2000, 2000}}),
                                       FakeCatalog({{3000, 2000}, {1500, 1500}, {7000, 900}})};
  constexpr std::int64_t few = 50;
  const std::int64_t here = std::min(few, reach(*sampler, usual(), side));
  std::vector<Window> first;
  for (std::int64_t i = 0; i < here; ++i) {
    first.push_back(draw(*sampler, usual(), side, i));
    if (!equal(draw(*twin, usual(), side, i), first.back())) throw Skipped("two instances draw different windows");
  }
  for (const FakeCatalog& other : others) {
    const auto fresh = s.make<Sampler>(context);
    const std::int64_t there = reach(*fresh, other, side);
    expect(reach(*sampler, other, side) == there,
           "count() of a second catalogue is that of the first: it keeps what it is asked with");
    for (std::int64_t i = 0; i < std::min(few, there); ++i) {
      const Window w = draw(*sampler, other, side, i);
      expect(equal(w, draw(*fresh, other, side, i)), [&] {
        return "after another catalogue it draws " + text(w) + ", and " + text(draw(*fresh, other, side, i)) +
               " when it was just made: it keeps the first catalogue that it is handed, or counts its calls";
      });
    }
  }
  for (std::int64_t i = 0; i < here; ++i)
    expect(equal(draw(*sampler, usual(), side, i), first[static_cast<std::size_t>(i)]),
           "handed its first catalogue again, it draws other windows than before");
}

/// What was drawn first is drawn again after many others: a counter or a schedule in a member shows late.
void check_state(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  const std::int64_t n = std::min<std::int64_t>(16, reach(*sampler, usual(), side));
  const std::int64_t count = sampler->count(usual(), side);
  std::vector<Window> first;
  for (std::int64_t i = 0; i < n; ++i) first.push_back(draw(*sampler, usual(), side, i));
  repeat(20000, 1.0, [&](std::uint64_t i) {
    const auto index = static_cast<std::int64_t>(i);
    draw(*sampler, usual(), side, count == 0 ? index : index % count);
  });
  for (std::int64_t i = 0; i < n; ++i)
    expect(equal(draw(*sampler, usual(), side, i), first[static_cast<std::size_t>(i)]),
           "after many draws, an equal Rng draws another window: it keeps state; a window is a function of the "
           "catalogue, its number and the Rng alone");
}

void check_randomness(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  RandomWatch watch;
  for (std::int64_t i = 0; i < reach(*sampler, usual(), side); ++i) draw(*sampler, usual(), side, i);
  watch.require_untouched();
}

void require_spread(const Sampler& sampler) {
  const std::int64_t n = reach(sampler, usual(), side);
  std::map<std::vector<std::int64_t>, int> times;
  for (std::int64_t i = 0; i < n; ++i) {
    const Window w = draw(sampler, usual(), side, i);
    ++times[{w.slide, w.region.x, w.region.y}];
  }
  expect(n < 2 || times.size() > 1, [&] { return "all of " + std::to_string(n) + " windows are the same"; });
}

void check_spread(const Subject& s) {
  BenchContext context(s);
  require_spread(*s.make<Sampler>(context));
}

/// A sampler whose windows differ; else there is nothing more to say.
std::shared_ptr<Sampler> spread_sampler(const Subject& s, Context& context) {
  auto sampler = s.make<Sampler>(context);
  try {
    require_spread(*sampler);
  } catch (const Failed& e) {
    throw Skipped(e.what());
  }
  return sampler;
}

void check_generator(const Subject& s) {
  BenchContext context(s);
  const auto sampler = spread_sampler(s, context);
  if (sampler->count(usual(), side) != 0) throw Skipped("it walks a fixed list");
  for (std::int64_t i = 0; i < 50; ++i) {
    Rng one(3, "check/sampler", 0, static_cast<std::uint64_t>(i)), two(4, "check/sampler", 1, 1000);
    if (!equal(sampler->draw(usual(), side, i, one), sampler->draw(usual(), side, i, two))) return;
  }
  throw Failed(
      "windows are the same whatever the Rng that is handed in: every seed and every epoch would see the same ones");
}

void check_slides(const Subject& s) {
  BenchContext context(s);
  const auto sampler = spread_sampler(s, context);
  constexpr std::int64_t enough = 4000, most = 50000;
  const std::int64_t count = sampler->count(usual(), side);
  std::set<std::int64_t> seen;
  for (std::int64_t i = 0; i < (count == 0 ? enough : std::min(count, most)); ++i)
    seen.insert(draw(*sampler, usual(), side, i).slide);
  if (count > most) return;
  for (std::int64_t slide = 0; slide < static_cast<std::int64_t>(usual().slides().size()); ++slide)
    expect(seen.contains(slide), [&] {
      return "slide " + std::to_string(slide) + " of " + std::to_string(usual().slides().size()) +
             ", which has labels and tissue, is never drawn from in " + std::to_string(count == 0 ? enough : count) +
             " windows";
    });
}

void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  const std::int64_t n = reach(*sampler, usual(), side);
  std::vector<Window> serial;
  for (std::int64_t i = 0; i < n; ++i) serial.push_back(draw(*sampler, usual(), side, i));
  on_threads(4, [&](std::size_t t) {
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t i = (k + static_cast<std::int64_t>(t) * n / 4) % n;
      expect(equal(draw(*sampler, usual(), side, i), serial[static_cast<std::size_t>(i)]),
             "calls from several threads at once give other windows than one after the other");
    }
  });
}

void check_extremes(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  const std::vector<std::pair<std::string, FakeCatalog>> cases = [] {
    std::vector<std::pair<std::string, FakeCatalog>> out;
    out.emplace_back("a slide smaller than the window", FakeCatalog({{100, 2000}}));
    out.emplace_back("a slide of one pixel", FakeCatalog({{1, 1}}));
    out.emplace_back("slides without labels", FakeCatalog({{4000, 3000}, {2500, 6000}}, false));
    return out;
  }();
  for (const auto& [name, catalog] : cases) {
    try {
      for (std::int64_t i = 0; i < std::min<std::int64_t>(50, reach(*sampler, catalog, side)); ++i)
        require_window(draw(*sampler, catalog, side, i), catalog, side);
    } catch (const Failed& e) {
      throw Failed("with " + name + ": " + e.what());
    } catch (const Error&) {  // it may refuse, readably
    }
  }
  try {
    const FakeCatalog empty({});
    if (sampler->count(empty, side) == 0) draw(*sampler, empty, side, 0);
    expect(sampler->count(empty, side) == 0, "it counts windows in an empty catalogue");
    throw Failed("it draws a window from an empty catalogue; expected an Error");
  } catch (const Failed&) {
    throw;
  } catch (const Error&) {}
}

}  // namespace

std::string sampler_trace(const Subject& s) {
  BenchContext context(s);
  const auto sampler = s.make<Sampler>(context);
  std::string out;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(64, reach(*sampler, usual(), side)); ++i)
    out += text(draw(*sampler, usual(), side, i)) + "\n";
  return out;
}

std::vector<Check> sampler_checks() {
  return {
      {"windows", "every window is a square of the wanted side, inside its slide unless that is smaller",
       &check_windows},
      {"determinism", "a window is a function of the catalogue, its number and the Rng", &check_determinism},
      {"catalogues", "windows follow the catalogue that is handed in", &check_catalogues},
      {"state", "what was drawn first is drawn again after many others", &check_state},
      {"randomness", "random numbers come from the Rng alone", &check_randomness},
      {"spread", "windows differ", &check_spread},
      {"generator", "another Rng draws other windows", &check_generator},
      {"slides", "every slide is drawn from", &check_slides},
      {"threads", "calls at once give what calls in turn give", &check_threads},
      {"extremes", "small slides, slides without labels and an empty catalogue are served or refused readably",
       &check_extremes},
  };
}

}  // namespace nephron::conformance
