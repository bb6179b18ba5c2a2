// Says which sample it was told of, as an error: what comes out of a feed as it went in.
#include <string>

#include <nephron/augmentation.hpp>

class Told final : public nephron::Augmentation {
 public:
  void draw(const nephron::SampleInfo& s, nephron::Rng&, nephron::Plan&) const override {
    throw nephron::Error("told " + s.slide + " " + std::to_string(s.region.x) + "," + std::to_string(s.region.y) +
                         " of " + s.group + ", " + std::to_string(s.size.width) + " x " +
                         std::to_string(s.region.height) + " px of " + std::to_string(s.mpp) + " um");
  }
};

NEPHRON_PLUGIN("told", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Told, "test-told", "Says which sample it was told of")
