#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/metrics/slide_meter.hpp>
#include <host/predict/enlarged_rows.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/mask_outputs.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_scores.hpp>
#include <host/predict/picture_truth.hpp>
#include <host/predict/unmeasured_rows.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

class MapFile;

/// How masks are made of probabilities.
struct MaskRule {
  bool exclusive = false;          ///< the likeliest class, or none
  bool search = false;             ///< not yet: how many searched thresholds each pixel exceeds is written
  std::vector<double> thresholds;  ///< a class each
};

/// A picture whose maps are written.
struct OutputPicture {
  std::string id;
  std::string file_name;
  Size size;                                  ///< its own
  double mpp = 0;                             ///< microns per pixel; 0: not known
  std::shared_ptr<const PictureTruth> truth;  ///< null: not known
  Reduction reduction;                        ///< of the rows that are given
  std::string group{};                        ///< name of its dataset
};

/// What the comparison of a picture with its truth came to.
struct ComparedPicture {
  PictureScore score;
  std::optional<SlideMeasures> measures;  ///< where metrics are asked for, and no threshold is searched
};

/// Takes the probabilities of one picture, row by row at the level that the model works on, and writes what is kept of
/// them at the picture's own size; compares with its truth at both. Memory: a few rows, whatever the picture's size,
/// besides the truth. Files appear once they are finished.
class PictureOutputs final : public ProbabilitySink {
 public:
  /// `metrics`: measure a picture whose truth is known; null: none. They outlive it.
  PictureOutputs(const OutputFolder& output, const Kept& kept, const MaskRule& rule, std::vector<std::string> classes,
                 OutputPicture picture, const MetricSet* metrics);
  ~PictureOutputs() override;
  /// `planes`: maps of the classes, and, where those of flips are kept, of each flip and class.
  void begin(Size size, int planes) override;
  void rows(std::int64_t y, std::span<const ImageView> planes) override;
  /// Once all rows were given. `origin`: what files tell of how they were made (prediction_origin.hpp). Gives back
  /// nothing of a picture whose truth is not known.
  std::optional<ComparedPicture> finish(const std::string& origin);

 private:
  void full_rows(std::int64_t y, std::span<const ImageView> planes);
  /// Masks of rows, a class each, or, where thresholds are searched, levels.
  std::vector<Image> decided(std::span<const ImageView> maps) const;
  void write_truth(const TruthFolder::Masks& rows);
  void begin_comparison(Size level);

  const OutputFolder& output_;
  Kept kept_;
  MaskRule rule_;
  std::vector<std::string> classes_;
  OutputPicture picture_;
  const MetricSet* metrics_;
  std::optional<EnlargedRows> enlarged_;
  std::vector<std::unique_ptr<MapFile>> maps_;
  std::vector<std::unique_ptr<MapFile>> of_flips_;  ///< the classes of the first flip, then of the second
  std::optional<AllMaskOutputs> masks_;             ///< once thresholds are known
  std::vector<std::unique_ptr<PngRows>> levels_;
  std::vector<std::unique_ptr<PngRows>> truth_;  ///< a class each, where it is written out
  std::unique_ptr<PngRows> ignored_;
  std::optional<PictureScores> full_, reduced_;
  std::optional<TruthDigest> truth_digest_;
  std::optional<SlideMeter> meter_;          ///< at the level of the rows that are given
  std::optional<RowsToMeasure> unmeasured_;  ///< in its place, where thresholds are searched
};

}  // namespace nephron::host
