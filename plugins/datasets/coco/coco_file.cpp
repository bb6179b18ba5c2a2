#include "coco_file.hpp"

#include <cstdint>
#include <map>
#include <utility>

#include <nephron/coco_rle.hpp>
#include <nephron/error.hpp>
#include <nephron/json.hpp>

namespace coco {

using nephron::Error;
using nephron::json_member;
using nephron::Value;
using Type = Value::Type;

namespace {

constexpr std::size_t longest_text = 1000;        // names become ids, paths and messages
constexpr std::int64_t longest_side = 1'000'000;  // what the host paints
constexpr double farthest = 1e8;                  // of a vertex; the host moves what is farther

[[noreturn]] void refuse(const std::string& place, const std::string& what) { throw Error(place + ": " + what); }

/// An id, or a name: whole numbers and text, as programs write both.
std::string text_of(const Value& object, std::string_view key, const std::string& place) {
  const Value* value = object.find(key);
  if (value != nullptr && value->is(Type::integer)) return std::to_string(value->integer());
  const std::string& text = json_member(object, key, Type::string, place).string();
  if (text.empty() || text.size() > longest_text || text.find('\0') != std::string::npos)
    refuse(place, "\"" + std::string(key) + "\" is empty, holds a zero byte or is longer than " +
                      std::to_string(longest_text) + " bytes");
  return text;
}

/// "FILE: image 3 (id 7)"; without the id where it is none.
std::string place_of(const Value& object, const std::string& file, const char* what, std::size_t number) {
  const std::string place = file + ": " + what + " " + std::to_string(number);
  const Value* const id = object.find("id");
  if (id == nullptr || !(id->is(Type::integer) || id->is(Type::string))) return place;
  return place + " (id " + (id->is(Type::integer) ? id->str() : id->string().substr(0, 40)) + ")";
}

std::string slide_name(const std::filesystem::path& file_name) {
  std::string out;
  for (const auto& part : file_name.parent_path()) out += part.string() + "_";
  return out + file_name.stem().string();
}

/// Fills in what an entry says of its picture. Throws Error for what costs the slide.
void read_picture(const Value& image, const std::string& donor_key, Entry& entry) {
  const std::filesystem::path path = text_of(image, "file_name", entry.place);
  bool leaves = path.is_absolute() || path.filename().empty();
  for (const auto& part : path) leaves = leaves || part == "..";
  if (leaves) refuse(entry.place, "file_name \"" + path.string() + "\" is no file below the folder of pictures");
  entry.file_name = path.string();
  entry.slide = slide_name(path.lexically_normal());
  const std::int64_t width = json_member(image, "width", Type::integer, entry.place).integer();
  const std::int64_t height = json_member(image, "height", Type::integer, entry.place).integer();
  if (width < 1 || height < 1 || width > longest_side || height > longest_side)
    refuse(entry.place, "the picture would have " + std::to_string(width) + " x " + std::to_string(height) + " px");
  entry.size = {width, height};
  if (!donor_key.empty() && image.find(donor_key) != nullptr) entry.donor = text_of(image, donor_key, entry.place);
}

nephron::Polygon polygon_of(const Value& json, const std::string& place) {
  if (!json.is(Type::array) || json.array().size() < 6 || json.array().size() % 2 != 0)
    refuse(place, "a polygon is not a list of x, y, x, y, ... of three vertices or more");
  std::vector<nephron::Point> ring;
  const auto coordinate = [&](const Value& v) {
    const bool number = v.is(Type::integer) || v.is(Type::real);
    if (!number || !(v.number() >= -farthest && v.number() <= farthest))
      refuse(place, "a polygon has a coordinate that is no number, or one beyond 1e8");
    return v.number();
  };
  for (std::size_t i = 0; i < json.array().size(); i += 2)
    ring.push_back({coordinate(json.array()[i]), coordinate(json.array()[i + 1])});
  return {std::move(ring)};
}

nephron::Runs runs_of(const Value& segmentation, nephron::Size size, const std::string& place) {
  const Value::Array expected{size.height, size.width};
  const Value& shape = json_member(segmentation, "size", Type::array, place);
  if (shape.array() != expected)
    refuse(place, "the run lengths are of a mask of [height, width] " + shape.str().substr(0, 60) + "; the image has " +
                      Value(expected).str());
  const Value* const counts = segmentation.find("counts");
  if (counts != nullptr && counts->is(Type::string))
    return nephron::parse_coco_rle(counts->string(), size.area(), place);
  std::vector<std::int64_t> numbers;
  for (const Value& count : json_member(segmentation, "counts", Type::array, place).array()) {
    if (!count.is(Type::integer)) refuse(place, "\"counts\" holds something that is not a whole number");
    numbers.push_back(count.integer());
  }
  return nephron::runs_of_coco_counts(numbers, size.area(), place);
}

bool crowd_of(const Value& annotation, const std::string& place) {
  const Value* const crowd = annotation.find("iscrowd");
  if (crowd == nullptr) return false;
  if (crowd->is(Type::boolean)) return crowd->boolean();
  if (!crowd->is(Type::integer) || (crowd->integer() != 0 && crowd->integer() != 1))
    refuse(place, "\"iscrowd\" is neither 0 nor 1");
  return crowd->integer() == 1;
}

using Categories = std::map<std::string, std::string>;  ///< names by id

Area area_of(const Value& annotation, const Categories& categories, nephron::Size size, const std::string& place) {
  Area out;
  out.place = place;
  const std::string category = text_of(annotation, "category_id", place);
  const auto found = categories.find(category);
  if (found == categories.end()) refuse(place, "its category_id " + category + " is none of \"categories\"");
  out.category = found->second;
  out.crowd = crowd_of(annotation, place);
  const Value* const segmentation = annotation.find("segmentation");
  if (segmentation != nullptr && segmentation->is(Type::table)) {
    out.runs = runs_of(*segmentation, size, place);
    return out;
  }
  for (const Value& ring : json_member(annotation, "segmentation", Type::array, place).array())
    out.polygons.push_back(polygon_of(ring, place));
  if (out.polygons.empty()) refuse(place, "\"segmentation\" is empty: a box alone labels no pixels");
  return out;
}

Categories categories_of(const Value& json, const std::string& file) {
  Categories out;
  std::size_t number = 0;
  for (const Value& category : json_member(json, "categories", Type::array, file).array()) {
    const std::string place = place_of(category, file, "category", ++number);
    if (!out.emplace(text_of(category, "id", place), text_of(category, "name", place)).second)
      refuse(place, "an earlier category has this id");
  }
  return out;
}

/// Adds the annotations of a file to their entries.
class Annotations {
 public:
  Annotations(std::vector<Entry>& entries, const std::map<std::string, std::size_t>& numbers, Categories categories)
      : entries_(entries), numbers_(numbers), categories_(std::move(categories)) {}

  void take(const Value& annotation, const std::string& place) {
    const std::string image = text_of(annotation, "image_id", place);
    const auto found = numbers_.find(image);
    if (found == numbers_.end()) refuse(place, "it is of image " + image + ", which \"images\" does not list");
    Entry& entry = entries_[found->second];
    try {
      refuse_twin(annotation, entry, place);
      if (!entry.fault.empty()) return;
      entry.areas.push_back(area_of(annotation, categories_, entry.size, place));
    } catch (const Error& e) {
      if (entry.fault.empty()) entry.fault = e.what();
    }
  }

 private:
  /// Which of two annotations with one id is meant, nobody knows: neither of their slides can be used.
  void refuse_twin(const Value& annotation, Entry& entry, const std::string& place) {
    if (annotation.find("id") == nullptr) return;
    const auto [first, fresh] = ids_.try_emplace(text_of(annotation, "id", place), &entry);
    if (fresh) return;
    for (Entry* one : {first->second, &entry})
      if (one->fault.empty()) one->fault = place + ": an earlier annotation has this id";
  }

  std::vector<Entry>& entries_;
  const std::map<std::string, std::size_t>& numbers_;
  const Categories categories_;
  std::map<std::string, Entry*> ids_;
};

}  // namespace

std::vector<Entry> read_entries(const std::filesystem::path& file, const std::string& donor_key) {
  const Value json = nephron::read_json(file);
  const std::string name = file.string();
  std::vector<Entry> out;
  std::map<std::string, std::size_t> numbers, slides;
  for (const Value& image : json_member(json, "images", Type::array, name).array()) {
    Entry entry;
    entry.place = place_of(image, name, "image", out.size() + 1);
    const std::string id = text_of(image, "id", entry.place);
    try {
      read_picture(image, donor_key, entry);
    } catch (const Error& e) {
      entry.fault = e.what();
    }
    if (entry.slide.empty()) entry.slide = "image " + id;
    if (!numbers.emplace(id, out.size()).second) refuse(entry.place, "an earlier image has this id");
    if (const auto [twin, fresh] = slides.emplace(entry.slide, out.size()); !fresh)
      refuse(entry.place, "image " + std::to_string(twin->second + 1) + " is called \"" + entry.slide + "\" too");
    out.push_back(std::move(entry));
  }
  Annotations annotations(out, numbers, categories_of(json, name));
  std::size_t number = 0;
  for (const Value& annotation : json_member(json, "annotations", Type::array, name).array())
    annotations.take(annotation, place_of(annotation, name, "annotation", ++number));
  return out;
}

}  // namespace coco
