#include <host/predict/output_folder.hpp>

#include <algorithm>
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

std::vector<std::string> OutputFolder::flips_there() const {
  std::vector<std::string> out;
  std::error_code none;
  for (fs::directory_iterator entry(folder_ / "tta", none), end; !none && entry != end; entry.increment(none))
    out.push_back(entry->path().filename().string());
  return out;
}

std::vector<fs::path> OutputFolder::map_folders() const {
  std::vector<fs::path> out;
  for (std::size_t c = 0; c < names_.size(); ++c)
    for (const fs::path& file : {probability(c, "x"), mask(c, "x"), levels(c, "x"), truth(c, "x"), runs(c, "x")})
      out.push_back(file.parent_path());
  for (const std::string& flip : flips_there())
    for (std::size_t c = 0; c < names_.size(); ++c) out.push_back(of_flip(flip, c, "x", ".png").parent_path());
  for (const fs::path& file : {ignored("x"), measures("x"), unmeasured("x"), geojson("x"), coco("x"), objects("x")})
    out.push_back(file.parent_path());
  return out;
}

bool OutputFolder::has_map(std::size_t c, const std::string& id) const {
  return fs::exists(probability(c, id)) || fs::exists(probability_tiff(c, id));
}

bool OutputFolder::has_flips(std::size_t c, const std::string& id, const Kept& kept) const {
  return std::all_of(kept.flips.begin(), kept.flips.end(), [&](const std::string& flip) {
    return fs::exists(of_flip(flip, c, id, ".png")) || fs::exists(of_flip(flip, c, id, ".tif"));
  });
}

bool OutputFolder::all_have(const std::string& id, PathOf path) const {
  for (std::size_t c = 0; c < names_.size(); ++c)
    if (!fs::exists((this->*path)(c, id))) return false;
  return true;
}

bool OutputFolder::complete(const std::string& id, const Kept& kept) const {
  for (std::size_t c = 0; c < names_.size(); ++c)
    if ((kept.maps && !has_map(c, id)) || !has_flips(c, id, kept)) return false;
  return fs::exists(picture(id)) && (!kept.masks || all_have(id, &OutputFolder::mask)) &&
         (!kept.runs() || all_have(id, &OutputFolder::runs)) && (!kept.geojson || fs::exists(geojson(id))) &&
         (!kept.coco || fs::exists(coco(id))) && (!kept.objects || fs::exists(objects(id)));
}

bool OutputFolder::computed(const std::string& id, const Kept& kept) const {
  Kept without_masks;
  without_masks.maps = kept.maps, without_masks.masks = false, without_masks.flips = kept.flips;
  return complete(id, without_masks) && all_have(id, &OutputFolder::levels);
}

void OutputFolder::remove_of_all() const {
  std::error_code ignored;
  for (const fs::path& file : {scores(), submission(), coco_of_all(), table("slides.csv"), table("slides.jsonl"),
                               table("objects.csv"), table("objects.jsonl")})
    fs::remove(file, ignored);
}

void OutputFolder::remove_rows(const std::string& id) const {
  std::error_code ignored;
  for (std::size_t run = 0; run == 0 || fs::exists(under_way(id, run).parent_path(), ignored); ++run) {
    fs::remove(under_way(id, run), ignored);
    if (run > 0) fs::remove(under_way(id, run).parent_path(), ignored);  // where it was the last one
  }
  fs::remove(under_way(id).parent_path(), ignored);
}

void OutputFolder::remove_unmeasured(const std::string& id) const {
  std::error_code ignored;
  fs::remove(unmeasured(id), ignored);
  fs::remove(unmeasured(id).parent_path(), ignored);  // where it was the last one
}

void OutputFolder::remove(const std::string& id) const {
  std::error_code ignored;  // what cannot be removed cannot be replaced either, which is said then
  for (std::size_t c = 0; c < names_.size(); ++c)
    for (const fs::path& file :
         {probability(c, id), probability_tiff(c, id), mask(c, id), levels(c, id), truth(c, id), runs(c, id)})
      fs::remove(file, ignored);
  for (const std::string& flip : flips_there())
    for (std::size_t c = 0; c < names_.size(); ++c)
      for (const char* ending : {".png", ".tif"}) fs::remove(of_flip(flip, c, id, ending), ignored);
  for (const fs::path& file : {this->ignored(id), measures(id), geojson(id), coco(id), objects(id)})
    fs::remove(file, ignored);
  remove_rows(id);
  remove_unmeasured(id);
  fs::remove(picture(id), ignored);
}

void OutputFolder::make(const Kept& kept, bool with_levels) const {
  require_writable(picture("x").parent_path(), 0);
  if (kept.geojson) require_writable(geojson("x").parent_path(), 0);
  if (kept.coco) require_writable(coco("x").parent_path(), 0);
  if (kept.objects) require_writable(objects("x").parent_path(), 0);
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (kept.maps) require_writable(probability(c, "x").parent_path(), 1 << 20);
    for (const std::string& flip : kept.flips) require_writable(of_flip(flip, c, "x", ".png").parent_path(), 1 << 20);
    if (kept.masks) require_writable(mask(c, "x").parent_path(), 1 << 20);
    if (kept.runs()) require_writable(runs(c, "x").parent_path(), 1 << 20);
    if (with_levels) require_writable(levels(c, "x").parent_path(), 1 << 20);
  }
}

}  // namespace nephron::host
