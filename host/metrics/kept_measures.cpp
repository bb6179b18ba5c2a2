#include <host/metrics/kept_measures.hpp>

#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/kept_measurement.hpp>

#include <host/plugins/guard.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t longest = std::int64_t{1} << 40;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// A value that damage made another one is still a value.
std::string digest_of(const Json& json) { return sha256_of_text(text_of(json)); }

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double v : values) out.push_back(number(v));
  return out;
}

/// A number, or what is none.
double number_of(const JsonNode& list, const Json& value) {
  if (value.is_null()) return MetricValue::undefined;
  if (!value.is_number()) list.refuse("holds something that is no number");
  return value.get<double>();
}

std::vector<double> numbers_of(const JsonNode& list) {
  if (!list.raw().is_array()) list.refuse("is no list");
  std::vector<double> out;
  out.reserve(list.raw().size());
  for (const Json& value : list.raw()) out.push_back(number_of(list, value));
  return out;
}

Json object_json(const MeasuredObject& o) {
  return {o.class_index, o.box.x,      o.box.y,      o.box.width,   o.box.height,      o.area,
          o.centroid.x,  o.centroid.y, o.confidence, o.centre_hits, o.mean_probability};
}

std::vector<MeasuredObject> objects_of(const JsonNode& list, std::size_t classes) {
  std::vector<MeasuredObject> out;
  for (const JsonNode& node : list.items()) {
    const std::vector<JsonNode> v = node.items();
    if (v.size() != 11) node.refuse("has not the eleven values of an object");
    MeasuredObject& o = out.emplace_back();
    o.class_index = static_cast<std::size_t>(v[0].integer(0, static_cast<std::int64_t>(classes) - 1));
    o.box = {v[1].integer(0, longest), v[2].integer(0, longest), v[3].integer(0, longest), v[4].integer(0, longest)};
    o.area = v[5].integer(0, std::numeric_limits<std::int64_t>::max());
    o.centroid = {v[6].number(), v[7].number()};
    o.confidence = v[8].number();
    o.centre_hits = v[9].boolean();
    o.mean_probability = number_of(node, v[10].raw());
  }
  return out;
}

Json pair_json(const ObjectPair& p) { return {p.found, p.truth, p.common, p.iou}; }

std::vector<ObjectPair> pairs_of(const JsonNode& list, const MeasuredObjects& objects) {
  std::vector<ObjectPair> out;
  for (const JsonNode& node : list.items()) {
    const std::vector<JsonNode> v = node.items();
    if (v.size() != 4) node.refuse("has not the four values of a pair");
    ObjectPair& p = out.emplace_back();
    p.found = static_cast<std::size_t>(v[0].integer(0, static_cast<std::int64_t>(objects.found.size()) - 1));
    p.truth = static_cast<std::size_t>(v[1].integer(0, static_cast<std::int64_t>(objects.truth.size()) - 1));
    p.common = v[2].integer(0, std::numeric_limits<std::int64_t>::max());
    p.iou = v[3].number(0, 1);
  }
  return out;
}

Json values_json(const std::vector<MetricValue>& values) {
  Json out = Json::array();
  for (const MetricValue& v : values)
    out.push_back({v.name, v.class_index, number(v.value), static_cast<int>(v.over), static_cast<int>(v.better)});
  return out;
}

std::vector<MetricValue> values_of(const JsonNode& list, std::size_t classes) {
  std::vector<MetricValue> out;
  for (const JsonNode& node : list.items()) {
    const std::vector<JsonNode> v = node.items();
    if (v.size() != 5) node.refuse("has not the five parts of a value");
    MetricValue& value = out.emplace_back();
    value.name = v[0].text();
    value.class_index = static_cast<int>(v[1].integer(-1, static_cast<std::int64_t>(classes) - 1));
    value.value = number_of(node, v[2].raw());
    value.over = static_cast<PooledOver>(v[3].integer(0, 2));
    value.better = static_cast<Better>(v[4].integer(0, 2));
  }
  return out;
}

std::shared_ptr<Measurement> begun(const MetricSet::Entry& entry, const MeasuredSlide& slide) {
  return guarded(*entry.metric, "in begin()", [&] { return entry.metric->begin(slide); });
}

Json slide_json(const MeasuredSlide& slide) {
  return {{"id", slide.id},
          {"dataset", slide.group},
          {"size", {slide.size.width, slide.size.height}},
          {"mpp", slide.microns_per_pixel},
          {"classes", slide.classes},
          {"thresholds", slide.thresholds}};
}

MeasuredSlide slide_of(const JsonNode& json) {
  MeasuredSlide out;
  out.id = json.at("id").text(), out.group = json.at("dataset").text();
  const std::vector<JsonNode> size = json.at("size").items();
  if (size.size() != 2) json.at("size").refuse("is not a width and a height");
  out.size = {size[0].integer(1, longest), size[1].integer(1, longest)};
  out.microns_per_pixel = json.at("mpp").number();
  out.classes = json.at("classes").texts(), out.thresholds = json.at("thresholds").numbers();
  if (out.classes.size() != out.thresholds.size()) json.at("thresholds").refuse("is not one a class");
  return out;
}

KeptSlide parsed(const JsonNode& json, const MetricSet& metrics) {
  KeptSlide out;
  SlideMeasures& measures = out.row.measures;
  measures.slide = slide_of(json.at("slide"));
  const std::size_t classes = measures.slide.classes.size();
  out.row.fold = static_cast<int>(json.at("fold").integer(-1, std::numeric_limits<int>::max()));
  out.row.picture = json.at("picture").text(), out.row.truth = json.at("truth").text();
  for (const JsonNode& curve : json.at("curves").items()) out.curves.push_back(numbers_of(curve));
  measures.objects.found = objects_of(json.at("found"), classes);
  measures.objects.truth = objects_of(json.at("true"), classes);
  measures.objects.pairs = pairs_of(json.at("pairs"), measures.objects);
  const JsonNode kept = json.at("metrics");
  for (const MetricSet::Entry& entry : metrics.entries()) {
    const JsonNode metric = kept.at(entry.name);
    measures.values.push_back(values_of(metric.at("values"), classes));
    const std::vector<double> told = numbers_of(metric.at("numbers"));
    const std::shared_ptr<Measurement> measurement = begun(entry, measures.slide);
    auto* const restored = dynamic_cast<KeptMeasurement*>(measurement.get());
    if (restored == nullptr) metric.refuse("is of a metric that cannot be kept");
    guarded(*entry.metric, "in restore()", [&] { restored->restore(told); });
    measures.details.push_back(measurement);
  }
  return out;
}

}  // namespace

std::vector<std::string> metrics_that_cannot_be_kept(const MetricSet& metrics) {
  MeasuredSlide any;
  any.classes = {"any"}, any.thresholds = {0.5};
  std::vector<std::string> out;
  for (const MetricSet::Entry& entry : metrics.entries())
    if (dynamic_cast<const KeptMeasurement*>(begun(entry, any).get()) == nullptr) out.push_back(entry.name);
  return out;
}

void write_measures(const std::filesystem::path& file, const std::string& key, const KeptSlide& slide,
                    const MetricSet& metrics) {
  const SlideMeasures& measures = slide.row.measures;
  Json json{{"key", key},
            {"slide", slide_json(measures.slide)},
            {"fold", slide.row.fold},
            {"picture", slide.row.picture},
            {"truth", slide.row.truth}};
  json["curves"] = Json::array();
  for (const auto& curve : slide.curves) json["curves"].push_back(numbers(curve));
  for (const char* part : {"found", "true", "pairs"}) json[part] = Json::array();
  for (const MeasuredObject& o : measures.objects.found) json["found"].push_back(object_json(o));
  for (const MeasuredObject& o : measures.objects.truth) json["true"].push_back(object_json(o));
  for (const ObjectPair& p : measures.objects.pairs) json["pairs"].push_back(pair_json(p));
  json["metrics"] = Json::object();
  for (std::size_t i = 0; i < metrics.entries().size(); ++i) {
    const MetricSet::Entry& entry = metrics.entries()[i];
    const auto& told = dynamic_cast<const KeptMeasurement&>(*measures.details.at(i));
    const std::vector<double> kept = guarded(*entry.metric, "in kept()", [&] { return told.kept(); });
    json["metrics"][entry.name] = {{"values", values_json(measures.values.at(i))}, {"numbers", numbers(kept)}};
  }
  json["sha256"] = digest_of(json);
  make_folder(file.parent_path());
  write_file_atomically(file, text_of(json) + "\n");
}

std::optional<KeptSlide> read_measures(const std::filesystem::path& file, const std::string& key,
                                       const MetricSet& metrics) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    const JsonNode json = JsonNode::read(file);
    if (json.at("key").text() != key) return std::nullopt;
    Json content = json.raw();
    content.erase("sha256");
    const auto told = json.find("sha256");
    if (!told || told->text() != digest_of(content)) json.refuse("is not what was written");
    return parsed(json, metrics);
  } catch (const std::exception& e) {
    log().warning("what was measured before is not taken, and measured again: " + with_hint(e));
    return std::nullopt;
  }
}

}  // namespace nephron::host
