#include <host/metrics/measure_tables.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include <nlohmann/json.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

/// The shortest text that reads as the same number.
std::string text_of(double value) {
  if (!std::isfinite(value)) return {};
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string cell(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_number_float()) return text_of(value.get<double>());
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

/// Lines that may have different columns; those of the first line come first.
class Table {
 public:
  explicit Table(std::vector<std::string> columns = {})
      : columns_(std::move(columns)), known_(columns_.begin(), columns_.end()) {}
  void add(Json line) {
    for (const auto& [name, value] : line.items())
      if (known_.insert(name).second) columns_.push_back(name);
    lines_.push_back(std::move(line));
  }
  TableText text() const {
    TableText out;
    for (std::size_t i = 0; i < columns_.size(); ++i) out.csv += (i > 0 ? "," : "") + cell(columns_[i]);
    if (!columns_.empty()) out.csv += "\n";
    for (const Json& line : lines_) {
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) out.csv += ",";
        if (line.contains(columns_[i])) out.csv += cell(line[columns_[i]]);
      }
      out.csv += "\n";
      out.jsonl += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    return out;
  }

 private:
  std::vector<std::string> columns_;
  std::set<std::string> known_;
  std::vector<Json> lines_;
};

Json slide_facts(const SlideRow& row) {
  const MeasuredSlide& slide = row.measures.slide;
  return {{"slide", slide.id},
          {"dataset", slide.group},
          {"donor", row.donor.empty() ? Json() : Json(row.donor)},
          {"fold", row.fold < 0 ? Json() : Json(row.fold)}};
}

/// The pair of each object that tells what became of it; nullptr: none. One of its own class that is found comes before
/// any of another class: classes may lie over each other. Else that with the largest IoU.
std::vector<const ObjectPair*> best_pairs(const MeasuredObjects& objects, bool of_found) {
  constexpr double found_from = 0.5;
  std::vector<const ObjectPair*> out((of_found ? objects.found : objects.truth).size(), nullptr);
  const auto rank = [&](const ObjectPair& pair) {
    const bool own = objects.found[pair.found].class_index == objects.truth[pair.truth].class_index;
    return std::pair(own && pair.iou >= found_from, pair.iou);
  };
  for (const ObjectPair& pair : objects.pairs) {
    const ObjectPair*& best = out[of_found ? pair.found : pair.truth];
    if (best == nullptr || rank(pair) > rank(*best)) best = &pair;
  }
  return out;
}

void add_objects(Table& table, const SlideRow& row, bool of_found) {
  const MeasuredObjects& all = row.measures.objects;
  const MeasuredSlide& slide = row.measures.slide;
  const std::vector<MeasuredObject>& objects = of_found ? all.found : all.truth;
  const std::vector<MeasuredObject>& others = of_found ? all.truth : all.found;
  const std::vector<const ObjectPair*> best = best_pairs(all, of_found);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const MeasuredObject& o = objects[i];
    const double um2 = static_cast<double>(o.area) * slide.microns_per_pixel * slide.microns_per_pixel;
    const bool known = slide.microns_per_pixel > 0;
    Json line = slide_facts(row);
    line["side"] = of_found ? "found" : "true";
    line["object"] = i;
    line["class"] = slide.classes.at(o.class_index);
    line["x"] = o.box.x, line["y"] = o.box.y, line["width"] = o.box.width, line["height"] = o.box.height;
    line["centroid_x"] = o.centroid.x, line["centroid_y"] = o.centroid.y;
    line["area_px"] = o.area;
    line["area_um2"] = known ? Json(um2) : Json();
    line["diameter_um"] = known ? Json(2 * std::sqrt(um2 / std::numbers::pi)) : Json();  // of a circle of that area
    line["confidence"] = of_found ? number(o.confidence) : Json();
    line["mean_probability"] = of_found ? number(o.mean_probability) : Json();
    line["centre_hits"] = o.centre_hits;
    const ObjectPair* const pair = best[i];
    const std::size_t other = pair == nullptr ? 0 : of_found ? pair->truth : pair->found;
    line["iou"] = pair == nullptr ? 0.0 : pair->iou;
    line["other"] = pair == nullptr ? Json() : Json(other);
    line["other_class"] = pair == nullptr ? Json() : Json(slide.classes.at(others[other].class_index));
    table.add(std::move(line));
  }
}

}  // namespace

TableText slide_table(std::span<const SlideRow> slides) {
  Table table;
  for (const SlideRow& row : slides) {
    const MeasuredSlide& slide = row.measures.slide;
    std::map<int, std::vector<const MetricValue*>> of_class;
    for (std::size_t c = 0; c < slide.classes.size(); ++c) of_class[static_cast<int>(c)];
    for (const auto& metric : row.measures.values)
      for (const MetricValue& value : metric) of_class[value.class_index].push_back(&value);
    for (const auto& [c, values] : of_class) {
      Json line = slide_facts(row);
      const bool one = c >= 0;
      line["class"] = one ? slide.classes.at(static_cast<std::size_t>(c)) : "";
      line["width"] = slide.size.width, line["height"] = slide.size.height;
      line["mpp"] = slide.microns_per_pixel > 0 ? Json(slide.microns_per_pixel) : Json();
      line["picture_sha256"] = row.picture.empty() ? Json() : Json(row.picture);
      line["truth_sha256"] = row.truth.empty() ? Json() : Json(row.truth);
      line["threshold"] = one ? number(slide.thresholds.at(static_cast<std::size_t>(c))) : Json();
      for (const MetricValue* value : values) line[value->name] = number(value->value);
      table.add(std::move(line));
    }
  }
  return table.text();
}

TableText object_table(std::span<const SlideRow> slides) {
  // Without an object there is a table all the same.
  Table table({"slide",       "dataset", "donor",    "fold",        "side",       "object",
               "class",       "x",       "y",        "width",       "height",     "centroid_x",
               "centroid_y",  "area_px", "area_um2", "diameter_um", "confidence", "mean_probability",
               "centre_hits", "iou",     "other",    "other_class"});
  for (const SlideRow& row : slides) {
    add_objects(table, row, true);
    add_objects(table, row, false);
  }
  return table.text();
}

}  // namespace nephron::host
