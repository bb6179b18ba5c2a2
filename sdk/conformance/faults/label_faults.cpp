#include <conformance/faults/label_faults.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <nephron/augmentation.hpp>

namespace nephron::conformance {

namespace {

/// A copy of the pixels, and where they go.
struct Pixels {
  explicit Pixels(const ImageView& v) : view(v), bytes(static_cast<std::int64_t>(v.pixel_bytes())) {
    for (std::int64_t y = 0; y < v.height; ++y)
      copy.insert(copy.end(), v.row<std::uint8_t>(y), v.row<std::uint8_t>(y) + v.width * bytes);
  }
  const std::uint8_t* at(std::int64_t x, std::int64_t y) const {
    return copy.data() + (std::clamp<std::int64_t>(y, 0, view.height - 1) * view.width +
                          std::clamp<std::int64_t>(x, 0, view.width - 1)) *
                             bytes;
  }
  ImageView view;
  std::int64_t bytes;
  std::vector<std::uint8_t> copy;
};

/// Turned about the middle, and larger: where a pixel comes from.
struct Turn {
  double turn, zoom;
  struct Place {
    double x, y;
  };
  Place source(const ImageView& v, std::int64_t x, std::int64_t y) const {
    const double u = static_cast<double>(x) - static_cast<double>(v.width) / 2,
                 w = static_cast<double>(y) - static_cast<double>(v.height) / 2;
    return {static_cast<double>(v.width) / 2 + (std::cos(turn) * u + std::sin(turn) * w) / zoom,
            static_cast<double>(v.height) / 2 + (std::cos(turn) * w - std::sin(turn) * u) / zoom};
  }
};

void turn_linearly(const ImageView& v, const Turn& turn) {
  const Pixels from(v);
  for (std::int64_t y = 0; y < v.height; ++y)
    for (std::int64_t x = 0; x < v.width; ++x) {
      const Turn::Place p = turn.source(v, x, y);
      const auto left = static_cast<std::int64_t>(std::floor(p.x)), top = static_cast<std::int64_t>(std::floor(p.y));
      const double u = p.x - static_cast<double>(left), w = p.y - static_cast<double>(top);
      for (std::int64_t c = 0; c < from.bytes; ++c) {
        const auto row = [&](std::int64_t j) { return (1 - u) * from.at(left, j)[c] + u * from.at(left + 1, j)[c]; };
        v.row<std::uint8_t>(y)[from.bytes * x + c] =
            static_cast<std::uint8_t>((1 - w) * row(top) + w * row(top + 1));  // not rounded: half a level too dark
      }
    }
}

/// `beside`: pixels that are taken from too far to the right.
void turn_to_nearest(const ImageView& v, const Turn& turn, int beside) {
  const Pixels from(v);
  for (std::int64_t y = 0; y < v.height; ++y)
    for (std::int64_t x = 0; x < v.width; ++x) {
      const Turn::Place p = turn.source(v, x + beside, y);
      std::memcpy(v.row<std::uint8_t>(y) + from.bytes * x, from.at(std::lround(p.x), std::lround(p.y)),
                  static_cast<std::size_t>(from.bytes));
    }
}

/// Turns by some degrees, brighter too; `labels`, `maps`: how far beside the picture they end.
template <int labels, int maps>
class Turns final : public Augmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    const Turn turn{rng.uniform(-0.7, 0.7), rng.uniform(0.8, 1.25)};
    const int brighter = static_cast<int>(rng.integer(0, 20));
    plan.pixels([turn, brighter](const SampleView& s) {
      turn_linearly(s.image, turn);
      for (std::int64_t y = 0; y < s.image.height; ++y)
        for (std::int64_t x = 0; x < 3 * s.image.width; ++x) {
          std::uint8_t& value = s.image.row<std::uint8_t>(y)[x];
          value = static_cast<std::uint8_t>(std::min(255, value + brighter));
        }
      if (!s.labels.empty()) turn_to_nearest(s.labels, turn, labels);
      for (const ImageView& map : s.soft) turn_to_nearest(map, turn, maps);
    });
  }
};

/// Mirrors; labels to one pixel beside, as width - x is.
class MirrorsLabelsToWidth final : public Augmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      mirror(s.image, 1);
      if (!s.labels.empty()) mirror(s.labels, 0);
      for (const ImageView& map : s.soft) mirror(map, 1);
    });
  }

 private:
  static void mirror(const ImageView& v, std::int64_t less) {
    const Pixels from(v);
    for (std::int64_t y = 0; y < v.height; ++y)
      for (std::int64_t x = 0; x < v.width; ++x)
        std::memcpy(v.row<std::uint8_t>(y) + from.bytes * x, from.at(v.width - less - x, y),
                    static_cast<std::size_t>(from.bytes));
  }
};

/// Labels have one byte or two, as long as there are no more than 16 classes.
class ShiftsLabelsOfTwoBytes final : public Augmentation {
 public:
  void draw(const SampleInfo&, Rng&, Plan& plan) const override {
    plan.pixels([](const SampleView& s) {
      shift(s.image, s.image.pixel_bytes());
      if (!s.labels.empty()) shift(s.labels, s.labels.depth == Depth::u8 ? 1 : 2);
      for (const ImageView& map : s.soft) shift(map, 1);
    });
  }

 private:
  static void shift(const ImageView& v, std::size_t bytes) {
    const std::size_t row = static_cast<std::size_t>(v.width) * v.pixel_bytes(), by = std::min(row, 9 * bytes);
    for (std::int64_t y = 0; y < v.height; ++y)
      std::memmove(v.row<std::uint8_t>(y) + by, v.row<std::uint8_t>(y), row - by);
  }
};

}  // namespace

void add_label_fixture(Fixture& to) {
  to.good.push_back(subject_of<Augmentation, Turns<0, 0>>("turns_all"));
  for (Fault& fault : std::vector<Fault>{
           {"labels", "moves labels beside the picture", subject_of<Augmentation, Turns<1, 0>>("labels_a_pixel_off")},
           {"labels", "moves labels beside the picture",
            subject_of<Augmentation, MirrorsLabelsToWidth>("mirrors_to_w")},
           {"labels", "moves probability maps (SampleView::soft) beside the picture",
            subject_of<Augmentation, Turns<0, -1>>("maps_a_pixel_off")},
           {"labels", "labels of 32 bits", subject_of<Augmentation, ShiftsLabelsOfTwoBytes>("labels_of_two_bytes")},
       })
    to.faults.push_back(std::move(fault));
}

}  // namespace nephron::conformance
