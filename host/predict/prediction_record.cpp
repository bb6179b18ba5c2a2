#include <host/predict/prediction_record.hpp>

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>

#include <host/predict/begun_to_save.hpp>
#include <host/predict/output_folder.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/listed.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

const char* const how = "Predict again with --overwrite.";

std::vector<std::string> classes_of(const JsonNode& json) {
  std::vector<std::string> classes = json.texts();
  if (classes.empty()) json.refuse("names no class");
  std::set<std::string> folders;
  for (const std::string& name : classes)
    if (!folders.insert(folder_name(name)).second) json.refuse("names two classes that have one folder");
  return classes;
}

std::vector<std::pair<std::string, std::string>> settings_of(const JsonNode& json) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : json.members()) {
    const auto structured = [](const auto& item) { return item.is_structured(); };
    if (value.raw().is_object() || std::any_of(value.raw().begin(), value.raw().end(), structured))
      value.refuse("is neither a value nor a list of values");
    out.emplace_back(key, value.raw().dump());
  }
  return out;
}

/// Scores belong to these classes and to pictures that were predicted.
void check_scores(const PredictionRecord& record, const OutputFolder& output) {
  const Scores& scores = record.scores;
  const std::string file = output.scores().string();
  if (!scores.classes.empty() && scores.classes != record.classes)
    throw Error(file + ": classes are not those of " + output.facts().string(), how);
  if (!fs::is_directory(output.picture("x").parent_path())) return;  // older predictions have none
  for (const auto& [id, score] : scores.pictures)
    if (!fs::exists(output.picture(id)))
      throw Error(file + ": pictures." + id + " was never predicted: " + output.picture(id).string() + " is not there",
                  "Put the file back, or predict again with --overwrite.");
}

}  // namespace

std::vector<std::string> begun_to_save(const fs::path& folder) {
  const JsonNode json = JsonNode::read(folder / "predict.json", how);
  const auto save = json.find("save");
  return save ? save->texts() : std::vector<std::string>();
}

std::vector<PictureFile> PredictionRecord::pictures() const { return images.empty() ? slides : list_pictures(images); }

fs::path PredictionRecord::file_of(const std::string& id) const {
  if (!images.empty()) return find_picture(images, id);
  const auto found = std::find_if(slides.begin(), slides.end(), [&](const PictureFile& s) { return s.id == id; });
  return found == slides.end() || !fs::exists(found->file) ? fs::path() : found->file;
}

std::string PredictionRecord::name(const std::string& otherwise) const {
  if (folds.empty()) return otherwise;
  return (folds.size() > 1 ? "folds " : "fold ") + listed(folds);
}

PredictionRecord read_prediction(const fs::path& folder) {
  if (!fs::exists(folder / "predict.json"))
    throw Error(folder.string() + " holds no prediction: predict.json is not there",
                "Make one: nephron predict RUN --images DIR --out " + folder.string());
  const JsonNode json = JsonNode::read(folder / "predict.json", how);
  PredictionRecord out;
  out.images = json.at("images").text();
  if (const auto slides = json.find("slides"))
    for (const auto& [id, file] : slides->members()) out.slides.push_back({id, file.text()});
  if (const auto masks = json.find("masks")) out.masks = masks->text();
  if (const auto coding = json.find("masks_as")) out.masks_as = coding->text();
  if (const auto dataset = json.find("dataset")) out.dataset = dataset->text();
  out.classes = classes_of(json.at("classes"));
  if (const auto settings = json.find("settings")) {
    out.settings = settings_of(*settings);
    if (const auto folds = settings->find("folds"))
      for (const JsonNode& fold : folds->items())
        out.folds.push_back(static_cast<int>(fold.integer(0, std::numeric_limits<int>::max())));
  }
  const OutputFolder output(folder, out.classes);
  out.scores = read_scores(output.scores());
  check_scores(out, output);
  out.scores.classes = out.classes;
  return out;
}

}  // namespace nephron::host
