#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/data/fold_slides.hpp>
#include <host/predict/picture_facts.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/scores.hpp>
#include <host/runs/run.hpp>

namespace nephron::host {

/// The slides that networks of some folds were trained on, from the slides.json of each, to tell pictures that are
/// among them. Equal digests are equal pixels, whatever files are called; where a run has the digest of a slide at the
/// reduction of the prediction, another digest is another picture, whatever its name. The file of a slide, and a copy
/// of it under its name, count all the same: they may have been read in another way. Slides without such a digest (of
/// older runs, or of another reduction) are told by any file of their content, and by their name, for they may have
/// been written out as pictures. Folds of runs that have no slides.json say nothing.
class TrainedSlides {
 public:
  TrainedSlides() = default;  ///< none is known
  TrainedSlides(const RunFolder& run, const std::vector<int>& folds);
  /// `seen`: once its pixels are known. Before, only that is told which they cannot change.
  std::optional<TrainedOn> find(const PictureFile& picture, const std::optional<SeenPicture>& seen);

 private:
  struct Slide {
    std::string name, digest;
    std::filesystem::path file;  ///< empty: none
    double reduction = 0;
    int fold = 0;
  };
  using Index = std::map<std::string, std::vector<std::size_t>>;  ///< of slides_

  void add(const SlideEntry& slide, int fold);
  /// What the slides of an entry that `counts` make of it; nothing where there are none.
  template <class Counts>
  std::optional<TrainedOn> known(const Index& index, const std::string& key, const char* by,
                                 const Counts& counts) const;
  bool equal_files(const std::filesystem::path& a, const std::filesystem::path& b);
  const std::string& sha256(const std::filesystem::path& file);

  std::vector<Slide> slides_;
  Index by_digest_, by_file_, by_size_, by_name_;
  std::map<std::filesystem::path, std::string> sha256_;
};

}  // namespace nephron::host
