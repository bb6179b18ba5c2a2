#include <host/view/annotation_file.hpp>

#include <chrono>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include <nephron/folder_name.hpp>

#include <host/labels/geojson_text.hpp>
#include <host/runs/folder_lock_wait.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_bytes = std::size_t{1} << 28;
constexpr std::size_t longest_class = 200;
constexpr std::chrono::seconds longest_save{30};
constexpr double farthest = 1e7;  // px; a slide's side has at most 2^24

[[noreturn]] void refuse(const std::string& what) { throw Error("the drawing " + what); }

std::vector<Point> ring_of(const Json& json, double scale) {
  if (!json.is_array() || json.size() < 6 || json.size() % 2 != 0) refuse("has a ring that is no list of three points");
  std::vector<Point> out;
  for (std::size_t i = 0; i < json.size(); i += 2) {
    if (!json[i].is_number() || !json[i + 1].is_number()) refuse("has a vertex that is no number");
    const Point p{json[i].get<double>() * scale, json[i + 1].get<double>() * scale};
    if (!(std::abs(p.x) < farthest && std::abs(p.y) < farthest)) refuse("has a vertex far from every slide");
    out.push_back(p);
  }
  return out;
}

DrawnObject object_of(const Json& json, double scale) {
  const auto member = [&](const char* name) { return json.is_object() ? json.find(name) : json.end(); };
  const auto name = member("class"), feature = member("feature"), parts = member("parts");
  const bool known = feature != json.end();
  if (name == json.end() || !name->is_string() || (known && (!feature->is_string() || *feature == "")))
    refuse("has an object without class, or with a feature that is no text");
  DrawnObject out{known ? feature->get<std::string>() : "", name->get<std::string>(), {}};
  if (known) return out;
  if (parts == json.end() || !parts->is_array() || parts->empty()) refuse("has an object without parts");
  if (out.class_name.empty() || out.class_name.size() > longest_class)
    refuse("has a class whose name has no or more than 200 letters");
  for (const Json& part : *parts) {
    if (!part.is_array() || part.empty()) refuse("has a part without an outline");
    Polygon& polygon = out.parts.emplace_back();
    for (const Json& ring : part) polygon.push_back(ring_of(ring, scale));
  }
  return out;
}

/// Equal features are one: whichever of them is meant, the same is written.
std::string key_of(const std::string& feature) { return sha256_of_text(feature).substr(0, 32); }

double rounded(double v) { return std::round(v * 100) / 100; }

using Features = std::vector<GeoJsonDocument::Feature>;

/// Features of a file replaced by those of a drawing. What is no area keeps its place among them.
class FeatureExchange {
 public:
  FeatureExchange(Features before, const std::map<std::string, GeoJsonDocument::Feature>& removed)
      : before_(std::move(before)), removed_(removed) {
    for (std::size_t i = 0; i < before_.size(); ++i)
      if (before_[i].object) place_.emplace(key_of(before_[i].text), i);
  }

  /// Gives back which feature it is now.
  std::string add(const DrawnObject& object, const std::vector<std::string>& classes, const std::string& salt) {
    std::string text;
    if (object.feature.empty()) {
      AnnotatedObject made;
      made.class_name = object.class_name, made.parts = object.parts;
      text = geojson_feature(made, classes, salt);
    } else {
      const GeoJsonDocument::Feature& known = find(object.feature);
      text = known.object->class_name == object.class_name ? known.text
                                                           : reclassified(known.text, object.class_name, classes);
    }
    std::string key = key_of(text);
    there_.insert(key);
    after_.push_back({std::move(text), {}});
    return key;
  }

  Features finish() {
    pass(before_.size());
    return std::move(after_);
  }

  void keep_removed(std::map<std::string, GeoJsonDocument::Feature>& removed) const {
    for (const auto& [key, i] : place_) {
      if (there_.contains(key)) continue;
      const auto [kept, fresh] = removed.emplace(key, before_[i]);
      if (fresh) kept->second.object->parts.clear();
    }
  }

 private:
  const GeoJsonDocument::Feature& find(const std::string& key) {
    if (const auto found = place_.find(key); found != place_.end()) {
      pass(found->second);
      return before_[found->second];
    }
    const auto found = removed_.find(key);
    if (found == removed_.end())
      throw AnnotationFolder::Conflict("the drawing has an object of a file that is not there any more",
                                       "Load the page again.");
    return found->second;
  }

  /// What is no area before this place of the file is written.
  void pass(std::size_t end) {
    for (; passed_ < end; ++passed_)
      if (!before_[passed_].object) after_.push_back(before_[passed_]);
  }

  Features before_, after_;
  const std::map<std::string, GeoJsonDocument::Feature>& removed_;
  std::map<std::string, std::size_t> place_;  ///< in the file before, by key
  std::set<std::string> there_;
  std::size_t passed_ = 0;
};

}  // namespace

AnnotationFolder::AnnotationFolder(fs::path folder, std::vector<fs::path> inputs)
    : folder_(std::move(folder)), inputs_(std::move(inputs)) {}

fs::path AnnotationFolder::file(const std::string& id) const {
  const bool a_name = !id.empty() && id != "." && id != ".." && id.find('/') == std::string::npos && id.size() < 200;
  return folder_ / ((a_name ? id : folder_name(id)) + ".json");
}

Drawing AnnotationFolder::read(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  Content content = read_locked(id);
  Drawing out{std::move(content.version), {}};
  for (GeoJsonDocument::Feature& feature : content.document.features)
    if (feature.object)
      out.objects.push_back(
          {key_of(feature.text), std::move(feature.object->class_name), std::move(feature.object->parts)});
  return out;
}

AnnotationFolder::Content AnnotationFolder::read_locked(const std::string& id) const {
  const fs::path path = file(id);
  Content out;
  std::error_code failed;
  if (!fs::exists(fs::symlink_status(path, failed))) return out;
  const std::string text = read_file(path, most_bytes);
  out.document = GeoJsonDocument(text, path.string());
  out.version = sha256_of_text(text).substr(0, 16);
  return out;
}

AnnotationFolder::Saved AnnotationFolder::write(const std::string& id, const Drawing& drawing,
                                                const std::vector<std::string>& classes) {
  const std::scoped_lock lock(mutex_);
  CommandOutput output(file(id), true, inputs_);
  output.prepare();
  const FolderLock alone = wait_for_lock(folder_, longest_save);  // viewers are processes of their own
  Content content = read_locked(id);
  if (content.version != drawing.version)
    throw Conflict("somebody else has changed the drawing of \"" + id + "\" meanwhile", "Load the page again.");
  FeatureExchange exchange(std::move(content.document.features), removed_);
  Saved out;
  for (const DrawnObject& object : drawing.objects) {
    // Of a file that is replaced no feature has an id that was made of its version.
    const std::string salt = content.version + std::to_string(out.features.size());
    out.features.push_back(exchange.add(object, classes, salt));
  }
  content.document.features = exchange.finish();
  const std::string text = content.document.text();
  output.write(text);
  exchange.keep_removed(removed_);
  out.version = sha256_of_text(text).substr(0, 16);
  return out;
}

Drawing parse_drawing(const std::string& text, double scale) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) refuse("is no JSON object");
  const auto version = json.find("version"), objects = json.find("objects");
  if (version == json.end() || !version->is_string() || objects == json.end() || !objects->is_array())
    refuse("has no version or no objects");
  Drawing out;
  out.version = version->get<std::string>();
  for (const Json& object : *objects) out.objects.push_back(object_of(object, scale));
  return out;
}

std::string drawing_json(const Drawing& drawing, double scale) {
  Json objects = Json::array();
  for (const DrawnObject& object : drawing.objects) {
    Json parts = Json::array();
    for (const Polygon& part : object.parts) {
      Json& rings = parts.emplace_back(Json::array());
      for (const auto& ring : part) {
        Json& flat = rings.emplace_back(Json::array());
        for (const Point& p : ring) flat.push_back(rounded(p.x * scale)), flat.push_back(rounded(p.y * scale));
      }
    }
    objects.push_back({{"feature", object.feature}, {"class", object.class_name}, {"parts", std::move(parts)}});
  }
  return Json{{"version", drawing.version}, {"objects", std::move(objects)}}.dump(-1, ' ', false,
                                                                                  Json::error_handler_t::replace);
}

}  // namespace nephron::host
