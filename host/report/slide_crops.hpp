#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/error.hpp>
#include <nephron/geometry.hpp>
#include <nephron/image.hpp>

#include <host/report/validation_record.hpp>
#include <host/runs/run.hpp>
#include <host/runs/validation_files.hpp>

namespace nephron::host {

/// A part of a slide with the outlines of what is true and what was predicted in it.
struct SlideCrop {
  Image picture;  ///< RGB, square
  Region region;  ///< of the slide, level-0 pixels
  /// Closed rings in pixels of the picture.
  std::vector<std::vector<Point>> truth, found;
};

/// A mask or a map that a validation saved is damaged: unlike a slide that is gone, no page is made of it.
class DamagedSaving : public Error {
 public:
  using Error::Error;
};

/// Pixels, truth and predictions of the slides that a run was validated on: out of its datasets as they are now, and of
/// the masks, else the maps, that the validation saved. One slide at a time is held.
class SlideCrops {
 public:
  /// Throws Error when the datasets cannot be asked.
  SlideCrops(const RunFolder& run, const ValidationRecord& record);
  ~SlideCrops();

  /// What a validation saved of a slide; false: outlines of predictions cannot be drawn.
  bool saved(std::size_t slide) const;
  /// From the slide's own pixels to those that it was measured at.
  double reduction(std::size_t slide);
  /// A square around `box` (of the level that was measured), `side` pixels wide. Throws Error that names the slide,
  /// DamagedSaving that names the file.
  SlideCrop crop(std::size_t slide, std::size_t class_index, const Region& box, std::int64_t side);

 private:
  struct Data;
  struct Open;
  const Open& open(std::size_t slide);
  /// What the validation saved of a class of a slide; empty: nothing.
  std::filesystem::path saved_file(ValidationFiles::Map map, const std::string& class_name, std::size_t slide) const;
  const ValidationRecord& record_;
  std::unique_ptr<Data> data_;
  std::unique_ptr<Open> open_;
};

}  // namespace nephron::host
