#include <nephron/sampler.hpp>

#include <algorithm>

struct @CLASS@Params {
  double foreground = 0.5;
  int tries = 20;

  static void describe(nephron::Schema<@CLASS@Params>& s) {
    s.field("foreground", &@CLASS@Params::foreground, "share of windows that must touch a label").range(0, 1);
    s.field("tries", &@CLASS@Params::tries, "draws before such a window is taken as it is").range(1, 1000);
  }
};

// Every window is a function of the catalogue, its number and the generator: nothing is remembered between calls.
class @CLASS@Sampler final : public nephron::Sampler {
 public:
  @CLASS@Sampler(const @CLASS@Params& params, nephron::Context&) : params_(params) {}

  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t, nephron::Rng& rng) const override {
    if (catalog.slides().empty()) throw nephron::Error("there are no slides to draw windows from");
    const int tries = rng.chance(params_.foreground) ? params_.tries : 1;
    nephron::Window drawn;
    for (int i = 0; i < tries; ++i) {
      drawn = anywhere(catalog, window, rng);
      if (catalog.any_label(drawn.slide, drawn.region, ~0U)) break;
    }
    return drawn;
  }

 private:
  // Large slides are drawn as often as small ones.
  static nephron::Window anywhere(const nephron::Catalog& catalog, std::int64_t window, nephron::Rng& rng) {
    const std::int64_t slide = rng.integer(0, static_cast<std::int64_t>(catalog.slides().size()) - 1);
    const nephron::Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    const std::int64_t x = rng.integer(0, std::max<std::int64_t>(0, size.width - window));
    const std::int64_t y = rng.integer(0, std::max<std::int64_t>(0, size.height - window));
    return {slide, {x, y, window, window}};
  }

  @CLASS@Params params_;
};

NEPHRON_PLUGIN("@NAME@", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, @CLASS@Sampler, "@NAME@", "What it does, in one line: replace this one")
