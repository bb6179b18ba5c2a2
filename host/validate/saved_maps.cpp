#include <host/validate/saved_maps.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <nephron/folder_name.hpp>

#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

bool holds(const std::vector<std::string>& save, const char* what) {
  return std::find(save.begin(), save.end(), what) != save.end();
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

SavedMaps::SavedMaps(fs::path out, const std::vector<std::string>& save)
    : out_(std::move(out)), probabilities_(holds(save, "probabilities")), masks_(holds(save, "masks")) {}

void SavedMaps::begin(const std::string& slide, const std::vector<std::string>& classes, Size size) {
  const auto open = [&](const char* what, PngFilter filter) {
    Files files;
    for (const std::string& name : classes) {
      const fs::path file = out_ / what / folder_name(name) / (slide + ".png");
      make_folder(file.parent_path());
      files.push_back(std::make_unique<PngRows>(file, size, Depth::u8, PngOptions{.filter = filter}));
    }
    return files;
  };
  if (probabilities_) of_probabilities_ = open("probabilities", PngFilter::sub);
  if (masks_) of_masks_ = open("masks", PngFilter::up);
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
