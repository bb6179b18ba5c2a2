#include <host/predict/truth.hpp>

#include <algorithm>
#include <span>

#include <nephron/error.hpp>

#include <host/metrics/dice.hpp>
#include <host/predict/picture_file.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string text(Size size) { return std::to_string(size.width) + " x " + std::to_string(size.height); }

std::span<const std::uint8_t> bytes(const Image& mask) {
  return {mask.view().row<const std::uint8_t>(0), static_cast<std::size_t>(mask.size().area())};
}

fs::path truth_file(const fs::path& folder, const std::string& id, const std::string& name, std::size_t classes) {
  fs::path file = find_picture(folder / name, id);
  if (file.empty() && classes == 1) file = find_picture(folder, id);
  return file;
}

}  // namespace

std::vector<Image> read_truth(const fs::path& folder, const std::string& id, const std::vector<std::string>& classes,
                              Size size) {
  std::vector<fs::path> files;
  for (const std::string& name : classes) {
    fs::path file = truth_file(folder, id, name, classes.size());
    if (!file.empty()) files.push_back(std::move(file));
  }
  if (files.empty()) return {};
  if (files.size() != classes.size())
    throw Error("the masks of \"" + id + "\" are there for " + std::to_string(files.size()) + " of " +
                std::to_string(classes.size()) + " classes; expected " + (folder / "CLASS" / (id + ".png")).string() +
                " for each");
  std::vector<Image> masks;
  for (const fs::path& file : files) {
    masks.push_back(read_mask(file));
    if (masks.back().size() != size)
      throw Error("the mask " + file.string() + " is " + text(masks.back().size()) + " px; its picture is " +
                  text(size) + " px");
  }
  return masks;
}

bool has_truth(const fs::path& folder, const std::string& id, const std::vector<std::string>& classes) {
  return std::any_of(classes.begin(), classes.end(),
                     [&](const std::string& name) { return !truth_file(folder, id, name, classes.size()).empty(); });
}

Image above(const ImageView& map, double threshold) {
  Image mask(map.size(), 1);
  const auto limit = static_cast<float>(threshold);
  for (std::int64_t y = 0; y < map.height; ++y) {
    const float* const from = map.row<const float>(y);
    std::uint8_t* const to = mask.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < map.width; ++x) to[x] = from[x] > limit ? 255 : 0;
  }
  return mask;
}

double dice_of(const Image& predicted, const Image& truth) { return overlap_of(bytes(predicted), bytes(truth)).dice(); }

}  // namespace nephron::host
