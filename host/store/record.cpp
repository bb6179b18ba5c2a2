#include <host/store/record.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/store/file.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::int64_t most_side = std::int64_t{1} << 31;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50;
constexpr double most_mpp = 1e6;

constexpr const char* hint = "prepare the slide again";

std::vector<int> integers(const JsonNode& list, int least, int most) {
  std::vector<int> out;
  for (const JsonNode& item : list.items()) out.push_back(static_cast<int>(item.integer(least, most)));
  return out;
}

Reduction read_reduction(const JsonNode& record) {
  return Reduction::written(record.at("reduction").number(1, Reduction::largest));
}

/// A name of a folder, and no way out of another.
std::string read_folder(const JsonNode& record, const char* key) {
  const std::string name = record.at(key).text();
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos)
    record.at(key).refuse("is no name of a folder");
  return name;
}

Size read_size(const JsonNode& record) {
  const JsonNode list = record.at("size");
  const std::vector<JsonNode> sides = list.items();
  if (sides.size() != 2)
    list.refuse("has " + std::to_string(sides.size()) + " numbers; a width and a height belong there");
  return {sides[0].integer(1, most_side), sides[1].integer(1, most_side)};
}

Json reduction_json(const Reduction& r) { return r.whole() ? Json(r.factor()) : Json(r.value()); }

std::int64_t pixels(const JsonNode& count) { return count.integer(0, most_side * most_side / 4); }

Json stamp_json(const FileStamp& s) {
  return {{"path", s.path.string()},
          {"relative", s.relative.string()},
          {"bytes", s.bytes},
          {"mtime_ns", s.mtime_ns},
          {"content", s.content}};
}

FileStamp read_stamp(const JsonNode& stamp) {
  return {stamp.at("path").text(), stamp.at("bytes").integer(0, most_bytes),
          stamp.at("mtime_ns").integer(INT64_MIN, INT64_MAX), stamp.at("content").text(), stamp.at("relative").text()};
}

/// Of the file that a record tells of; the first of this version did not say.
std::int64_t read_time(const JsonNode& record) {
  const auto time = record.find("mtime_ns");
  return time ? time->integer(INT64_MIN, INT64_MAX) : 0;
}

template <std::size_t n>
std::array<double, n> read_numbers(const JsonNode& list, double most) {
  const std::vector<JsonNode> items = list.items();
  if (items.size() != n)
    list.refuse("has " + std::to_string(items.size()) + " numbers; " + std::to_string(n) + " belong there");
  std::array<double, n> out{};
  for (std::size_t i = 0; i < n; ++i) out[i] = items[i].number(-most, most);
  return out;
}

constexpr double most_colour = 1000;  // lightness, densities and values of pixels are well below

Json colours_json(const std::optional<SlideColours>& c) {
  if (!c) return nullptr;
  return {{"stains", c->stains},
          {"strength", c->strength},
          {"lab_mean", c->lab_mean},
          {"lab_deviation", c->lab_deviation},
          {"background", c->background}};
}

std::optional<SlideColours> read_colours(const JsonNode& node) {
  if (node.raw().is_null()) return std::nullopt;
  SlideColours out;
  const JsonNode list = node.at("stains");
  const std::vector<JsonNode> stains = list.items();
  if (stains.size() != out.stains.size()) list.refuse("has not two stains");
  for (std::size_t i = 0; i < stains.size(); ++i) out.stains[i] = read_numbers<3>(stains[i], most_colour);
  out.strength = read_numbers<2>(node.at("strength"), most_colour);
  out.lab_mean = read_numbers<3>(node.at("lab_mean"), most_colour);
  out.lab_deviation = read_numbers<3>(node.at("lab_deviation"), most_colour);
  out.background = read_numbers<3>(node.at("background"), most_colour);
  return out;
}

/// A record of this version.
JsonNode open_record(const std::string& text, const std::filesystem::path& name, const std::string& what) {
  JsonNode record = JsonNode::parse(text, name.string(), hint);
  const std::int64_t format = record.at("format").integer(0, INT64_MAX);
  if (format != store_format)
    throw Error(name.string() + " is of format " + std::to_string(format) + "; this nephron writes " +
                    std::to_string(store_format),
                hint);
  if (record.at("what").text() != what) record.at("what").refuse("is not \"" + what + "\"");
  return record;
}

std::string text_of(const std::filesystem::path& file) { return read_file(file, std::size_t{1} << 24); }

/// A path may hold any bytes, JSON may not.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

FileStamp stamp_of(const std::filesystem::path& file, const std::filesystem::path& store) {
  struct stat info = {};
  if (::stat(file.c_str(), &info) != 0) throw Error("cannot read " + file.string() + ": " + std::strerror(errno));
  const std::filesystem::path path = std::filesystem::canonical(file);
  return {path,
          info.st_size,
          mtime_of(info),
          {},
          path.lexically_relative(std::filesystem::weakly_canonical(std::filesystem::absolute(store)))};
}

std::string PictureRecord::to_json() const {
  Json json{{"format", store_format},
            {"what", "picture"},
            {"tool", tool},
            {"reader", reader},
            {"source", stamp_json(source)},
            {"size", {size.width, size.height}},
            {"mpp", mpp},
            {"reduction", reduction_json(reduction)},
            {"bytes", bytes},
            {"mtime_ns", mtime_ns},
            {"digest", digest},
            {"tissue_block", tissue_block},
            {"tissue_threshold", tissue_threshold},
            {"tissue", tissue}};
  if (!tissue_digest.empty()) json["tissue_digest"] = tissue_digest;
  if (measured) json["colours"] = colours_json(colours);
  return dump(json);
}

PictureRecord PictureRecord::read(const std::filesystem::path& file) { return parse(text_of(file), file); }

PictureRecord PictureRecord::parse(const std::string& text, const std::filesystem::path& name) {
  const JsonNode json = open_record(text, name, "picture");
  PictureRecord r;
  r.tool = json.at("tool").text();
  r.reader = json.at("reader").text();
  r.source = read_stamp(json.at("source"));
  r.size = read_size(json);
  r.mpp = json.at("mpp").number(0, most_mpp);
  r.reduction = read_reduction(json);
  r.bytes = json.at("bytes").integer(1, most_bytes);
  r.mtime_ns = read_time(json);
  r.digest = json.at("digest").text();
  r.tissue_block = static_cast<int>(json.at("tissue_block").integer(1, 1 << 24));
  r.tissue_threshold = static_cast<int>(json.at("tissue_threshold").integer(0, 255));
  r.tissue = pixels(json.at("tissue"));
  if (const auto of_file = json.find("tissue_digest")) r.tissue_digest = of_file->text();
  if (const auto colours = json.find("colours")) r.measured = true, r.colours = read_colours(*colours);
  return r;
}

std::string LabelsRecord::to_json() const {
  Json stamps = Json::array();
  for (const FileStamp& s : annotations) stamps.push_back(stamp_json(s));
  Json json{{"format", store_format},
            {"what", "labels"},
            {"tool", tool},
            {"plugin", plugin},
            {"dataset", dataset},
            {"slide", slide},
            {"picture", picture},
            {"classes", classes},
            {"annotated", annotated},
            {"annotations", stamps},
            {"size", {size.width, size.height}},
            {"reduction", reduction_json(reduction)},
            {"soft", soft},
            {"bytes", bytes},
            {"mtime_ns", mtime_ns},
            {"digest", digest},
            {"foreground", foreground}};
  if (ignored) json["ignored"] = *ignored;
  return dump(json);
}

LabelsRecord LabelsRecord::read(const std::filesystem::path& file) { return parse(text_of(file), file); }

LabelsRecord LabelsRecord::parse(const std::string& text, const std::filesystem::path& name) {
  const JsonNode json = open_record(text, name, "labels");
  LabelsRecord r;
  r.tool = json.at("tool").text();
  r.plugin = json.at("plugin").text();
  r.dataset = json.at("dataset").text();
  r.slide = json.at("slide").text();
  r.picture = read_folder(json, "picture");
  r.classes = json.at("classes").texts();
  if (r.classes.size() > most_classes)
    json.at("classes").refuse("has more than " + std::to_string(most_classes) + " names");
  r.annotated = json.at("annotated").boolean();
  for (const JsonNode& stamp : json.at("annotations").items()) r.annotations.push_back(read_stamp(stamp));
  r.size = read_size(json);
  r.reduction = read_reduction(json);
  r.soft = integers(json.at("soft"), 0, most_classes - 1);
  r.bytes = json.at("bytes").integer(0, most_bytes);
  r.mtime_ns = read_time(json);
  r.digest = json.at("digest").text();
  for (const JsonNode& n : json.at("foreground").items()) r.foreground.push_back(pixels(n));
  if (r.annotated && r.foreground.size() != r.classes.size())
    json.at("foreground").refuse("has not one number a class");
  if (const auto ignored = json.find("ignored")) r.ignored = pixels(*ignored);
  return r;
}

bool is_record_of_version_1(const std::string& text) try {
  const JsonNode json = JsonNode::parse(text, "slide.json");
  for (const char* key : {"tool", "dataset", "slide", "digest"}) json.at(key).text();
  return json.at("format").integer(0, INT64_MAX) == 1 && !json.at("factors").items().empty();
} catch (const Error&) {
  return false;
}

}  // namespace nephron::host
