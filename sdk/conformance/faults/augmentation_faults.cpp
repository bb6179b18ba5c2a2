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
  void draw(Size, Rng& rng, Plan& plan) const override { plan.flip(rng.chance(0.5), rng.chance(0.5)); }
};

class ShrinksToNothing final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    GoodAugmentation::draw(size, rng, plan);
    if (size.width == 97) plan.affine(Affine::scaling(0, 0), Border::constant);
  }
};

class FieldOfAnotherSize final : public GoodAugmentation {
 public:
  void draw(Size size, Rng&, Plan& plan) const override {
    const std::int64_t width = size.width == 97 ? 96 : size.width;
    plan.displacement(Image({width, size.height}, 2, Depth::f32), Border::reflect_101);
  }
};

class FieldOfOffsets final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    Image field(size, 2, Depth::f32);
    for (std::int64_t y = 0; y < size.height; ++y)
      for (std::int64_t x = 0; x < 2 * size.width; ++x)
        field.view().row<float>(y)[x] = static_cast<float>(rng.uniform(-3, 3));
    plan.displacement(field, Border::reflect_101);
  }
};

/// Warms up: does more after its first thousand pictures.
class WarmsUp final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    if (++drawn_ > 1000) rng.bits();
    GoodAugmentation::draw(size, rng, plan);
  }

 private:
  mutable std::atomic<int> drawn_ = 0;
};

class MovesThePictureAlone final : public GoodAugmentation {
 public:
  void draw(Size, Rng&, Plan& plan) const override {
    plan.pixels([](const ImageView& image, const ImageView&) {
      for (std::int64_t y = 0; y < image.height; ++y) {
        auto* row = image.row<std::uint8_t>(y);
        for (std::int64_t x = 0; x < image.width / 2; ++x)
          for (int c = 0; c < 3; ++c) std::swap(row[3 * x + c], row[3 * (image.width - 1 - x) + c]);
      }
    });
  }
};

/// Good ones that change the picture alone, and may: colours, noise, a square painted over.
class PaintsOver final : public GoodAugmentation {
 public:
  void draw(Size, Rng& rng, Plan& plan) const override {
    const auto seed = rng.bits();
    plan.pixels([seed](const ImageView& image, const ImageView&) {
      Rng own(seed, "noise");
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
  void draw(Size size, Rng& rng, Plan& plan) const override {
    if (second_) rng.bits();
    GoodAugmentation::draw(size, rng, plan);
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class CallsRand final : public GoodAugmentation {
 public:
  void draw(Size size, Rng& rng, Plan& plan) const override {
    static_cast<void>(std::rand());
    GoodAugmentation::draw(size, rng, plan);
  }
};

class KeepsItsNumber final : public GoodAugmentation {
 public:
  void draw(Size, Rng& rng, Plan& plan) const override {
    plan.affine(Affine::rotation(scratch_.through(rng.uniform(-90, 90))), Border::constant);
  }

 private:
  mutable SharedScratch<double> scratch_;
};

class NeedsLabels final : public GoodAugmentation {
 public:
  void draw(Size, Rng&, Plan& plan) const override {
    plan.pixels([](const ImageView& image, const ImageView& labels) {
      if (labels.size() != image.size()) throw std::runtime_error("labels are not of the picture's size");
    });
  }
};

}  // namespace

Fixture augmentation_fixture() {
  return {
      {subject_of<Augmentation, GoodAugmentation>("good"), subject_of<Augmentation, PaintsOver>("paints_over")},
      {
          {"plans", "cannot be turned back", subject_of<Augmentation, ShrinksToNothing>("shrinks_to_nothing")},
          {"plans", "of the picture's size", subject_of<Augmentation, FieldOfAnotherSize>("field_of_another_size")},
          {"plans", "looks like offsets", subject_of<Augmentation, FieldOfOffsets>("field_of_offsets")},
          {"determinism", "a second instance", subject_of<Augmentation, SecondInstanceDiffers>("second_differs")},
          {"state", "it keeps state", subject_of<Augmentation, WarmsUp>("warms_up")},
          {"labels", "leaves its labels where they were",
           subject_of<Augmentation, MovesThePictureAlone>("picture_alone")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Augmentation, CallsRand>("calls_rand")},
          {"threads", "from several threads at once", subject_of<Augmentation, KeepsItsNumber>("shared_scratch")},
          {"extremes", "labels are not of the picture's size", subject_of<Augmentation, NeedsLabels>("needs_labels")},
      }};
}

}  // namespace nephron::conformance
