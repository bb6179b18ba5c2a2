#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <utility>

#include <nephron/augmentation.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

class GoodAugmentation : public Augmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override { plan.flip(rng.chance(0.5), rng.chance(0.5)); }
};

class ShrinksToNothing final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    GoodAugmentation::draw(sample, rng, plan);
    if (sample.size.width == 97) plan.affine(Affine::scaling(0, 0), Border::constant);
  }
};

class GridOfAnotherSize final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng&, Plan& plan) const override {
    Size nodes = displacement_nodes(sample.size, 8);
    if (sample.size.width == 97) --nodes.width;
    plan.displacement(Image(nodes, 2, Depth::f32), 8, Border::reflect_101);
  }
};

class GridOfPositions final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    const Image grid(displacement_nodes(sample.size, 8), 2, Depth::f32);
    for (std::int64_t y = 0; y < grid.size().height; ++y)
      for (std::int64_t x = 0; x < grid.size().width; ++x) {
        grid.view().row<float>(y)[2 * x] = static_cast<float>(static_cast<double>(8 * x) + rng.uniform(-3, 3));
        grid.view().row<float>(y)[2 * x + 1] = static_cast<float>(static_cast<double>(8 * y) + rng.uniform(-3, 3));
      }
    plan.displacement(grid, 8, Border::reflect_101);
  }
};

class DensitiesBeyondTheirRange final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    GoodAugmentation::draw(sample, rng, plan);
    const float gain = sample.size.width == 97 ? 5 : 1;
    plan.density_matrix({gain, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, {255, 255, 255});
  }
};

class CubeWithoutItsLastNode final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    GoodAugmentation::draw(sample, rng, plan);
    plan.colour_cube(2, std::vector<float>(sample.size.width == 97 ? 21 : 24));
  }
};

/// Warms up: does more after its first thousand pictures.
class WarmsUp final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    if (++drawn_ > 1000) rng.bits();
    GoodAugmentation::draw(sample, rng, plan);
  }

 private:
  mutable std::atomic<int> drawn_ = 0;
};

void mirror(const ImageView& v) {
  const auto bytes = static_cast<std::int64_t>(v.pixel_bytes());
  for (std::int64_t y = 0; y < v.height; ++y) {
    auto* row = v.row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < v.width / 2; ++x)
      std::swap_ranges(row + x * bytes, row + (x + 1) * bytes, row + (v.width - 1 - x) * bytes);
  }
}

class MovesThePictureAlone final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) { mirror(s.image); });
  }
};

class LeavesProbabilityMaps final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      mirror(s.image);
      if (!s.labels.empty()) mirror(s.labels);
    });
  }
};

/// A good one: everything moves.
class MirrorsPixels final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      mirror(s.image);
      if (!s.labels.empty()) mirror(s.labels);
      for (const ImageView& map : s.soft) mirror(map);
    });
  }
};

/// Good ones that change the picture alone, and may: colours, noise, a square painted over.
class PaintsOver final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    const auto seed = rng.bits();
    plan.pixels([seed](const SampleView& s) {
      Rng own(seed, "noise");
      const ImageView& image = s.image;
      for (std::int64_t y = 0; y < image.height; ++y) {
        auto* row = image.row<std::uint8_t>(y);
        for (std::int64_t x = 0; x < 3 * image.width; ++x)
          row[x] = y < image.height / 3 ? 128 : static_cast<std::uint8_t>(255 - (row[x] ^ own.integer(0, 15)));
      }
    });
  }
};

class SecondInstanceDiffers final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    if (second_) rng.bits();
    GoodAugmentation::draw(sample, rng, plan);
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class CallsRand final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    static_cast<void>(std::rand());
    GoodAugmentation::draw(sample, rng, plan);
  }
};

class KeepsItsNumber final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    plan.affine(Affine::rotation(scratch_.through(rng.uniform(-90, 90))), Border::constant);
  }

 private:
  mutable SharedScratch<double> scratch_;
};

class NeedsLabels final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      if (s.labels.size() != s.image.size()) throw std::runtime_error("labels are not of the picture's size");
    });
  }
};

}  // namespace

Fixture augmentation_fixture() {
  return {
      {subject_of<Augmentation, GoodAugmentation>("good"), subject_of<Augmentation, PaintsOver>("paints_over"),
       subject_of<Augmentation, MirrorsPixels>("mirrors_pixels")},
      {
          {"plans", "cannot be turned back", subject_of<Augmentation, ShrinksToNothing>("shrinks_to_nothing")},
          {"plans", "for the picture's size", subject_of<Augmentation, GridOfAnotherSize>("grid_of_another_size")},
          {"plans", "looks like positions", subject_of<Augmentation, GridOfPositions>("grid_of_positions")},
          {"plans", "beyond -4..4", subject_of<Augmentation, DensitiesBeyondTheirRange>("densities_beyond_range")},
          {"plans", "side * side * side", subject_of<Augmentation, CubeWithoutItsLastNode>("cube_without_a_node")},
          {"determinism", "a second instance", subject_of<Augmentation, SecondInstanceDiffers>("second_differs")},
          {"state", "it keeps state", subject_of<Augmentation, WarmsUp>("warms_up")},
          {"labels", "leaves its labels where they were",
           subject_of<Augmentation, MovesThePictureAlone>("picture_alone")},
          {"labels", "leaves its probability maps", subject_of<Augmentation, LeavesProbabilityMaps>("leaves_maps")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Augmentation, CallsRand>("calls_rand")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsItsNumber>("shared_scratch")},
          {"extremes", "labels are not of the picture's size", subject_of<Augmentation, NeedsLabels>("needs_labels")},
      }};
}

}  // namespace nephron::conformance
