#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <nephron/image.hpp>

#include <host/predict/truth.hpp>
#include <host/store/reduction.hpp>
#include <host/util/partial_file.hpp>

// Where a threshold is searched, metrics cannot measure a picture while it is predicted: what they need of it is put
// into a file, from which it is measured once the threshold is found. No slide is read, no tile predicted again.
namespace nephron::host {

/// A picture whose rows wait to be measured.
struct UnmeasuredPicture {
  Size size;                ///< of the rows
  Reduction reduction;      ///< of the picture, to these
  double mpp = 0;           ///< microns per pixel of the picture; 0: not known
  std::vector<bool> known;  ///< a class each, whether its truth says anything of it
  bool ignores = false;     ///< its truth may ignore pixels
};

/// Writes the rows of a picture that follow each other from top to bottom. The file appears once they are whole.
class RowsToMeasure {
 public:
  /// Throws WriteError, as all that follows.
  RowsToMeasure(const std::filesystem::path& file, UnmeasuredPicture picture);
  /// `maps`: f32, a class each.
  void add(std::span<const ImageView> maps, const TruthFolder::Masks& truth);
  void finish();

  /// Bytes of the file.
  static std::int64_t bytes_of(Size size, std::size_t classes, bool ignores);

 private:
  void write(const void* bytes, std::size_t size);

  PartialFile partial_;
  std::unique_ptr<FILE, int (*)(FILE*)> open_;
  UnmeasuredPicture picture_;
};

/// Such a file, which is read once from top to bottom.
class UnmeasuredRows {
 public:
  struct Strip {
    std::int64_t y = 0;
    std::vector<Image> maps;
    TruthFolder::Masks truth;
  };
  /// Nothing where there is none, or none that is whole, of so many classes.
  static std::optional<UnmeasuredRows> open(const std::filesystem::path& file, std::size_t classes);
  const UnmeasuredPicture& picture() const noexcept { return picture_; }
  /// The next rows, at most `height`; none: that was all. Throws Error that names the file.
  std::optional<Strip> next(std::int64_t height);

 private:
  explicit UnmeasuredRows(std::filesystem::path file) : file_(std::move(file)) {}
  void read(void* to, std::size_t size);

  std::filesystem::path file_;
  std::unique_ptr<FILE, int (*)(FILE*)> open_{nullptr, std::fclose};
  UnmeasuredPicture picture_;
  std::int64_t y_ = 0;
};

}  // namespace nephron::host
