#include <nephron/geojson.hpp>

#include <cmath>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

namespace nephron {

namespace {

using Json = nlohmann::json;

// Features of a QuPath file nest 8 deep; what is far deeper was made to exhaust the stack.
constexpr int deepest = 64;

/// Where a fault is, told from outside in.
struct Place {
  std::string_view file;
  std::size_t feature = 0;

  [[noreturn]] void refuse(const std::string& what, std::string hint = {}) const {
    const std::string number = feature == 0 ? "" : "feature " + std::to_string(feature) + ": ";
    throw Error(std::string(file) + ": " + number + what, std::move(hint));
  }
};

std::string kind_of(const Json& value) {
  return value.is_null() ? "nothing" : std::string("JSON of type ") + value.type_name();
}

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->is_string()) return value->get<std::string>();
  return value->is_number_integer() ? value->dump() : std::string();
}

std::vector<Point> ring_of(const Json& json, const Place& place) {
  if (!json.is_array()) place.refuse("a ring of the polygon is " + kind_of(json) + "; expected a list of [x, y]");
  std::vector<Point> ring;
  ring.reserve(json.size());
  for (const Json& vertex : json) {
    if (!vertex.is_array() || vertex.size() < 2 || !vertex[0].is_number() || !vertex[1].is_number())
      place.refuse("vertex " + std::to_string(ring.size() + 1) + " of a ring is not [x, y]");
    ring.push_back({vertex[0].get<double>(), vertex[1].get<double>()});
    if (!std::isfinite(ring.back().x) || !std::isfinite(ring.back().y))
      place.refuse("vertex " + std::to_string(ring.size()) + " of a ring is not finite");
  }
  return ring;
}

/// Without rings that have no vertices; empty when none is left.
Polygon polygon_of(const Json& json, const Place& place) {
  if (!json.is_array())
    place.refuse("the coordinates of a polygon are " + kind_of(json) + "; expected a list of rings");
  Polygon polygon;
  for (const Json& ring : json) {
    polygon.push_back(ring_of(ring, place));
    if (!polygon.back().empty()) continue;
    polygon.pop_back();
    if (polygon.empty()) return {};  // holes of nothing
  }
  return polygon;
}

/// QuPath writes {"name": ...}, since 0.4 also {"names": [...]} for classes with parents; others write plain text.
std::string class_of(const Json* classification) {
  if (classification == nullptr) return {};
  if (classification->is_string()) return classification->get<std::string>();
  if (const Json* name = member(*classification, "name")) return text_of(name);
  std::string out;
  if (const Json* names = member(*classification, "names"); names != nullptr && names->is_array())
    for (const Json& name : *names) out += (out.empty() ? "" : ": ") + text_of(&name);
  return out;
}

/// {"area": 12} as today's QuPath writes them, or [{"name": "area", "value": 12}] as it once did.
std::vector<std::pair<std::string, double>> measurements_of(const Json* json) {
  std::vector<std::pair<std::string, double>> out;
  if (json == nullptr) return out;
  if (json->is_object())
    for (const auto& [name, value] : json->items())
      if (value.is_number()) out.emplace_back(name, value.get<double>());
  if (json->is_array())
    for (const Json& one : *json)
      if (const Json* value = member(one, "value"); value != nullptr && value->is_number())
        out.emplace_back(text_of(member(one, "name")), value->get<double>());
  return out;
}

/// Adds the feature to the objects or to what was skipped.
void take_feature(const Json& feature, const Place& place, AnnotatedObjects& out) {
  const Json* const properties = member(feature, "properties");
  const std::string class_name = properties == nullptr ? "" : class_of(member(*properties, "classification"));
  const auto skip = [&](std::string why) { out.skipped.push_back({place.feature, std::move(why), class_name}); };
  if (!feature.is_object() || text_of(member(feature, "type")) != "Feature")
    place.refuse("expected an object with \"type\": \"Feature\", found " + kind_of(feature));
  const Json* geometry = member(feature, "geometry");
  if (geometry == nullptr) return skip("it has no geometry");
  const std::string type = text_of(member(*geometry, "type"));
  if (type != "Polygon" && type != "MultiPolygon")
    return skip(type.empty() ? "its geometry has no type" : "a " + type.substr(0, 40) + " is no area");
  const Json* coordinates = member(*geometry, "coordinates");
  if (coordinates == nullptr) place.refuse("the " + type + " has no coordinates");
  AnnotatedObject object;
  if (type == "Polygon") {
    object.parts.push_back(polygon_of(*coordinates, place));
  } else {
    if (!coordinates->is_array()) place.refuse("the coordinates of a MultiPolygon are " + kind_of(*coordinates));
    for (const Json& part : *coordinates) object.parts.push_back(polygon_of(part, place));
  }
  std::erase_if(object.parts, [](const Polygon& part) { return part.empty(); });
  if (object.parts.empty()) return skip("the " + type + " has no vertices");
  object.id = text_of(member(feature, "id"));
  object.class_name = class_name;
  if (properties != nullptr) object.measurements = measurements_of(member(*properties, "measurements"));
  out.objects.push_back(std::move(object));
}

Json parsed(std::string_view text, const Place& place) {
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
      if (depth > deepest) place.refuse("lists and objects are nested more than " + std::to_string(deepest) + " deep");
      return true;
    });
  } catch (const Json::exception& e) {
    const std::string what = e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    const std::size_t end = what.find("] ");
    place.refuse("this is no JSON: " + (end == std::string::npos ? what : what.substr(end + 2)).substr(0, 200));
  }
}

}  // namespace

AnnotatedObjects parse_geojson(std::string_view text, std::string_view where) {
  Place place{where};
  const Json json = parsed(text, place);
  AnnotatedObjects out;
  const Json* features = &json;
  Json single;
  if (json.is_object()) {
    const std::string type = text_of(member(json, "type"));
    features = member(json, "features");
    if (type == "Feature") features = &(single = Json::array({json}));
    if (features == nullptr || (type != "Feature" && type != "FeatureCollection")) features = &single;
  }
  if (!features->is_array())
    place.refuse("expected a list of Features or a FeatureCollection, found " + kind_of(json),
                 "export the annotations from QuPath as GeoJSON");
  for (const Json& feature : *features) {
    ++place.feature;
    take_feature(feature, place, out);
  }
  return out;
}

AnnotatedObjects read_geojson(const std::filesystem::path& file) {
  constexpr std::uintmax_t most = std::uintmax_t{1} << 30;  // a parsed file takes ten times its size
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw Error("cannot read " + file.string() + ": " + error.message() + "; expected a GeoJSON file");
  if (size > most)
    throw Error(file.string() + " has " + std::to_string(size) + " bytes; expected at most 1 GiB of GeoJSON");
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in) throw Error("cannot read " + file.string());
  return parse_geojson(text, file.string());
}

Polygon joined_rings(const std::vector<Polygon>& parts) {
  Polygon out(1);
  for (const Polygon& part : parts)
    for (const auto& ring : part) out.front().insert(out.front().end(), ring.begin(), ring.end());
  if (out.front().empty()) out.clear();
  return out;
}

}  // namespace nephron
