#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nephron/metric.hpp>

namespace nephron::conformance {

/// A slide of two classes whose objects are rectangles, so that its masks, its objects and what they have in common are
/// known without looking for them.
class MadeSlide {
 public:
  struct Square {
    std::size_t class_index;
    Region box;
    float confidence = 1;
  };

  /// What differs between slides.
  struct Wish {
    std::uint64_t seed = 1;
    bool truth = true;       ///< has true objects
    bool prediction = true;  ///< has predicted ones
    bool perfect = false;    ///< they are the true ones, and probabilities are 0 and 1
    float ignored = 0.2F;    ///< what is predicted where nothing is known
    bool redrawn = false;    ///< has other probabilities, on the same sides of the threshold
    double threshold = 0.5;  ///< moves with the probabilities: what is predicted stays
    Size size{96, 80};
  };
  explicit MadeSlide(Wish wish);

  MeasuredSlide slide() const;
  /// Shows its rows in bands, and its objects, to what needs them.
  void show(const Metric& metric, Measurement& measurement, std::int64_t band) const;
  std::vector<MetricValue> measured(const Metric& metric, std::int64_t band = 16) const;

 private:
  MeasuredObjects objects() const;
  void draw(const std::vector<Square>& squares, const std::vector<Image>& planes) const;
  void move_probabilities();

  Wish wish_;
  std::vector<Square> truth_, found_;
  std::vector<Image> probability_, predicted_, true_;
  Image ignored_;
};

}  // namespace nephron::conformance
