#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <nephron/augmentation.hpp>

#include <conformance/faults/faults.hpp>
#include <conformance/faults/label_faults.hpp>

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

/// A value for each slide, drawn with whatever Rng comes first.
class DrawsOnceASlide final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    const std::lock_guard lock(mutex_);
    const auto [found, fresh] = gains_.try_emplace(sample.slide, 0.0F);
    if (fresh) found->second = static_cast<float>(rng.uniform(0.8, 1.2));
    const float g = found->second;
    plan.colour_matrix({g, 0, 0, 0, 0, g, 0, 0, 0, 0, g, 0});
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, float> gains_;
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

/// Labels are bytes, as long as there are no more than eight classes.
class MirrorsLabelsByBytes final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      mirror(s.image);
      for (std::int64_t y = 0; y < s.labels.height; ++y)
        std::reverse(s.labels.row<std::uint8_t>(y), s.labels.row<std::uint8_t>(y) + s.labels.width);
      for (const ImageView& map : s.soft) mirror(map);
    });
  }
};

/// Some pixels to the right, at the place of memory where a row begins: the columns at the left keep what they had.
void shift(const ImageView& v, std::int64_t by) {
  const std::int64_t kept = std::min(by, v.width);
  const auto bytes = v.pixel_bytes();
  for (std::int64_t y = 0; y < v.height; ++y)
    std::memmove(v.row<std::uint8_t>(y) + static_cast<std::size_t>(kept) * bytes, v.row<std::uint8_t>(y),
                 static_cast<std::size_t>(v.width - kept) * bytes);
}

template <int by>
class ShiftsThePictureAlone final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) { shift(s.image, by); });
  }
};

/// Brighter as well, by which the colours tell no place.
class ShiftsAndLeavesMaps final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      shift(s.image, 9);
      if (!s.labels.empty()) shift(s.labels, 9);
      for (std::int64_t y = 0; y < s.image.height; ++y)
        for (std::int64_t x = 0; x < 3 * s.image.width; ++x) {
          std::uint8_t& value = s.image.row<std::uint8_t>(y)[x];
          value = static_cast<std::uint8_t>(std::min(255, value + 24));
        }
    });
  }
};

/// Turns the picture by 5 degrees about its middle, its labels not.
class TurnsThePictureAlone final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      const ImageView& v = s.image;
      std::vector<std::uint8_t> out(static_cast<std::size_t>(v.width * v.height * 3));
      for (std::int64_t y = 0; y < v.height; ++y)
        for (std::int64_t x = 0; x < v.width; ++x) {
          const auto i = x - v.width / 2, j = y - v.height / 2;
          const std::int64_t from_x = std::clamp<std::int64_t>(v.width / 2 + (996 * i - 87 * j) / 1000, 0, v.width - 1),
                             from_y =
                                 std::clamp<std::int64_t>(v.height / 2 + (87 * i + 996 * j) / 1000, 0, v.height - 1);
          std::copy_n(v.row<std::uint8_t>(from_y) + 3 * from_x, 3, out.data() + 3 * (y * v.width + x));
        }
      for (std::int64_t y = 0; y < v.height; ++y)
        std::copy_n(out.data() + 3 * y * v.width, 3 * v.width, v.row<std::uint8_t>(y));
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

/// Good ones that change the picture alone, and may: brightness, a motion blur to one side; colours, noise, a square
/// painted over.
class BrightensAndSmears final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    const double gain = rng.uniform(0.8, 1.2);
    const std::int64_t length = rng.integer(1, 9);
    plan.pixels([gain, length](const SampleView& s) {
      const ImageView& v = s.image;
      for (std::int64_t y = 0; y < v.height; ++y) {
        auto* row = v.row<std::uint8_t>(y);
        for (std::int64_t x = 0; x < v.width; ++x)
          for (std::int64_t c = 0; c < 3; ++c) {
            double sum = 0;
            for (std::int64_t k = 0; k < length; ++k) sum += row[3 * std::min(v.width - 1, x + k) + c];
            row[3 * x + c] =
                static_cast<std::uint8_t>(std::clamp(gain * sum / static_cast<double>(length), 0.0, 255.0));
          }
      }
    });
  }
};

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

/// The same once it has drawn a hundred times, such as from a table that is full.
class KeepsItsNumberLater final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    const double angle = rng.uniform(-90, 90);
    plan.affine(Affine::rotation(++drawn_ > 100 ? scratch_.through(angle) : angle), Border::constant);
  }

 private:
  mutable SharedScratch<double> scratch_;
  mutable std::atomic<int> drawn_ = 0;
};

/// Keeps the middle of the last size it saw, a while before it uses it.
class KeepsTheMiddle final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    const double middle = scratch_.through(static_cast<double>(sample.size.width) / 2);
    plan.affine(Affine::translation(rng.chance(0.5) ? middle : -middle, 0), Border::constant);
  }

 private:
  mutable SharedScratch<double> scratch_;
};

class RarelyShrinksToNothing final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng& rng, Plan& plan) const override {
    GoodAugmentation::draw(sample, rng, plan);
    if (rng.chance(0.003)) plan.affine(Affine::scaling(0, 0), Border::constant);
  }
};

class NeedsLabels final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      if (s.labels.size() != s.image.size()) throw std::runtime_error("labels are not of the picture's size");
    });
  }
};

/// Noise, in the way that lies nearest: from the Rng at hand.
class DrawsLater final : public GoodAugmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    plan.pixels([&rng](const SampleView& s) {
      for (std::int64_t y = 0; y < s.image.height; ++y)
        for (std::int64_t x = 0; x < 3 * s.image.width; ++x)
          s.image.row<std::uint8_t>(y)[x] ^= static_cast<std::uint8_t>(rng.integer(0, 15));
    });
  }
};

class LooksAtItsSampleLater final : public GoodAugmentation {
 public:
  void draw(const SampleInfo& sample, Rng&, Plan& plan) const override {
    plan.pixels([&sample](const SampleView& s) {
      if (sample.mpp != 0.5) s.image.row<std::uint8_t>(0)[0] ^= 1;
    });
  }
};

}  // namespace

Fixture augmentation_fixture() {
  Fixture out{
      {subject_of<Augmentation, GoodAugmentation>("good"), subject_of<Augmentation, PaintsOver>("paints_over"),
       subject_of<Augmentation, BrightensAndSmears>("brightens_and_smears"),
       subject_of<Augmentation, MirrorsPixels>("mirrors_pixels")},
      {
          {"plans", "cannot be turned back", subject_of<Augmentation, ShrinksToNothing>("shrinks_to_nothing")},
          {"plans", "for the picture's size", subject_of<Augmentation, GridOfAnotherSize>("grid_of_another_size")},
          {"plans", "looks like positions", subject_of<Augmentation, GridOfPositions>("grid_of_positions")},
          {"plans", "beyond -4..4", subject_of<Augmentation, DensitiesBeyondTheirRange>("densities_beyond_range")},
          {"plans", "side * side * side", subject_of<Augmentation, CubeWithoutItsLastNode>("cube_without_a_node")},
          {"afterwards", "draws from the Rng of draw()", subject_of<Augmentation, DrawsLater>("draws_later")},
          {"afterwards", "refers to the sample", subject_of<Augmentation, LooksAtItsSampleLater>("looks_later")},
          {"determinism", "a second instance", subject_of<Augmentation, SecondInstanceDiffers>("second_differs")},
          {"state", "it keeps state", subject_of<Augmentation, WarmsUp>("warms_up")},
          {"state", "asked in another order", subject_of<Augmentation, DrawsOnceASlide>("draws_once_a_slide")},
          {"state", "cannot be turned back",
           subject_of<Augmentation, RarelyShrinksToNothing>("rarely_shrinks_to_nothing")},
          {"labels", "leaves its labels where they were",
           subject_of<Augmentation, MovesThePictureAlone>("picture_alone")},
          {"labels", "leaves its labels", subject_of<Augmentation, ShiftsThePictureAlone<2>>("shifts_by_2")},
          {"labels", "leaves its labels", subject_of<Augmentation, ShiftsThePictureAlone<32>>("shifts_by_32")},
          {"labels", "leaves its labels", subject_of<Augmentation, TurnsThePictureAlone>("turns_the_picture")},
          {"labels", "leaves its probability maps", subject_of<Augmentation, LeavesProbabilityMaps>("leaves_maps")},
          {"labels", "leaves its probability maps", subject_of<Augmentation, ShiftsAndLeavesMaps>("shifts_not_maps")},
          {"labels", "labels of 16 bits", subject_of<Augmentation, MirrorsLabelsByBytes>("labels_by_bytes")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Augmentation, CallsRand>("calls_rand")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsItsNumber>("shared_scratch")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsTheMiddle>("keeps_the_middle")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsItsNumberLater>("keeps_it_later")},
          {"extremes", "labels are not of the picture's size", subject_of<Augmentation, NeedsLabels>("needs_labels")},
      }};
  add_label_fixture(out);
  return out;
}

}  // namespace nephron::conformance
