#include <host/labels/geojson_document.hpp>

#include <utility>

#include <nlohmann/json.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

}  // namespace

GeoJsonDocument::GeoJsonDocument() : head_(R"({"type":"FeatureCollection","features":[)"), tail_("]}") {}

GeoJsonDocument::GeoJsonDocument(std::string_view text, std::string_view where) : GeoJsonDocument() {
  AnnotatedObjects found = parse_geojson(text, where);  // what it lets through has one of three forms
  Json json = Json::parse(text);
  Json list = Json::array();
  if (json.is_array()) {
    list = std::move(json);
    head_ = "[", tail_ = "]";
  } else if (json["type"] == "Feature") {
    list.push_back(std::move(json));
  } else {
    list = std::move(json["features"]);
    json.erase("features");
    const std::string members = json.dump();  // its type is one of them
    head_ = members.substr(0, members.size() - 1) + ",\"features\":[";
  }
  auto object = found.objects.begin();
  auto skipped = found.skipped.begin();
  for (std::size_t i = 0; i < list.size(); ++i) {
    Feature& feature = features.emplace_back();
    feature.text = list[i].dump();
    if (skipped != found.skipped.end() && skipped->number == i + 1) ++skipped;
    else feature.object = std::move(*object++);
  }
}

std::string GeoJsonDocument::text() const {
  std::string out = head_;
  for (std::size_t i = 0; i < features.size(); ++i) out += (i == 0 ? "\n" : ",\n") + features[i].text;
  return out + "\n" + tail_ + "\n";
}

}  // namespace nephron::host
