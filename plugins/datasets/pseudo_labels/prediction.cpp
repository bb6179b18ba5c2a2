#include "prediction.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/fingerprint.hpp>
#include <nephron/folder_name.hpp>
#include <nephron/parameter_error.hpp>

namespace pseudo_labels {

namespace fs = std::filesystem;
using nephron::Error;

namespace {

const char* const how = "make the maps with nephron predict; older predictions are made again with --overwrite";

nlohmann::json parsed(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file.string() + " is not there; expected what nephron predict writes", how);
  try {
    return nlohmann::json::parse(in);
  } catch (const nlohmann::json::exception& e) {
    throw Error(file.string() + " is not what nephron predict writes: " + std::string(e.what()).substr(0, 200), how);
  }
}

template <class T>
T member(const nlohmann::json& json, const char* name, const fs::path& file) {
  try {
    return json.at(name).get<T>();
  } catch (const nlohmann::json::exception&) {
    throw Error(file.string() + " has no usable \"" + name + "\"; expected what nephron predict writes", how);
  }
}

/// A network may itself have learnt from pseudo-labels, of slides that were listed once a fold.
std::string without_fold(const std::string& id) {
  const std::size_t at = id.rfind("@fold");
  return at == std::string::npos ? id : id.substr(0, at);
}

}  // namespace

Prediction::Prediction(fs::path folder) : folder_(std::move(folder)) {
  const fs::path file = folder_ / "predict.json";
  const nlohmann::json facts = parsed(file);
  classes_ = member<std::vector<std::string>>(facts, "classes", file);
  for (const auto& id : member<std::vector<std::string>>(facts, "trained_on", file))
    trained_on_.push_back(without_fold(id));
}

fs::path Prediction::map(const std::string& class_name, const std::string& id) const {
  if (std::find(classes_.begin(), classes_.end(), class_name) == classes_.end()) {
    std::string list;
    for (const std::string& c : classes_) list += (list.empty() ? "\"" : ", \"") + c + "\"";
    throw nephron::ParameterError(folder_.string() + " has no maps of class \"" + class_name + "\"; it has " + list);
  }
  const fs::path maps = folder_ / "probabilities" / nephron::folder_name(class_name);
  const fs::path tiff = maps / (id + ".tif");
  return fs::exists(tiff) ? tiff : maps / (id + ".png");
}

void Prediction::require_same(const std::string& id, const nephron::SlideReader& slide) const {
  const fs::path file = picture(id);
  const auto made_of = member<std::string>(parsed(file), "fingerprint", file);
  const std::string is = nephron::fingerprint(slide);
  if (made_of != is)
    throw Error("the maps in " + folder_.string() + " were made of another slide \"" + id + "\": its pixels are " +
                    made_of + " in " + file.string() + ", and " + is + " in the file at hand",
                "predict this slide again, or give the slide that the maps belong to");
}

}  // namespace pseudo_labels
