#include <host/labels/coco.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include <nephron/coco_rle.hpp>
#include <nephron/error.hpp>

#include <host/labels/trace.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::json;
constexpr int deepest = 64;
constexpr std::int64_t longest_side = 1'000'000;

[[noreturn]] void refuse(std::string_view where, const std::string& what) {
  throw Error(std::string(where) + ": " + what);
}

Json parsed(std::string_view text, std::string_view where) {
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
      if (depth > deepest) refuse(where, "lists and objects are nested more than 64 deep");
      return true;
    });
  } catch (const Json::exception& e) {
    const std::string what = e.what();
    const std::size_t end = what.find("] ");
    refuse(where, "this is no JSON: " + (end == std::string::npos ? what : what.substr(end + 2)).substr(0, 200));
  }
}

const Json& need(const Json& object, const char* name, std::string_view where) {
  if (!object.is_object() || !object.contains(name)) refuse(where, "there is no \"" + std::string(name) + "\"");
  return object[name];
}

const Json& need_list(const Json& object, const char* name, std::string_view where) {
  const Json& list = need(object, name, where);
  if (!list.is_array()) refuse(where, "\"" + std::string(name) + "\" is not a list");
  return list;
}

std::int64_t need_integer(const Json& object, const char* name, std::string_view where) {
  const Json& value = need(object, name, where);
  if (!value.is_number_integer()) refuse(where, "\"" + std::string(name) + "\" is not a whole number");
  return value.get<std::int64_t>();
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::vector<Point> ring_of(const Json& json, std::string_view where) {
  if (!json.is_array() || json.size() % 2 != 0 || json.empty())
    refuse(where, "a polygon is not a list of x, y, x, y, ...");
  std::vector<Point> ring;
  for (std::size_t i = 0; i < json.size(); i += 2) {
    if (!json[i].is_number() || !json[i + 1].is_number())
      refuse(where, "a polygon has a coordinate that is not a number");
    ring.push_back({json[i].get<double>(), json[i + 1].get<double>()});
  }
  return ring;
}

Runs runs_of(const Json& segmentation, Size size, std::string_view where) {
  const Json& shape = need_list(segmentation, "size", where);
  if (shape.size() != 2 || shape[0] != Json(size.height) || shape[1] != Json(size.width))
    refuse(where, "the run lengths are of a mask of [height, width] " + shape.dump().substr(0, 60) +
                      "; the image has [" + std::to_string(size.height) + ", " + std::to_string(size.width) + "]");
  const Json& counts = need(segmentation, "counts", where);
  if (counts.is_string()) return parse_coco_rle(counts.get<std::string>(), size.area(), where);
  if (!counts.is_array()) refuse(where, "\"counts\" is neither text nor a list");
  std::vector<std::int64_t> numbers;
  for (const Json& count : counts) {
    if (!count.is_number_integer()) refuse(where, "\"counts\" holds something that is not a whole number");
    numbers.push_back(count.get<std::int64_t>());
  }
  return runs_of_coco_counts(numbers, size.area(), where);
}

std::vector<Polygon> parts_of(const Json& segmentation, Size size, std::string_view where) {
  std::vector<Polygon> parts;
  if (segmentation.is_array()) {
    for (const Json& ring : segmentation) parts.push_back({ring_of(ring, where)});
    return parts;
  }
  if (!segmentation.is_object()) refuse(where, "\"segmentation\" is neither a list of polygons nor run lengths");
  for (AnnotatedObject& object : trace_objects(runs_of(segmentation, size, where), size))
    parts.push_back(std::move(object.parts.front()));
  return parts;
}

const Json& chosen_image(const Json& images, const std::string& wanted, std::string_view where) {
  if (wanted.empty() && images.size() == 1) return images[0];
  std::string names;
  for (const Json& image : images) {
    const std::string id = text_of(need(image, "id", where));
    const std::string name = image.contains("file_name") ? text_of(image["file_name"]) : id;
    if (!wanted.empty() && (wanted == id || wanted == name || wanted == name.substr(0, name.rfind('.')))) return image;
    if (names.size() < 200) names += (names.empty() ? "\"" : ", \"") + name + "\"";
  }
  refuse(where, wanted.empty() ? "the file has " + std::to_string(images.size()) + " images; say which: " + names
                               : "there is no image \"" + wanted + "\"; the file has " + names);
}

bool is_plain(const AnnotatedObject& object) {
  return std::all_of(object.parts.begin(), object.parts.end(),
                     [](const Polygon& part) { return part.size() == 1 && part.front().size() > 2; });
}

Json polygons_of(const AnnotatedObject& object) {
  Json out = Json::array();
  for (const Polygon& part : object.parts) {
    Json& ring = out.emplace_back(Json::array());
    for (const Point& p : part.front()) ring.push_back(p.x), ring.push_back(p.y);
  }
  return out;
}

}  // namespace

bool looks_like_coco(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && text[first] == '{' &&
         text.find("\"annotations\"") != std::string_view::npos &&
         text.find("\"categories\"") != std::string_view::npos;
}

LabelSet parse_coco(std::string_view text, std::string_view where, const std::string& wanted, Size size) {
  const Json json = parsed(text, where);
  const Json& image = chosen_image(need_list(json, "images", where), wanted, where);
  LabelSet out;
  out.holds_objects = true;
  out.size = {need_integer(image, "width", where), need_integer(image, "height", where)};
  if (out.size.empty() || out.size.width > longest_side || out.size.height > longest_side)
    refuse(where, "the image has " + std::to_string(out.size.width) + " x " + std::to_string(out.size.height) + " px");
  if (!size.empty() && !(size == out.size))
    refuse(where, "the image has " + std::to_string(out.size.width) + " x " + std::to_string(out.size.height) +
                      " px, the slide " + std::to_string(size.width) + " x " + std::to_string(size.height));
  std::map<std::string, std::string> categories;
  for (const Json& category : need_list(json, "categories", where)) {
    const std::string name = text_of(need(category, "name", where));
    categories[text_of(need(category, "id", where))] = name;
    if (out.class_index(name) < 0) out.classes.push_back(name);
  }
  const std::string id = text_of(need(image, "id", where));
  std::size_t number = 0;
  for (const Json& annotation : need_list(json, "annotations", where)) {
    const std::string place = std::string(where) + ": annotation " + std::to_string(++number);
    if (text_of(need(annotation, "image_id", place)) != id) continue;
    const auto category = categories.find(text_of(need(annotation, "category_id", place)));
    if (category == categories.end()) refuse(place, "its category_id is none of the categories");
    AnnotatedObject object;
    object.parts = parts_of(need(annotation, "segmentation", place), out.size, place);
    object.class_name = category->second;
    if (annotation.contains("id")) object.id = text_of(annotation["id"]);
    if (object.parts.empty())
      out.notes.push_back("annotation " + std::to_string(number) + " skipped: it has no pixels");
    else out.objects.push_back(std::move(object));
  }
  return out;
}

std::string coco_text(const LabelSet& labels, const std::string& file_name, const std::string& origin) {
  using Ordered = nlohmann::ordered_json;
  Ordered annotations = Ordered::array(), categories = Ordered::array();
  for (std::size_t c = 0; c < labels.classes.size(); ++c)
    categories.push_back({{"id", c + 1}, {"name", labels.classes[c]}});
  for (const AnnotatedObject& object : objects_of(labels)) {
    const Runs runs = runs_of_object(object, labels.size);
    const Region box = box_of(runs, labels.size);
    Ordered segmentation{{"size", {labels.size.height, labels.size.width}},
                         {"counts", coco_rle_text(runs, labels.size.area())}};
    if (labels.holds_objects && is_plain(object)) segmentation = polygons_of(object);
    Ordered& annotation = annotations.emplace_back(Ordered{{"id", annotations.size() + 1},
                                                           {"image_id", 1},
                                                           {"category_id", labels.class_index(object.class_name) + 1},
                                                           {"segmentation", std::move(segmentation)},
                                                           {"area", area_of(runs)},
                                                           {"bbox", {box.x, box.y, box.width, box.height}},
                                                           {"iscrowd", 0}});
    for (const auto& [name, value] : object.measurements)
      if (name == "confidence") annotation["score"] = value;  // as results have it
  }
  Ordered out = Ordered::object();
  if (!origin.empty()) out["info"] = Ordered::parse(origin);
  out["images"] = Ordered::array(
      {Ordered{{"id", 1}, {"width", labels.size.width}, {"height", labels.size.height}, {"file_name", file_name}}});
  out["categories"] = std::move(categories);
  out["annotations"] = std::move(annotations);
  return out.dump(-1, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace nephron::host
