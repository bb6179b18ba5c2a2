#include <host/report/validation_record.hpp>

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/runs/validation_state.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

const char* const how = "Validate again: nephron validate RUN --overwrite";
constexpr double most_pixels = 1 << 30;  // of a side

double number_or_unknown(const JsonNode& node) { return node.raw().is_null() ? unknown : node.number(); }
std::string text_or_none(const JsonNode& node) { return node.raw().is_null() ? std::string() : node.text(); }
std::int64_t whole(const JsonNode& node, std::int64_t least = 0) {
  return node.integer(least, static_cast<std::int64_t>(most_pixels));
}

std::size_t class_of(const std::vector<std::string>& classes, const JsonNode& node) {
  const auto found = std::find(classes.begin(), classes.end(), node.text());
  if (found == classes.end()) node.refuse("is a class that scores.json does not have");
  return static_cast<std::size_t>(found - classes.begin());
}

Spread spread_of(const JsonNode& node) { return {node.at("mean").number(0, 1), node.at("deviation").number(0, 1)}; }

std::vector<double> shares(const JsonNode& list, std::size_t many) {
  std::vector<double> out;
  for (const JsonNode& value : list.items()) out.push_back(value.number(0, 1));
  if (out.size() != many) list.refuse("has " + std::to_string(out.size()) + " values, not " + std::to_string(many));
  return out;
}

/// Validations of before this figure do not have it.
std::optional<Spread> crossed_of(const JsonNode& node) {
  const std::optional<JsonNode> crossed = node.find("at_other_folds_best");
  return crossed && !crossed->raw().is_null() ? std::optional(spread_of(*crossed)) : std::nullopt;
}

ValidationRecord::Searched searched_of(const std::string& name, const JsonNode& node) {
  ValidationRecord::Searched out{name,
                                 node.at("best_threshold").number(0, 1),
                                 spread_of(node.at("at_best_threshold")),
                                 spread_of(node.at("at_each_slides_best")),
                                 spread_of(node.at("at_0.5")),
                                 crossed_of(node),
                                 {},
                                 {},
                                 {}};
  for (const JsonNode& value : node.at("thresholds").items()) out.thresholds.push_back(value.number(0, 1));
  out.mean = shares(node.at("mean_dice"), out.thresholds.size());
  for (const JsonNode& curve : node.at("curves").items()) out.curves.push_back(shares(curve, out.thresholds.size()));
  return out;
}

ValidationRecord::Curve curve_of(const JsonNode& node) {
  ValidationRecord::Curve out{node.at("metric").text(), node.at("name").text(), text_or_none(node.at("class")),
                              node.at("x").text(),      node.at("y").text(),    {}};
  for (const JsonNode& point : node.at("points").items()) {
    const std::vector<double> xy = point.numbers();
    if (xy.size() < 2) point.refuse("is no point: two numbers were expected");
    out.points.emplace_back(xy[0], xy[1]);
  }
  return out;
}

void read_scores_json(const fs::path& file, ValidationRecord& out) {
  const JsonNode json = JsonNode::read(file, how);
  out.classes = json.at("classes").texts();
  if (out.classes.empty()) json.at("classes").refuse("names no class");
  out.metrics = json.at("metrics").texts(), out.tta = json.at("tta").texts();
  for (const JsonNode& fold : json.at("folds").items()) out.folds.push_back(static_cast<int>(whole(fold)));
  out.checkpoint = json.at("checkpoint").text(), out.precision = json.at("precision").text();
  out.exclusive = json.at("exclusive").boolean(), out.complete = json.at("complete").boolean();
  for (std::size_t c = 0; c < out.classes.size() && !out.exclusive; ++c)
    out.thresholds.push_back(json.at("thresholds").at(out.classes[c]).number(0, 1));
  for (const auto& [name, node] : json.at("dice_by_threshold").members()) {
    if (std::find(out.classes.begin(), out.classes.end(), name) == out.classes.end())
      node.refuse("is of a class that \"classes\" does not have");
    out.searched.push_back(searched_of(name, node));
  }
  for (const JsonNode& node : json.at("values").items())
    out.values.push_back({node.at("metric").text(), node.at("name").text(), text_or_none(node.at("class")),
                          number_or_unknown(node.at("value")), number_or_unknown(node.at("mean")),
                          number_or_unknown(node.at("deviation")), node.at("pooled_over").text(),
                          whole(node.at("slides"))});
  if (const auto curves = json.find("curves"))
    for (const JsonNode& node : curves->items()) out.curves.push_back(curve_of(node));
  for (const auto& [slide, why] : json.at("failures").members()) out.failures[slide] = why.text();
  const fs::path beside = file.parent_path().parent_path();
  out.weights_since =
      weights_since(fs::exists(beside / "experiment.resolved.toml") ? beside : fs::path(json.at("run").text()), json);
}

/// Calls take(line) for each line of a table.
template <class Take>
void for_each_line(const fs::path& file, const Take& take) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error("cannot read " + file.string(), how);
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number)
    if (!line.empty()) take(JsonNode::parse(line, file.string() + ":" + std::to_string(number), how));
  if (in.bad()) throw Error("cannot read " + file.string(), how);
}

int fold_of(const JsonNode& node) { return node.raw().is_null() ? -1 : static_cast<int>(whole(node)); }

using SlideKey = std::pair<std::string, std::string>;  // dataset, id

SlideKey key_of(const JsonNode& line) { return {line.at("dataset").text(), line.at("slide").text()}; }

/// Columns of a table of slides that are no values of metrics.
bool is_fact(const std::string& column) {
  static const std::vector<std::string> facts{"slide",          "dataset",      "donor",    "fold",
                                              "class",          "width",        "height",   "mpp",
                                              "picture_sha256", "truth_sha256", "threshold"};
  return std::find(facts.begin(), facts.end(), column) != facts.end();
}

void read_slides(const fs::path& file, ValidationRecord& out, std::map<SlideKey, std::size_t>& places) {
  for_each_line(file, [&](const JsonNode& line) {
    const auto [place, fresh] = places.try_emplace(key_of(line), out.slides.size());
    if (fresh) {
      ValidatedSlide slide{line.at("slide").text(),           line.at("dataset").text(),
                           fold_of(line.at("fold")),          {whole(line.at("width"), 1), whole(line.at("height"), 1)},
                           number_or_unknown(line.at("mpp")), {}};
      if (slide.mpp <= 0) line.at("mpp").refuse("is no size of a pixel");
      out.slides.push_back(std::move(slide));
    }
    ValidatedSlide::OfClass of_class{line.at("class").text(), {}};
    if (!of_class.name.empty()) static_cast<void>(class_of(out.classes, line.at("class")));
    for (const auto& [column, value] : line.members())
      if (!is_fact(column)) of_class.values.emplace_back(column, number_or_unknown(value));
    out.slides[place->second].classes.push_back(std::move(of_class));
  });
}

ValidatedObject object_of(const JsonNode& line, const ValidationRecord& record, std::size_t slide) {
  const std::string side = line.at("side").text();
  if (side != "found" && side != "true") line.at("side").refuse("is neither \"found\" nor \"true\"");
  ValidatedObject out;
  out.slide = slide, out.found = side == "found", out.number = whole(line.at("object"));
  out.class_index = class_of(record.classes, line.at("class"));
  out.box = {whole(line.at("x")), whole(line.at("y")), whole(line.at("width"), 1), whole(line.at("height"), 1)};
  const Size size = record.slides[slide].size;
  if (out.box.x + out.box.width > size.width || out.box.y + out.box.height > size.height)
    line.refuse("is an object outside its slide");
  out.area = line.at("area_px").integer(1, std::int64_t{1} << 60);
  out.diameter = number_or_unknown(line.at("diameter_um"));
  out.confidence = number_or_unknown(line.at("confidence"));
  out.iou = line.at("iou").number(0, 1);
  if (line.at("other").raw().is_null()) return out;
  out.other = whole(line.at("other"));
  out.other_class = class_of(record.classes, line.at("other_class"));
  return out;
}

void read_objects(const fs::path& file, ValidationRecord& out, const std::map<SlideKey, std::size_t>& places) {
  for_each_line(file, [&](const JsonNode& line) {
    const auto place = places.find(key_of(line));
    if (place == places.end()) line.at("slide").refuse("is a slide that slides.jsonl does not have");
    out.objects.push_back(object_of(line, out, place->second));
  });
}

}  // namespace

const ValidationRecord::Pooled* ValidationRecord::value(const std::string& name, const std::string& class_name) const {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const Pooled& v) { return v.name == name && v.class_name == class_name; });
  return found == values.end() ? nullptr : &*found;
}

std::optional<ValidationRecord> read_validation(const fs::path& folder) {
  if (!fs::exists(folder / "scores.json")) return std::nullopt;
  ValidationRecord out;
  out.folder = folder;
  read_scores_json(folder / "scores.json", out);
  std::map<SlideKey, std::size_t> places;
  read_slides(folder / "slides.jsonl", out, places);
  read_objects(folder / "objects.jsonl", out, places);
  return out;
}

}  // namespace nephron::host
