#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <host/data/prepared.hpp>
#include <host/feed/targets.hpp>
#include <host/metrics/slide_meter.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/tiling/tile_source.hpp>
#include <host/validate/saved_maps.hpp>

namespace nephron::host {

/// Measures what is predicted of one slide as its rows come. Everything that it is made of outlives it.
class MeasuringSink final : public ProbabilitySink {
 public:
  /// `curves`: a class each, or none.
  MeasuringSink(const PreparedSlide& slide, bool exclusive, const std::vector<double>& thresholds, SlideMeter& meter,
                std::vector<CurveCounts>& curves, SavedMaps& saved);
  void begin(Size, int) override {}
  void rows(std::int64_t y, std::span<const ImageView> classes) override;

 private:
  std::vector<Image> masks_of(std::span<const ImageView> classes) const;

  const PreparedSlide& slide_;
  bool exclusive_;
  const std::vector<double>& thresholds_;
  SlideMeter& meter_;
  std::vector<CurveCounts>& curves_;
  SavedMaps& saved_;
  RegionTargets targets_;
  std::vector<std::uint8_t> truth_;
};

}  // namespace nephron::host
