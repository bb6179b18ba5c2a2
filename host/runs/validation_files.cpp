#include <host/runs/validation_files.hpp>

#include <algorithm>

#include <nephron/folder_name.hpp>

#include <host/util/slide_file_name.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// `folder` / `name` + `ending`, where that is a file below the folder.
fs::path file_below(const fs::path& folder, const fs::path& name, const char* ending) {
  if (name.empty() || name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end()) return {};
  fs::path file = folder / name;
  file += ending;
  std::error_code failed;
  return fs::is_regular_file(file, failed) ? file : fs::path();
}

}  // namespace

const char* name_of(ValidationFiles::Map map) { return map == ValidationFiles::Map::masks ? "masks" : "probabilities"; }

fs::path ValidationFiles::name(const Slide& slide) const {
  const fs::path file = file_name_of_slide(slide.id);
  return several_ ? folder_name(slide.dataset) / file : file;
}

std::string ValidationFiles::former_name(const Slide& slide) const {
  return several_ ? slide.dataset + "-" + slide.id : slide.id;
}

fs::path ValidationFiles::measures(const Slide& slide) const { return (folder_ / "measures" / name(slide)) += ".json"; }

fs::path ValidationFiles::map(Map map, const std::string& class_name, const Slide& slide) const {
  return (folder_ / name_of(map) / folder_name(class_name) / name(slide)) += ".png";
}

fs::path ValidationFiles::measures_there(const Slide& slide) const {
  const fs::path folder = folder_ / "measures";
  fs::path file = file_below(folder, name(slide), ".json");
  return file.empty() ? file_below(folder, file_name_of_slide(former_name(slide)), ".json") : file;
}

fs::path ValidationFiles::map_there(Map map, const std::string& class_name, const Slide& slide) const {
  const fs::path folder = folder_ / name_of(map);
  for (const fs::path& of_class : {fs::path(folder_name(class_name)), fs::path(class_name)})
    for (const fs::path& wanted : {of_class / name(slide), of_class / former_name(slide)})
      for (const char* ending : {".png", ".tif", ".tiff"})
        if (fs::path file = file_below(folder, wanted, ending); !file.empty()) return file;
  return {};
}

}  // namespace nephron::host
