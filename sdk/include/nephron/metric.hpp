#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/geometry.hpp>
#include <nephron/image.hpp>
#include <nephron/plugin.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// A slide that is measured, at the level that it is measured at.
struct MeasuredSlide {
  std::string id;
  std::string group;  ///< name of its dataset
  Size size;
  double microns_per_pixel = 0;      ///< 0: not known
  std::vector<std::string> classes;  ///< that are predicted
  std::vector<double> thresholds;    ///< a class: a probability above it is a prediction
  Room room{};
};

/// Rows [y, y + height) of a slide, whole ones. A class each, in the order of MeasuredSlide::classes.
struct MeasuredRows {
  std::int64_t y = 0;
  std::int64_t height = 0;
  std::vector<ImageView> probability;  ///< one channel of f32, in [0, 1]
  std::vector<ImageView> predicted;    ///< one channel of u8: 1 where the probability is above its threshold
  std::vector<ImageView> truth;        ///< one channel of u8: 1 where the class is
  /// One channel of u8: not 0 where nothing is known of the class. predicted and truth are 0 there, and the probability
  /// must not count. No view at all: all pixels count.
  std::vector<ImageView> ignored;
  Room room{};
};

/// An 8-connected object of predicted or of truth, as the host makes them for all metrics: with its least area, and
/// holes filled or not. In pixels of the slide.
struct MeasuredObject {
  std::size_t class_index = 0;
  Region box;
  std::int64_t area = 0;
  Point centroid;
  double confidence = 1;        ///< largest probability of its pixels; 1 for true ones
  double mean_probability = 1;  ///< of its pixels; 1 for true ones
  /// The pixel in the middle of its box is one of an object of the same class of the other side.
  bool centre_hits = false;
  Room room{};
};

/// A found and a true object, of whatever classes, that have pixels in common. Closed: indices and a count.
struct ObjectPair {
  std::size_t found = 0;  ///< in MeasuredObjects::found
  std::size_t truth = 0;  ///< in MeasuredObjects::truth
  std::int64_t common = 0;
  double iou = 0;
};

/// All objects of a slide. Ignored pixels are in none.
struct MeasuredObjects {
  std::vector<MeasuredObject> found;
  std::vector<MeasuredObject> truth;
  std::vector<ObjectPair> pairs;  ///< by found, then by truth
  Room room{};
};

/// What the value of several slides is made of.
enum class PooledOver : std::uint8_t {
  slides,   ///< the mean of those slides where it is defined
  pixels,   ///< all slides' pixels as if they were one slide's: Measurement::add
  objects,  ///< all slides' objects likewise
};

enum class Better : std::uint8_t { higher, lower, neither };

struct MetricValue {
  static constexpr int all_classes = -1;
  static constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

  std::string name;  ///< "dice", "nsd@5um": letters, digits and ._-@
  int class_index = all_classes;
  double value = undefined;  ///< undefined: there is no such value here (README of the metric: when)
  PooledOver over = PooledOver::pixels;
  Better better = Better::higher;
  Room room{};
};

/// What is known of one slide, or of several that were added up. It belongs to one thread at a time.
class NEPHRON_API Measurement {
 public:
  virtual ~Measurement();

  /// From the top of the slide to its bottom, in bands of any height; rows that are left out do not count. Pixels
  /// belong to the host and are gone afterwards.
  virtual void rows(const MeasuredRows& rows);
  /// Once, after the last row.
  virtual void objects(const MeasuredObjects& objects);
  /// Adds what another measurement of this metric saw, after its last call.
  virtual void add(const Measurement& other) = 0;
  /// The same names and classes in the same order, whatever was seen; nothing at all counts as empty.
  virtual std::vector<MetricValue> values() const = 0;
};

/// What a metric is shown.
struct MetricNeeds {
  static constexpr std::uint32_t rows = 1;
  static constexpr std::uint32_t objects = 2;
};

/// Says how good predictions are. All metrics see a slide in one pass over its rows. Const calls are thread-safe:
/// slides are measured side by side. An Error costs the slide, and is told as this component's.
class NEPHRON_API Metric : public Component {
 public:
  static constexpr std::string_view kind = "metric";
  ~Metric() override;

  /// MetricNeeds, as bits: what is not asked for is not made.
  virtual std::uint32_t needs() const;
  /// Begins a slide, or what several are added to: then only classes and thresholds are set.
  virtual std::unique_ptr<Measurement> begin(const MeasuredSlide& slide) const = 0;
};

}  // namespace nephron
