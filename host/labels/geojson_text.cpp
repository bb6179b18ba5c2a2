#include <host/labels/geojson_text.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>

#include <nlohmann/json.hpp>

#include <nephron/rng.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

// As `data preview` outlines them: red, blue, green, then others that are told apart.
constexpr std::array<std::array<int, 3>, 8> colours{{{220, 40, 40},
                                                     {40, 80, 230},
                                                     {30, 170, 60},
                                                     {240, 170, 20},
                                                     {160, 60, 200},
                                                     {20, 180, 190},
                                                     {120, 80, 40},
                                                     {90, 90, 90}}};

bool is_uuid(const std::string& id) {
  static const std::regex form("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  return std::regex_match(id, form);
}

std::string uuid_of(const std::string& what) {
  Rng rng(0x6e657068726f6eU, what);
  const std::uint64_t high = (rng.bits64() & ~0xf000ULL) | 0x8000ULL;  // version 8: of one's own making
  const std::uint64_t low = (rng.bits64() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;  // the usual variant
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text.data();
}

/// Whole numbers without a fraction, as most vertices are.
Json number(double v) {
  const auto whole = static_cast<std::int64_t>(v);
  return static_cast<double>(whole) == v ? Json(whole) : Json(v);
}

Json rings_of(const Polygon& polygon) {
  Json rings = Json::array();
  for (const auto& ring : polygon) {
    Json& vertices = rings.emplace_back(Json::array());
    for (const Point& p : ring) vertices.push_back({number(p.x), number(p.y)});
    if (ring.front().x != ring.back().x || ring.front().y != ring.back().y || ring.size() == 1)
      vertices.push_back(vertices.front());
  }
  return rings;
}

Json geometry_of(const AnnotatedObject& object) {
  if (object.parts.size() == 1) return {{"type", "Polygon"}, {"coordinates", rings_of(object.parts.front())}};
  Json parts = Json::array();
  for (const Polygon& part : object.parts) parts.push_back(rings_of(part));
  return {{"type", "MultiPolygon"}, {"coordinates", std::move(parts)}};
}

Json classification_of(const std::string& class_name, const std::vector<std::string>& classes) {
  const auto place = static_cast<std::size_t>(std::find(classes.begin(), classes.end(), class_name) - classes.begin());
  return {{"name", class_name}, {"color", colours[place % colours.size()]}};
}

std::string line_of(const Json& feature) { return feature.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string geojson_feature(const AnnotatedObject& object, const std::vector<std::string>& classes,
                            const std::string& salt) {
  Json geometry = geometry_of(object);
  Json properties{{"objectType", "annotation"}};
  if (!object.class_name.empty()) properties["classification"] = classification_of(object.class_name, classes);
  Json measurements = Json::object();
  for (const auto& [name, value] : object.measurements) measurements[name] = value;
  properties["measurements"] = std::move(measurements);
  const std::string id = is_uuid(object.id) ? object.id : uuid_of(salt + geometry.dump());
  return line_of(
      {{"type", "Feature"}, {"id", id}, {"geometry", std::move(geometry)}, {"properties", std::move(properties)}});
}

std::string reclassified(const std::string& feature, const std::string& class_name,
                         const std::vector<std::string>& classes) {
  Json json = Json::parse(feature);
  Json& properties = json["properties"];
  if (!properties.is_object()) properties = Json::object();
  if (class_name.empty()) properties.erase("classification");
  else properties["classification"] = classification_of(class_name, classes);
  return line_of(json);
}

std::string geojson_text(const std::vector<AnnotatedObject>& objects, const std::vector<std::string>& classes,
                         const std::string& origin) {
  std::string out = "{\"type\":\"FeatureCollection\",";
  if (!origin.empty()) out += "\"nephron\":" + origin + ",\n";
  out += "\"features\":[";
  for (std::size_t i = 0; i < objects.size(); ++i)
    out += (i == 0 ? "\n" : ",\n") + geojson_feature(objects[i], classes, std::to_string(i));
  return out + "\n]}\n";
}

}  // namespace nephron::host
