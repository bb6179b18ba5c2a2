#include <host/view/annotation_file.hpp>

#include <cmath>

#include <nlohmann/json.hpp>

#include <nephron/folder_name.hpp>

#include <host/labels/geojson_text.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_bytes = std::size_t{1} << 28;
constexpr std::size_t longest_class = 200;
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

AnnotatedObject object_of(const Json& json, double scale) {
  const auto name = json.is_object() ? json.find("class") : json.end();
  const auto parts = json.is_object() ? json.find("parts") : json.end();
  if (name == json.end() || !name->is_string() || parts == json.end() || !parts->is_array() || parts->empty())
    refuse("has an object without class or parts");
  AnnotatedObject out;
  out.class_name = name->get<std::string>();
  if (out.class_name.empty() || out.class_name.size() > longest_class)
    refuse("has a class whose name has no or more than 200 letters");
  for (const Json& part : *parts) {
    if (!part.is_array() || part.empty()) refuse("has a part without an outline");
    Polygon& polygon = out.parts.emplace_back();
    for (const Json& ring : part) polygon.push_back(ring_of(ring, scale));
  }
  return out;
}

double rounded(double v) { return std::round(v * 100) / 100; }

}  // namespace

AnnotationFolder::AnnotationFolder(fs::path folder, std::vector<fs::path> inputs)
    : folder_(std::move(folder)), inputs_(std::move(inputs)) {}

fs::path AnnotationFolder::file(const std::string& id) const {
  const bool a_name = !id.empty() && id != "." && id != ".." && id.find('/') == std::string::npos && id.size() < 200;
  return folder_ / ((a_name ? id : folder_name(id)) + ".json");
}

AnnotationFolder::Content AnnotationFolder::read(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return read_locked(id);
}

AnnotationFolder::Content AnnotationFolder::read_locked(const std::string& id) const {
  const fs::path path = file(id);
  Content out;
  std::error_code failed;
  if (!fs::exists(fs::symlink_status(path, failed))) return out;
  const std::string text = read_file(path, most_bytes);
  AnnotatedObjects found = parse_geojson(text, path.string());
  if (!found.skipped.empty())
    throw Error(path.string() + " holds " + std::to_string(found.skipped.size()) +
                    " features that are no areas and would be lost",
                "Name another folder with --draw-into.");
  out.objects = std::move(found.objects);
  out.version = sha256_of_text(text).substr(0, 16);
  return out;
}

std::string AnnotationFolder::write(const std::string& id, const std::vector<AnnotatedObject>& objects,
                                    const std::vector<std::string>& classes, const std::string& version) {
  const std::scoped_lock lock(mutex_);
  if (read_locked(id).version != version)
    throw Conflict("somebody else has changed the drawing of \"" + id + "\" meanwhile", "Load the page again.");
  CommandOutput output(file(id), true, inputs_);
  const std::string text = geojson_text(objects, classes);
  output.write(text);
  return sha256_of_text(text).substr(0, 16);
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

std::string drawing_json(const AnnotationFolder::Content& content, double scale) {
  Json objects = Json::array();
  for (const AnnotatedObject& object : content.objects) {
    Json parts = Json::array();
    for (const Polygon& part : object.parts) {
      Json& rings = parts.emplace_back(Json::array());
      for (const auto& ring : part) {
        Json& flat = rings.emplace_back(Json::array());
        for (const Point& p : ring) flat.push_back(rounded(p.x * scale)), flat.push_back(rounded(p.y * scale));
      }
    }
    objects.push_back({{"class", object.class_name.empty() ? "object" : object.class_name}, {"parts", parts}});
  }
  return Json{{"version", content.version}, {"objects", std::move(objects)}}.dump(-1, ' ', false,
                                                                                  Json::error_handler_t::replace);
}

}  // namespace nephron::host
