#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <host/store/label_map.hpp>
#include <host/store/picture.hpp>
#include <host/store/record.hpp>

namespace nephron::host {

/// What one prepared slide should be.
struct SlideWish {
  std::string dataset;  ///< name in the experiment
  std::string slide;    ///< id
  std::string plugin;   ///< component and plugin version
  std::filesystem::path source;
  std::vector<std::filesystem::path> annotations;
  std::vector<std::string> classes;
  std::vector<int> factors;  ///< ascending
  bool annotated = false;
};

/// A slide that is open for preparing, and its annotation.
struct SlideContent {
  PictureSource picture;
  /// Asks the dataset for the annotation; called once, and only when labels have to be made.
  std::function<LabelSource()> labels;
};

/// A folder of the store: one slide of one dataset.
///
///     picture.tiff  tissue.png  slide.json        the pixels, where they are tissue, and what they were made from
///     labels-KEY.tiff           labels-KEY.json   the labels for one list of classes
///
/// A JSON file is written last and removed first: where it stands, its files are whole.
class SlideFolder {
 public:
  explicit SlideFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& path() const noexcept { return folder_; }
  std::filesystem::path picture() const { return folder_ / "picture.tiff"; }
  std::filesystem::path tissue() const { return folder_ / "tissue.png"; }
  std::filesystem::path picture_record() const { return folder_ / "slide.json"; }
  std::filesystem::path labels(const std::vector<std::string>& classes) const;
  std::filesystem::path labels_record(const std::vector<std::string>& classes) const;

  /// Why something has to be made; empty: it is up to date.
  struct Stale {
    std::string picture, labels;
    bool any() const { return !picture.empty() || !labels.empty(); }
  };
  /// How sources and annotation files are compared with those that were read.
  enum class Compare {
    stamps,         ///< places, sizes and times
    when_in_doubt,  ///< contents, where those differ and the size does not: a file that moved is the same file
    contents,       ///< contents
  };
  Stale stale(const SlideWish& wish, Compare compare = Compare::stamps) const;

  /// Makes what is stale, keeping factors that are there besides, unless another process does it meanwhile: then waits
  /// for it. `open` is called only when something has to be made, and is told why. Returns true when something was
  /// made. Throws Error; what was there before a failure is then still there, or is made next time.
  bool prepare(const SlideWish& wish, Compare compare, const std::function<SlideContent(const Stale&)>& open,
               ThreadPool& threads, const std::function<void(std::int64_t)>& advance) const;

 private:
  void make_picture(const SlideWish& wish, const SlideContent& content, ThreadPool& threads,
                    const std::function<void(std::int64_t)>& advance) const;
  void make_labels(const SlideWish& wish, const SlideContent& content, ThreadPool& threads) const;
  void require_own_files(const std::vector<std::string>& classes) const;
  void remove_leftovers() const;
  void note_moved_files(const SlideWish& wish) const;
  std::string changed(const FileStamp& then, const std::filesystem::path& file, Compare compare) const;
  FileStamp stamp(const std::filesystem::path& file) const;
  std::filesystem::path part(const std::filesystem::path& file) const;

  std::filesystem::path folder_;
};

/// Holds a slide's folder: several readers, or one writer, on one machine or on disks that know locks. Ends with the
/// process, however that ends.
class SlideLock {
 public:
  enum class For { reading, writing };
  /// Waits for others; throws Cancelled after Ctrl-C, and Error when the folder cannot be written into.
  SlideLock(const SlideFolder& folder, For what);
  ~SlideLock();
  SlideLock(const SlideLock&) = delete;
  SlideLock& operator=(const SlideLock&) = delete;

 private:
  int fd_ = -1;
};

/// A short name for a text: the first characters of its hash.
std::string short_key(const std::string& text);

}  // namespace nephron::host
