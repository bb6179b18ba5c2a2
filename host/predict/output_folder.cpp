#include <host/predict/output_folder.hpp>

#include <utility>

#include <nephron/folder_name.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

OutputFolder::OutputFolder(fs::path folder, const std::vector<std::string>& classes) : folder_(std::move(folder)) {
  for (const std::string& name : classes) names_.push_back(folder_name(name));
}

fs::path OutputFolder::probability(std::size_t c, const std::string& id) const {
  return at("probabilities", c, id, ".png");
}
fs::path OutputFolder::probability_tiff(std::size_t c, const std::string& id) const {
  return at("probabilities", c, id, ".tif");
}
fs::path OutputFolder::mask(std::size_t c, const std::string& id) const { return at("masks", c, id, ".png"); }
fs::path OutputFolder::runs(std::size_t c, const std::string& id) const { return at("rle", c, id, ".txt"); }
fs::path OutputFolder::levels(std::size_t c, const std::string& id) const { return at("levels", c, id, ".png"); }
fs::path OutputFolder::truth(std::size_t c, const std::string& id) const { return at("truth", c, id, ".png"); }

std::vector<fs::path> OutputFolder::map_folders() const {
  std::vector<fs::path> out;
  for (std::size_t c = 0; c < names_.size(); ++c)
    for (const fs::path& file : {probability(c, "x"), mask(c, "x"), levels(c, "x"), truth(c, "x"), runs(c, "x")})
      out.push_back(file.parent_path());
  for (const fs::path& file : {ignored("x"), geojson("x"), coco("x"), objects("x")}) out.push_back(file.parent_path());
  return out;
}

bool OutputFolder::has_map(std::size_t c, const std::string& id) const {
  return fs::exists(probability(c, id)) || fs::exists(probability_tiff(c, id));
}

bool OutputFolder::all_have(const std::string& id, PathOf path) const {
  for (std::size_t c = 0; c < names_.size(); ++c)
    if (!fs::exists((this->*path)(c, id))) return false;
  return true;
}

bool OutputFolder::complete(const std::string& id, const Kept& kept) const {
  for (std::size_t c = 0; kept.maps && c < names_.size(); ++c)
    if (!has_map(c, id)) return false;
  return fs::exists(picture(id)) && (!kept.masks || all_have(id, &OutputFolder::mask)) &&
         (!kept.runs() || all_have(id, &OutputFolder::runs)) && (!kept.geojson || fs::exists(geojson(id))) &&
         (!kept.coco || fs::exists(coco(id))) && (!kept.objects || fs::exists(objects(id)));
}

bool OutputFolder::computed(const std::string& id, const Kept& kept) const {
  return complete(id, {.maps = kept.maps, .masks = false}) && all_have(id, &OutputFolder::levels);
}

void OutputFolder::remove(const std::string& id) const {
  std::error_code ignored;  // what cannot be removed cannot be replaced either, which is said then
  for (std::size_t c = 0; c < names_.size(); ++c)
    for (const fs::path& file :
         {probability(c, id), probability_tiff(c, id), mask(c, id), levels(c, id), truth(c, id), runs(c, id)})
      fs::remove(file, ignored);
  for (const fs::path& file : {this->ignored(id), geojson(id), coco(id), objects(id)}) fs::remove(file, ignored);
  for (std::size_t run = 0; fs::remove(under_way(id, run), ignored) || run == 0;) ++run;
  fs::remove(picture(id), ignored);
}

void OutputFolder::make(const Kept& kept, bool with_levels) const {
  require_writable(picture("x").parent_path(), 0);
  if (kept.geojson) require_writable(geojson("x").parent_path(), 0);
  if (kept.coco) require_writable(coco("x").parent_path(), 0);
  if (kept.objects) require_writable(objects("x").parent_path(), 0);
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (kept.maps) require_writable(probability(c, "x").parent_path(), 1 << 20);
    if (kept.masks) require_writable(mask(c, "x").parent_path(), 1 << 20);
    if (kept.runs()) require_writable(runs(c, "x").parent_path(), 1 << 20);
    if (with_levels) require_writable(levels(c, "x").parent_path(), 1 << 20);
  }
}

}  // namespace nephron::host
