#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nephron/geometry.hpp>

#include <host/html/chart.hpp>
#include <host/metrics/dice.hpp>

namespace nephron::host {

/// What is not known.
inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// A slide that was measured. Pixels are those of the level that it was measured at.
struct ValidatedSlide {
  struct OfClass {
    std::string name;                                    ///< empty: of all classes together
    std::vector<std::pair<std::string, double>> values;  ///< `unknown` where one is undefined
  };
  std::string id, dataset;
  int fold = -1;  ///< -1: not said
  Size size;
  double mpp = unknown;
  std::vector<OfClass> classes;
};

/// An object of a slide, found or true, and the one of the other side that it has most in common with.
struct ValidatedObject {
  std::size_t slide = 0;  ///< index into ValidationRecord::slides
  bool found = false;
  std::int64_t number = 0;  ///< of its side
  std::size_t class_index = 0;
  Region box;
  std::int64_t area = 0;      ///< px
  double diameter = unknown;  ///< of a circle of that area, um
  double confidence = unknown;
  double iou = 0;
  std::optional<std::int64_t> other;  ///< number of it; nothing: it touches none
  std::size_t other_class = 0;
};

/// What `nephron validate` wrote into a folder: scores.json, slides.jsonl and objects.jsonl, each checked, and one
/// against the other.
struct ValidationRecord {
  struct Searched {  ///< Dice by threshold, of a class
    std::string class_name;
    double best_threshold = 0;
    Spread at_best, own_best, at_half;
    std::optional<Spread> crossed;  ///< each fold at the threshold of the others
    std::vector<double> thresholds, mean;
    std::vector<std::vector<double>> curves;  ///< a slide
  };
  struct Pooled {
    std::string metric, name, class_name;  ///< class "": of all
    double value = unknown, mean = unknown, deviation = unknown;
    std::string over;
    std::int64_t slides = 0;
  };
  struct Curve {
    std::string metric, name, class_name, x_label, y_label;
    Points points;
  };

  std::filesystem::path folder;
  std::vector<std::string> classes, metrics, tta;
  std::vector<int> folds;
  std::string checkpoint, precision;
  bool exclusive = false, complete = true;
  std::string weights_since;       ///< empty: of the weights that the run has now (validation_state.hpp)
  std::vector<double> thresholds;  ///< a class; none where classes exclude each other
  std::vector<Searched> searched;
  std::vector<Pooled> values;
  std::vector<Curve> curves;
  std::map<std::string, std::string> failures;
  std::vector<ValidatedSlide> slides;
  std::vector<ValidatedObject> objects;

  /// A pooled value of a class; null where there is none.
  const Pooled* value(const std::string& name, const std::string& class_name) const;
};

/// Nothing where the folder holds no validation. Throws Error that names file and place for anything but what was
/// written.
std::optional<ValidationRecord> read_validation(const std::filesystem::path& folder);

}  // namespace nephron::host
