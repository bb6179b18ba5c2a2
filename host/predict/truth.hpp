#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/dataset.hpp>
#include <nephron/image.hpp>

#include <host/config/experiment.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// How mask files say the class of a pixel: as one of the experiment's datasets codes its own.
struct MaskCoding {
  std::string name;                        ///< of the dataset
  std::shared_ptr<const Dataset> dataset;  ///< is a MaskFiles as well
};

/// The coding that `wanted` names: a dataset of the experiment, "plain", or "", which is the one dataset that reads
/// masks. None (an empty `dataset`) means plain masks: whatever is not black is foreground. Throws Error when `wanted`
/// is no such dataset, and when "" could be several; but masks in one folder a class are plain.
MaskCoding mask_coding(const std::string& wanted, const std::filesystem::path& folder, const Experiment& experiment,
                       const Registry& registry);

/// The true masks of pictures in a folder: FOLDER/CLASS/ID.* plain; else a file as the coding names it, or plain
/// FOLDER/ID.* where the experiment has one class and there is no coding. Beside plain masks, what is not black in
/// FOLDER/ignored/ID.* is ignored, unless a class is called so. Const calls are thread-safe.
class TruthFolder {
 public:
  TruthFolder(std::filesystem::path folder, std::vector<std::string> classes, MaskCoding coding = {});

  struct Masks {
    std::vector<Image> of_class;  ///< 255 or 0; empty when there is no file
    Image ignored = {};           ///< not 0: the pixel counts in no figure; empty: all count
    bool coded = false;           ///< other programs would not read the file alike
    /// A class each, whether the file says anything of it; empty: of all.
    std::vector<bool> known = {};
  };
  /// Throws Error when only some classes have a file, and for a size that is not the picture's.
  Masks read(const std::string& id, Size size) const;
  /// True when there is a file for this picture, for some class.
  bool has(const std::string& id) const;
  /// The files that read() looks for, for people.
  std::string looked_for(const std::string& id) const;

 private:
  std::filesystem::path class_file(const std::string& id, std::size_t c) const;
  std::filesystem::path shared_file(const std::string& id) const;
  /// Of a coded mask; empty where the coding has no word.
  std::vector<std::string> coded_names(const std::string& id) const;
  Masks read_coded(const std::filesystem::path& file, Size size) const;
  Image read_ignored(const std::string& id, Size size) const;

  std::filesystem::path folder_;
  std::vector<std::string> classes_;
  MaskCoding coding_;
};

/// The folder, among those of classes, of masks of ignored pixels; empty where a class is called so.
std::string ignored_folder(const std::vector<std::string>& classes);

/// One target channel of label bits: 255 or 0.
Image target_mask(const ImageView& labels, const ChannelRule& rule);

/// 255 where the map (f32) exceeds the threshold.
Image above(const ImageView& map, double threshold);

/// Where label bits have the one of ignored pixels, after those of the classes: 255 or 0. Empty: nowhere.
Image ignored_mask(const ImageView& labels, std::size_t classes);

/// Pixels where `ignored` is not 0 are left out; it may be empty: none.
double dice_of(const Image& predicted, const Image& truth, const Image& ignored = {});

}  // namespace nephron::host
