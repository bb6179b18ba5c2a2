#include <host/validate/saved_maps.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

bool holds(const std::vector<std::string>& save, ValidationFiles::Map map) {
  return std::find(save.begin(), save.end(), name_of(map)) != save.end();
}

/// `byte`: of a pixel at (x, y).
template <class Byte>
Image bytes_of(Size size, const Byte& byte) {
  Image out(size, 1);
  for (std::int64_t y = 0; y < size.height; ++y) {
    auto* const row = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < size.width; ++x) row[x] = byte(x, y);
  }
  return out;
}

}  // namespace

SavedMaps::SavedMaps(ValidationFiles files, const std::vector<std::string>& save)
    : files_(std::move(files)),
      probabilities_(holds(save, ValidationFiles::Map::probabilities)),
      masks_(holds(save, ValidationFiles::Map::masks)) {}

void SavedMaps::begin(const ValidationFiles::Slide& slide, const std::vector<std::string>& classes, Size size) {
  const auto open = [&](ValidationFiles::Map map, PngFilter filter) {
    Files files;
    for (const std::string& name : classes) {
      const fs::path file = files_.map(map, name, slide);
      make_folder(file.parent_path());
      files.push_back(std::make_unique<PngRows>(file, size, Depth::u8, PngOptions{.filter = filter}));
    }
    return files;
  };
  if (probabilities_) of_probabilities_ = open(ValidationFiles::Map::probabilities, PngFilter::sub);
  if (masks_) of_masks_ = open(ValidationFiles::Map::masks, PngFilter::up);
}

void SavedMaps::rows(std::size_t c, const ImageView& probability, const ImageView& mask) {
  if (probabilities_)
    of_probabilities_[c]->write(bytes_of(probability.size(), [&](std::int64_t x, std::int64_t y) {
                                  const float p = std::clamp(probability.row<const float>(y)[x], 0.0F, 1.0F);
                                  return static_cast<std::uint8_t>(std::lround(255 * p));
                                }).view());
  if (masks_)
    of_masks_[c]->write(bytes_of(mask.size(), [&](std::int64_t x, std::int64_t y) {
                          return static_cast<std::uint8_t>(mask.row<const std::uint8_t>(y)[x] != 0 ? 255 : 0);
                        }).view());
}

void SavedMaps::finish() {
  for (Files* files : {&of_probabilities_, &of_masks_}) {
    for (const auto& file : *files) file->finish();
    files->clear();
  }
}

}  // namespace nephron::host
