#pragma once

#include <functional>

#include <host/store/picture.hpp>
#include <host/store/store_folder.hpp>

namespace nephron::host {

/// A reduction that has to be made, and why.
struct StalePart {
  Reduction reduction;
  std::string why;
};

/// What the picture of a slide should be.
struct PictureWish {
  std::filesystem::path source;       ///< empty: pixels are made
  std::vector<Reduction> reductions;  ///< ascending
  /// The version that a component which gives pixels has now; empty: it is not there. Without it any is as good.
  std::function<std::string(const std::string& component)> version;
};

/// A folder of the store that holds the pixels of one slide file, as one reader gives them.
class PictureFolder : public StoreFolder {
 public:
  using StoreFolder::StoreFolder;

  std::filesystem::path picture(Reduction r) const { return path() / ("picture-" + r.str() + ".tiff"); }
  std::filesystem::path tissue(Reduction r) const { return path() / ("tissue-" + r.str() + ".png"); }
  /// Whether the file of the tissue is the one that was written, which costs little: by its digest, or by what it shows
  /// where the record is an earlier nephron's and has none.
  bool holds_tissue(const PictureRecord& record) const;
  /// Throws Error that names the file when it is not that of the record.
  Tissue read_tissue(const PictureRecord& record) const;
  std::filesystem::path record_file(Reduction r) const { return path() / ("picture-" + r.str() + ".json"); }
  std::optional<PictureRecord> record(Reduction r) const { return read_if_good<PictureRecord>(record_file(r), r); }
  std::vector<Reduction> reductions() const { return reductions_in(path(), "picture"); }

  std::vector<StalePart> stale(const PictureWish& wish, Compare compare) const;

  /// Makes what is stale, unless another process does it meanwhile: then waits for it. `reader`: component and version
  /// that `source` reads with. `say` is told why before work begins. Returns true when something was made. Throws
  /// Error; what was there before a failure is then still there, or is made next time.
  bool prepare(const PictureWish& wish, Compare compare, const PictureSource& source, const std::string& reader,
               ThreadPool& threads, const std::function<void(std::int64_t)>& advance,
               const std::function<void(const std::string& why)>& say) const;

  /// Tells the records when files were last written to whose pixels were found to be theirs.
  void note_times(const FileTimes& times) const;
  /// The colours of the level, as the record has them, or measured now.
  std::optional<SlideColours> colours(const PictureRecord& record) const;
  /// Measures the colours that records of `reductions` lack: those of an earlier nephron.
  void note_colours(const std::vector<Reduction>& reductions) const;
  /// Tells the records where the source is now, when it is the one that was read.
  void note_moved_source(const PictureWish& wish) const;

 private:
  std::string why_stale(const PictureWish& wish, Reduction reduction, Compare compare) const;
  std::vector<StalePart> stale_of_size(const PictureWish& wish, Compare compare, Size size) const;
  void write(const std::vector<StalePart>& parts, const PictureWish& wish, const PictureSource& source,
             const std::string& reader, ThreadPool& threads, const std::function<void(std::int64_t)>& advance) const;
};

}  // namespace nephron::host
