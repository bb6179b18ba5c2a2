#include <host/view/label_layers.hpp>

#include <algorithm>

#include <nephron/csv.hpp>
#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>
#include <nephron/slide_files.hpp>

#include <host/labels/label_file.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> map_endings{".png", ".tif", ".tiff"};
const std::vector<std::string> run_endings{".txt"};
const std::vector<std::string> mask_endings{".png", ".tif", ".tiff", ".PNG", ".TIF", ".TIFF"};
constexpr const char* unnamed = "object";  // class of objects that have none

void add_ids(const fs::path& folder, const std::string& ending, std::set<std::string>& ids) {
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(ending) && name.size() > ending.size() && name.front() != '.')
      ids.insert(name.substr(0, name.size() - ending.size()));
  }
}

}  // namespace

bool FirstOfLayers::knows(const std::string& id) const {
  return std::any_of(layers_.begin(), layers_.end(), [&](const auto& layer) { return layer->knows(id); });
}

LabelSet FirstOfLayers::labels(const std::string& id, Size slide, const Stop& stop) const {
  for (const auto& layer : layers_)
    if (layer->knows(id)) return layer->labels(id, slide, stop);
  throw Error("nothing is known of slide \"" + id + "\"");
}

std::vector<std::string> FirstOfLayers::classes() const {
  std::vector<std::string> out;
  for (const auto& layer : layers_)
    for (const std::string& name : layer->classes())
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

std::vector<fs::path> FirstOfLayers::files() const {
  std::vector<fs::path> out;
  for (const auto& layer : layers_) {
    const auto more = layer->files();
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

fs::path file_with(const fs::path& folder, const std::string& id, const std::vector<std::string>& endings) {
  if (id.empty() || id == "." || id == ".." || id.find('/') != std::string::npos) return {};
  std::error_code failed;
  for (const std::string& ending : endings)
    if (fs::path file = folder / (id + ending); fs::is_regular_file(file, failed)) return file;
  return {};
}

LabelSet read_masks(const std::map<std::string, fs::path>& mask_of_class, const Stop& stop) {
  LabelSet out;
  for (const auto& [name, file] : mask_of_class) {
    if (stop()) throw Cancelled();
    LabelReading reading;
    reading.classes = {name};
    reading.values = "mask";
    LabelSet one = read_labels(file, reading);
    if (!out.size.empty() && out.size != one.size)
      throw Error(file.string() + " is not of the size of the other classes' masks");
    out.size = one.size;
    out.classes.push_back(name);
    out.masks.push_back(std::move(one.masks.at(0)));
  }
  return out;
}

LabelSet FileLayer::labels(const std::string& id, Size slide, const Stop& stop) const {
  if (stop()) throw Cancelled();
  const fs::path& file = files_.at(id);
  LabelReading reading;
  const std::string ending = file.extension().string();
  const bool picture = std::find(mask_endings.begin(), mask_endings.end(), ending) != mask_endings.end();
  if (!picture) reading.size = slide;
  if (ending == ".csv") reading.id = id;
  reading.unclassified = unnamed;
  return read_labels(file, reading);
}

std::vector<fs::path> FileLayer::files() const {
  std::vector<fs::path> out;
  for (const auto& [id, file] : files_) out.push_back(file);
  return out;
}

SubmissionLayer::SubmissionLayer(std::string name, Kind kind, fs::path file)
    : ViewLayer(std::move(name), kind), file_(std::move(file)) {
  const CsvTable table = CsvTable::read(file_);
  const std::size_t id = table.column("id");
  if (!table.find_column("encoding") && !table.find_column("predicted"))
    throw Error(file_.string() + " is no table of run lengths: it has no column \"encoding\" or \"predicted\"");
  for (std::size_t row = 0; row < table.rows(); ++row) ids_.insert(table.cell(row, id));
}

LabelSet SubmissionLayer::labels(const std::string& id, Size slide, const Stop& stop) const {
  if (stop()) throw Cancelled();
  LabelReading reading;
  reading.size = slide;
  reading.id = id;
  return read_labels(file_, reading);
}

std::set<std::string> PredictionLayer::ids() const {
  std::set<std::string> out;
  for (const std::string& name : classes_)
    for (const char* kind : {"probabilities", "masks"})
      for (const std::string& ending : map_endings) add_ids(folder_ / kind / folder_name(name), ending, out);
  for (const std::string& name : classes_) add_ids(folder_ / "rle" / folder_name(name), run_endings.front(), out);
  add_ids(folder_ / "geojson", ".geojson", out);
  return out;
}

bool PredictionLayer::knows(const std::string& id) const {
  if (!file_with(folder_ / "geojson", id, {".geojson"}).empty()) return true;
  return std::any_of(classes_.begin(), classes_.end(), [&](const std::string& name) {
    return !file_with(folder_ / "masks" / folder_name(name), id, map_endings).empty() ||
           !file_with(folder_ / "rle" / folder_name(name), id, run_endings).empty();
  });
}

LabelSet PredictionLayer::labels(const std::string& id, Size slide, const Stop& stop) const {
  if (const fs::path file = file_with(folder_ / "geojson", id, {".geojson"}); !file.empty()) {
    LabelReading reading;
    reading.size = slide;
    reading.unclassified = unnamed;
    return read_labels(file, reading);
  }
  std::map<std::string, fs::path> masks;
  for (const std::string& name : classes_)
    if (fs::path file = file_with(folder_ / "masks" / folder_name(name), id, map_endings); !file.empty())
      masks[name] = std::move(file);
  if (!masks.empty()) return read_masks(masks, stop);
  LabelSet out;
  out.size = slide;
  for (const std::string& name : classes_)
    if (const fs::path file = file_with(folder_ / "rle" / folder_name(name), id, run_endings); !file.empty()) {
      if (stop()) throw Cancelled();
      out.classes.push_back(name);
      out.masks.push_back(parse_rle(read_file(file), slide, file.string()));
    }
  if (out.classes.empty()) throw Error(folder_.string() + " has neither objects nor masks of \"" + id + "\"");
  return out;
}

std::vector<ViewLayer::Map> PredictionLayer::maps(const std::string& id) const {
  std::vector<Map> out;
  for (const std::string& name : classes_)
    if (fs::path file = file_with(folder_ / "probabilities" / folder_name(name), id, map_endings); !file.empty())
      out.push_back({name, std::move(file)});
  return out;
}

std::map<std::string, fs::path> ComparedTruth::masks_of(const std::string& id) const {
  std::map<std::string, fs::path> out;
  for (const std::string& name : classes_) {
    fs::path file = file_with(folder_ / "truth" / folder_name(name), id, mask_endings);
    if (file.empty() && !masks_.empty()) file = file_with(masks_ / folder_name(name), id, mask_endings);
    if (file.empty() && !masks_.empty() && classes_.size() == 1) file = file_with(masks_, id, mask_endings);
    if (!file.empty()) out[name] = std::move(file);
  }
  return out;
}

bool ComparedTruth::knows(const std::string& id) const { return !masks_of(id).empty(); }

LabelSet ComparedTruth::labels(const std::string& id, Size, const Stop& stop) const {
  return read_masks(masks_of(id), stop);
}

}  // namespace nephron::host
