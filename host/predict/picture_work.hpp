#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <host/metrics/measure_tables.hpp>
#include <host/predict/kept_rows.hpp>
#include <host/predict/loaded_picture.hpp>
#include <host/predict/member.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_facts.hpp>
#include <host/predict/picture_metrics.hpp>
#include <host/predict/picture_outputs.hpp>
#include <host/predict/prediction_origin.hpp>

namespace nephron::host {

/// A picture whose files are written.
struct PictureResult {
  PictureFile picture;
  SeenPicture seen;
  std::optional<PictureScore> score{};  ///< where its truth is known
  std::optional<SlideRow> measured{};   ///< where its measures cannot be kept in a file
};

/// Makes of one picture all that a prediction is asked for: first its probabilities, then its files.
class PictureWork {
 public:
  /// A picture whose probabilities are there.
  struct Computed {
    PictureFile picture;
    std::shared_ptr<const LoadedPicture> loaded;
    std::shared_ptr<PictureOutputs> outputs;
    std::vector<std::unique_ptr<KeptRows>> kept{};  ///< of a large one, and of several members
  };
  /// The share of its work that is done, and what is being done.
  using Told = std::function<void(double, const std::string&)>;

  /// All outlive it. `metrics`: null: none.
  PictureWork(const PredictRequest& request, const std::vector<std::unique_ptr<Member>>& members,
              const OutputFolder& output, const PictureMetrics* metrics);

  /// Throws Error that says what is wrong with the picture, and where the disk has no room for its maps.
  LoadedPicture load(const PictureFile& picture) const;
  Computed compute(const PictureFile& picture, std::shared_ptr<const LoadedPicture> loaded, const Told& told) const;
  PictureResult write(Computed& computed) const;

 private:
  void keep(SlideRow row, PictureResult& result) const;
  std::vector<double> mask_thresholds() const;
  void require_room(const LoadedPicture& loaded) const;
  KeptRows rows_of(const PictureFile& picture, std::size_t member, const LoadedPicture& loaded) const;
  void ask(std::size_t member, const PictureFile& picture, const LoadedPicture& loaded, std::int64_t from_row,
           const Told& told, ProbabilitySink& sink) const;

  const PredictRequest& request_;
  const std::vector<std::unique_ptr<Member>>& members_;
  const OutputFolder& output_;
  const PredictSettings& settings_;  ///< of the first one, and what all share
  const std::vector<std::string>& classes_;
  const PictureMetrics* metrics_;
  std::string device_;  ///< "cpu" or "cuda"
  PredictionOrigin origin_;
  int planes_;  ///< maps that a member makes
};

}  // namespace nephron::host
