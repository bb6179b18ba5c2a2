#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/predict/loaded_picture.hpp>
#include <host/predict/predict.hpp>

namespace nephron::host {

/// What a picture's header says.
struct PictureOutline {
  Size size;
  double mpp = 0;  ///< microns per pixel; 0: it does not say
};

/// Where the pictures of a prediction come from, and their truth. Const calls are thread-safe.
class PictureLoader {
 public:
  virtual ~PictureLoader() = default;
  /// In the order of their ids.
  virtual const std::vector<PictureFile>& pictures() const noexcept = 0;
  /// Throws Error that says what is wrong with the picture.
  virtual LoadedPicture load(const PictureFile& picture) const = 0;
  /// Without reading its pixels. Throws Error that says what is wrong with the picture.
  virtual PictureOutline outline(const PictureFile& picture) const = 0;
  /// True when truth is looked for at all.
  virtual bool compares() const noexcept = 0;
  virtual bool has_truth(const std::string& id) const = 0;
  /// Where the truth of a picture was looked for, for people.
  virtual std::string looked_for(const std::string& id) const = 0;
};

/// Files, and masks in a folder.
std::unique_ptr<PictureLoader> file_pictures(const PredictRequest& request, const PredictSettings& settings,
                                             const Experiment& experiment, const Registry& registry);
/// The slides of a dataset of the experiment, by name or type, and their annotations. Throws Error that names the
/// datasets when there is none like it.
std::unique_ptr<PictureLoader> dataset_pictures(const PredictRequest& request, const PredictSettings& settings,
                                                const Experiment& experiment, const Registry& registry);

}  // namespace nephron::host
