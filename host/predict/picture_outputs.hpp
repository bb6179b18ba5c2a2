#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/predict/enlarged_rows.hpp>
#include <host/predict/kept.hpp>
#include <host/predict/mask_outputs.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_scores.hpp>
#include <host/predict/picture_truth.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

class MapFile;

/// How masks are made of probabilities.
struct MaskRule {
  bool exclusive = false;  ///< the likeliest class, or none
  bool search = false;     ///< not yet: how many searched thresholds each pixel exceeds is written
  double threshold = 0.5;
};

/// A picture whose maps are written.
struct OutputPicture {
  std::string id;
  std::string file_name;
  Size size;                                  ///< its own
  double mpp = 0;                             ///< microns per pixel; 0: not known
  std::shared_ptr<const PictureTruth> truth;  ///< null: not known
  Reduction reduction;
};

/// Takes the probabilities of one picture, row by row at the level that the model works on, and writes what is kept of
/// them at the picture's own size; compares with its truth at both. Memory: a few rows, whatever the picture's size,
/// besides the truth. Files appear once they are finished.
class PictureOutputs final : public ProbabilitySink {
 public:
  PictureOutputs(const OutputFolder& output, const Kept& kept, const MaskRule& rule, std::vector<std::string> classes,
                 OutputPicture picture);
  ~PictureOutputs() override;
  void begin(Size size, int classes) override;
  void rows(std::int64_t y, std::span<const ImageView> classes) override;
  /// Once all rows were given. The score of a picture whose truth is known.
  std::optional<PictureScore> finish();

 private:
  void full_rows(std::int64_t y, std::span<const ImageView> maps);
  /// Masks of rows, a class each, or, where thresholds are searched, levels.
  std::vector<Image> decided(std::span<const ImageView> maps) const;
  void write_truth(const TruthFolder::Masks& rows);

  const OutputFolder& output_;
  Kept kept_;
  MaskRule rule_;
  std::vector<std::string> classes_;
  OutputPicture picture_;
  std::optional<EnlargedRows> enlarged_;
  std::vector<std::unique_ptr<MapFile>> maps_;
  std::optional<AllMaskOutputs> masks_;  ///< once thresholds are known
  std::vector<std::unique_ptr<PngRows>> levels_;
  std::vector<std::unique_ptr<PngRows>> truth_;  ///< a class each, where it is written out
  std::unique_ptr<PngRows> ignored_;
  std::optional<PictureScores> full_, reduced_;
};

}  // namespace nephron::host
