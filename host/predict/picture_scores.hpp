#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <nephron/image.hpp>

#include <host/metrics/dice.hpp>
#include <host/predict/scores.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/predict/truth.hpp>

namespace nephron::host {

/// Compares masks with the truth as their rows come, at one size of a picture.
class PictureScores {
 public:
  /// `known`: a class each, whether the truth says anything of it.
  PictureScores(std::vector<bool> known, bool search);

  /// Some rows and their truth: masks of the classes, or levels where thresholds are searched.
  void add(const TruthFolder::Masks& truth, std::span<const Image> rows);
  /// A value a class; 0 where thresholds are searched, no number where nothing is known of the class.
  std::vector<double> dice() const;
  /// A curve a class, an empty one where nothing is known of it; none where no thresholds are searched.
  std::vector<std::vector<double>> curves() const;

 private:
  std::vector<bool> known_;
  std::vector<Overlap> overlaps_;
  std::vector<CurveCounts> counts_;
};

}  // namespace nephron::host
