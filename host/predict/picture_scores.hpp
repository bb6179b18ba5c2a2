#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <nephron/image.hpp>

#include <host/metrics/dice.hpp>
#include <host/predict/picture_truth.hpp>
#include <host/predict/scores.hpp>
#include <host/predict/threshold_search.hpp>

namespace nephron::host {

/// Compares masks with the truth as their rows come, at one size of a picture.
class PictureScores {
 public:
  /// `reduction`: of that size.
  PictureScores(std::shared_ptr<const PictureTruth> truth, Reduction reduction, bool search);

  /// Rows from `y` on: masks of the classes, or levels where thresholds are searched.
  void add(std::int64_t y, std::span<const Image> rows);
  /// A value a class; 0 where thresholds are searched.
  std::vector<double> dice() const;
  /// A curve a class; none where no thresholds are searched.
  std::vector<std::vector<double>> curves() const;

 private:
  std::shared_ptr<const PictureTruth> truth_;
  Reduction reduction_;
  std::vector<Overlap> overlaps_;
  std::vector<CurveCounts> counts_;
};

}  // namespace nephron::host
