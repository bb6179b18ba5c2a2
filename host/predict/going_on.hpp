#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/predict/prediction_record.hpp>

// What a command must agree in with the prediction that it goes on with: results of different settings do not mix in
// one folder. Each throws Error that says what differs and how to go on.
namespace nephron::host {

/// `settings`: of all that values depend on, as JSON. `measures`: metrics are asked for; else none may have been.
void require_equal_settings(const PredictionRecord& before, const std::filesystem::path& folder,
                            const std::string& settings, bool measures);

/// Where truth comes from: a folder of masks, or a dataset's annotations, or neither.
struct TruthPlace {
  std::filesystem::path masks;  ///< absolute
  std::string masks_as, dataset;
};
/// Figures of different truths are of different things.
void require_equal_truth(const PredictionRecord& before, const std::filesystem::path& folder, const TruthPlace& now);

/// The words of --save, then and now together: what is asked for besides is made of all pictures. Less would leave a
/// folder where some pictures have more files than others.
std::vector<std::string> saved_of_both(const std::filesystem::path& folder, const std::vector<std::string>& now);

}  // namespace nephron::host
