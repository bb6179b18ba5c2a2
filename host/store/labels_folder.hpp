#pragma once

#include <functional>

#include <host/store/label_map.hpp>
#include <host/store/picture_folder.hpp>

namespace nephron::host {

/// What the labels of a slide should be.
struct LabelsWish {
  std::string dataset;  ///< its name in the experiment
  std::string slide;    ///< id
  std::string plugin;   ///< component and plugin version that gives the annotation
  std::vector<std::filesystem::path> annotations;
  std::vector<std::string> classes;
  std::vector<Reduction> reductions;  ///< ascending
  bool annotated = false;
};

/// The slide that labels are made for.
struct LabelledSlide {
  std::string picture;  ///< its folder in pictures/
  Size size;
  double mpp = 0;
  FileStamp source;  ///< with its hash: some annotations name the slide too
};

/// A folder of the store that holds the labels of one slide, as one dataset and one list of classes give them. A slide
/// without annotation has records all the same: they say so, and which picture is its.
class LabelsFolder : public StoreFolder {
 public:
  using StoreFolder::StoreFolder;

  std::filesystem::path labels(Reduction r) const { return path() / ("labels-" + r.str() + ".tiff"); }
  std::filesystem::path record_file(Reduction r) const { return path() / ("labels-" + r.str() + ".json"); }
  std::optional<LabelsRecord> record(Reduction r) const { return read_if_good<LabelsRecord>(record_file(r), r); }
  std::vector<Reduction> reductions() const { return reductions_in(path(), "labels"); }
  /// Where the picture lies that a record tells of.
  PictureFolder picture_of(const LabelsRecord& record) const;

  std::vector<StalePart> stale(const LabelsWish& wish, Compare compare) const;
  void note_times(const FileTimes& times) const;  ///< as of pictures

  /// Makes what is stale, as PictureFolder::prepare() does. `annotate` asks the dataset for the annotation; it is
  /// called once at most, and only when labels have to be made.
  bool prepare(const LabelsWish& wish, Compare compare, const LabelledSlide& slide,
               const std::function<LabelSource()>& annotate, ThreadPool& threads,
               const std::function<void(const std::string& why)>& say) const;

 private:
  std::string why_stale(const LabelsWish& wish, Reduction reduction, Compare compare) const;
  std::vector<StalePart> stale_of(const LabelsWish& wish, Compare compare, const LabelledSlide& slide) const;
  void write(const std::vector<StalePart>& parts, const LabelsWish& wish, const LabelledSlide& slide,
             const std::function<LabelSource()>& annotate, ThreadPool& threads) const;
  void note_moved_annotations(const LabelsWish& wish) const;
};

}  // namespace nephron::host
