#include <nephron/sampler.hpp>

struct CentreParams {
  static void describe(nephron::Schema<CentreParams>&) {}
};

// The middle of each slide in turn.
class Centre final : public nephron::Sampler {
 public:
  explicit Centre(const CentreParams&) {}

  std::int64_t count(const nephron::Catalog& catalog, std::int64_t) const override {
    return static_cast<std::int64_t>(catalog.slides().size());
  }
  nephron::Window draw(const nephron::Catalog& catalog, std::int64_t window, std::int64_t index,
                       nephron::Rng&) const override {
    if (catalog.slides().empty()) throw nephron::Error("there is no slide to draw from");
    const std::int64_t slide = index % static_cast<std::int64_t>(catalog.slides().size());
    const nephron::Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    return {slide, {(size.width - window) / 2, (size.height - window) / 2, window, window}};
  }
};

NEPHRON_PLUGIN("outside_sampler", "1.0.0")
NEPHRON_COMPONENT(nephron::Sampler, Centre, "outside_centre", "the middle of each slide")
