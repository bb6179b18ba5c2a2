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
  return folder_ / "probabilities" / names_[c] / (id + ".png");
}

fs::path OutputFolder::mask(std::size_t c, const std::string& id) const {
  return folder_ / "masks" / names_[c] / (id + ".png");
}

fs::path OutputFolder::levels(std::size_t c, const std::string& id) const {
  return folder_ / "levels" / names_[c] / (id + ".png");
}

fs::path OutputFolder::truth(std::size_t c, const std::string& id) const {
  return folder_ / "truth" / names_[c] / (id + ".png");
}

std::vector<fs::path> OutputFolder::map_folders() const {
  std::vector<fs::path> out;
  for (std::size_t c = 0; c < names_.size(); ++c)
    for (const fs::path& file : {probability(c, "x"), mask(c, "x"), levels(c, "x"), truth(c, "x")})
      out.push_back(file.parent_path());
  out.push_back(ignored("x").parent_path());
  return out;
}

bool OutputFolder::there(const std::string& id, PathOf last) const {
  for (std::size_t c = 0; c < names_.size(); ++c) {
    if (!fs::exists(probability(c, id)) || !fs::exists((this->*last)(c, id))) return false;
  }
  return fs::exists(picture(id));
}

bool OutputFolder::complete(const std::string& id) const { return there(id, &OutputFolder::mask); }

bool OutputFolder::computed(const std::string& id) const { return there(id, &OutputFolder::levels); }

void OutputFolder::remove(const std::string& id) const {
  std::error_code ignored;  // what cannot be removed cannot be replaced either, which is said then
  for (std::size_t c = 0; c < names_.size(); ++c)
    for (const fs::path& file : {probability(c, id), mask(c, id), levels(c, id), truth(c, id)})
      fs::remove(file, ignored);
  fs::remove(this->ignored(id), ignored);
  fs::remove(picture(id), ignored);
}

void OutputFolder::make(bool with_levels) const {
  require_writable(picture("x").parent_path(), 0);
  for (std::size_t c = 0; c < names_.size(); ++c) {
    require_writable(probability(c, "x").parent_path(), 1 << 20);
    require_writable(mask(c, "x").parent_path(), 1 << 20);
    if (with_levels) require_writable(levels(c, "x").parent_path(), 1 << 20);
  }
}

}  // namespace nephron::host
