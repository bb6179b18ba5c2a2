#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <nephron/object_matching.hpp>

#include <host/metrics/dice.hpp>
#include <host/objects/object_finder.hpp>

namespace nephron::host {

/// Pairs of found and true objects, each of one mask, that have pixels in common: by found, then by truth. Indices are
/// counted from `first_found` and `first_truth`. Takes no longer than sorting their runs.
std::vector<ObjectPair> pairs_of(std::span<const FoundObject> found, std::span<const FoundObject> truth,
                                 std::size_t first_found = 0, std::size_t first_truth = 0);

/// For each object, whether the pixel in the middle of its box is one of the others, which are of one mask.
std::vector<bool> centre_hits(std::span<const FoundObject> objects, std::span<const FoundObject> others);

/// What two masks of one class hold, found and true.
struct ComparedObjects {
  std::vector<FoundObject> found, truth;
  Overlap overlap;  ///< of the pixels of the masks
};

/// Compares two masks of one class, both shown row by row once. Masks are u8: not 0 is the class.
class ObjectComparison {
 public:
  explicit ObjectComparison(ObjectOptions options = {}) : found_(options), truth_(options) {}
  /// Rows [y, y + height), in rising order; `probability`: f32, or empty. Throws Error when sizes differ.
  void rows(std::int64_t y, const ImageView& predicted, const ImageView& truth, const ImageView& probability = {});
  ComparedObjects finish();

 private:
  ObjectFinder found_, truth_;
  Overlap overlap_;
  std::vector<RowRun> predicted_runs_, truth_runs_;  ///< of a row
};

/// Of objects of several classes: what metrics of objects are shown.
MeasuredObjects measured_objects(std::span<const ComparedObjects> classes);

}  // namespace nephron::host
