#include "pairs.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <nephron/error.hpp>

namespace image_folder {

namespace fs = std::filesystem;
using nephron::Error;

namespace {

constexpr std::array endings{".png", ".jpg", ".jpeg", ".tif", ".tiff"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_picture(const fs::path& file) {
  return !file.filename().string().starts_with(".") &&
         std::find(endings.begin(), endings.end(), lower(file.extension().string())) != endings.end();
}

[[noreturn]] void refuse_folder(const Places& places) {
  std::string hint = "set root, images and masks";
  const fs::path above = places.pictures.parent_path();
  std::error_code unknown;
  if (fs::is_directory(above, unknown) && !pictures_in(above).empty())
    hint = above.string() + " holds pictures itself: images = \".\" takes them";
  throw Error(places.pictures.string() + " is not a folder; expected " + (places.pictures / "NAME.png").string() +
                  " with its mask " + places.mask_pattern(),
              hint);
}

}  // namespace

std::string Places::mask_pattern() const { return (masks / ("NAME" + mask_suffix + ".png")).string(); }

std::map<std::string, fs::path> pictures_in(const fs::path& folder) {
  std::map<std::string, fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!is_picture(entry.path()) || entry.is_directory()) continue;
    const auto [found, fresh] = out.emplace(entry.path().stem().string(), entry.path());
    if (!fresh)
      throw Error(entry.path().string() + " and " + found->second.string() +
                  " have one name; remove or rename one of them");
  }
  return out;
}

Pairs Pairs::of(const Places& places) {
  std::error_code unknown;
  if (!fs::is_directory(places.pictures, unknown)) refuse_folder(places);
  const auto pictures = pictures_in(places.pictures);
  std::map<std::string, fs::path> masks;
  if (fs::is_directory(places.masks, unknown)) masks = pictures_in(places.masks);
  const bool one_folder = fs::equivalent(places.pictures, places.masks, unknown);
  Pairs out;
  for (const auto& [name, file] : pictures) {
    const std::string& suffix = places.mask_suffix;
    const bool is_mask = one_folder && !suffix.empty() && name.size() > suffix.size() && name.ends_with(suffix) &&
                         pictures.contains(name.substr(0, name.size() - suffix.size()));
    if (is_mask) continue;
    Pair& pair = out.pairs[name];
    pair.picture = file;
    const auto mask = masks.find(name + suffix);
    if (mask == masks.end() || mask->second == file) continue;
    pair.mask = mask->second;
    masks.erase(mask);
  }
  if (!one_folder)
    for (const auto& [name, file] : masks) out.lone_masks.push_back(file.filename().string());
  return out;
}

std::vector<std::string> Pairs::without_mask() const {
  std::vector<std::string> out;
  for (const auto& [name, pair] : pairs)
    if (pair.mask.empty()) out.push_back(name);
  return out;
}

std::string Pairs::likely_suffix() const {
  const std::vector<std::string> names = without_mask();
  std::string suffix;
  for (const std::string& file : lone_masks) {
    const std::string stem = fs::path(file).stem().string();
    std::string longest;
    for (const std::string& name : names)
      if (stem.size() > name.size() && name.size() > longest.size() && stem.starts_with(name)) longest = name;
    if (longest.empty()) return {};
    const std::string rest = stem.substr(longest.size());
    if (!suffix.empty() && rest != suffix) return {};
    suffix = rest;
  }
  return suffix;
}

}  // namespace image_folder
