#include <host/store/record.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::int64_t most_side = std::int64_t{1} << 31;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50;

constexpr const char* hint = "prepare the slide again";

std::vector<int> integers(const JsonNode& list, int least, int most) {
  std::vector<int> out;
  for (const JsonNode& item : list.items()) out.push_back(static_cast<int>(item.integer(least, most)));
  return out;
}

std::vector<int> read_factors(const JsonNode& record) {
  const JsonNode list = record.at("factors");
  std::vector<int> out = integers(list, 1, 64);
  if (out.empty() || std::adjacent_find(out.begin(), out.end(), std::greater_equal<>()) != out.end())
    list.refuse("is no list of ascending numbers");
  return out;
}

Size read_size(const JsonNode& record) {
  const JsonNode list = record.at("size");
  const std::vector<JsonNode> sides = list.items();
  if (sides.size() != 2)
    list.refuse("has " + std::to_string(sides.size()) + " numbers; a width and a height belong there");
  return {sides[0].integer(1, most_side), sides[1].integer(1, most_side)};
}

/// A table with a member for each factor.
template <class Read>
auto by_factor(const JsonNode& table, const std::vector<int>& factors, const Read& read) {
  std::map<int, decltype(read(table))> out;
  for (const int f : factors) out.emplace(f, read(table.at(std::to_string(f))));
  return out;
}

std::int64_t pixels(const JsonNode& count) { return count.integer(0, most_side * most_side / 4); }

Json stamp_json(const FileStamp& s) {
  return {{"path", s.path.string()},
          {"relative", s.relative.string()},
          {"bytes", s.bytes},
          {"mtime_ns", s.mtime_ns},
          {"sha256", s.sha256}};
}

FileStamp read_stamp(const JsonNode& stamp) {
  const std::optional<JsonNode> relative = stamp.find("relative");  // earlier versions did not write it
  return {stamp.at("path").text(), stamp.at("bytes").integer(0, most_bytes),
          stamp.at("mtime_ns").integer(INT64_MIN, INT64_MAX), stamp.at("sha256").text(),
          relative ? relative->text() : std::string()};
}

/// A record of this version.
JsonNode open_record(const std::string& text, const std::filesystem::path& name) {
  JsonNode record = JsonNode::parse(text, name.string(), hint);
  const std::int64_t format = record.at("format").integer(0, INT64_MAX);
  if (format != store_format)
    throw Error(name.string() + " is of format " + std::to_string(format) + "; this nephron writes " +
                    std::to_string(store_format),
                hint);
  return record;
}

std::string text_of(const std::filesystem::path& file) { return read_file(file, std::size_t{1} << 24); }

template <class T>
Json by_factor_json(const std::map<int, T>& values) {
  Json out = Json::object();
  for (const auto& [f, v] : values) out[std::to_string(f)] = v;
  return out;
}

/// A path may hold any bytes, JSON may not.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

FileStamp stamp_of(const std::filesystem::path& file, const std::filesystem::path& store) {
  struct stat info = {};
  if (::stat(file.c_str(), &info) != 0) throw Error("cannot read " + file.string() + ": " + std::strerror(errno));
  const std::filesystem::path path = std::filesystem::canonical(file);
  return {path,
          info.st_size,
          info.st_mtim.tv_sec * std::int64_t{1000000000} + info.st_mtim.tv_nsec,
          {},
          path.lexically_relative(std::filesystem::weakly_canonical(std::filesystem::absolute(store)))};
}

std::string PictureRecord::to_json() const {
  return dump({{"format", store_format},
               {"tool", tool},
               {"dataset", dataset},
               {"slide", slide},
               {"source", stamp_json(source)},
               {"size", {size.width, size.height}},
               {"mpp", mpp},
               {"factors", factors},
               {"bytes", bytes},
               {"digest", digest},
               {"tissue_block", tissue_block},
               {"tissue_threshold", tissue_threshold},
               {"tissue", by_factor_json(tissue)}});
}

PictureRecord PictureRecord::read(const std::filesystem::path& file) { return parse(text_of(file), file); }

PictureRecord PictureRecord::parse(const std::string& text, const std::filesystem::path& name) {
  const JsonNode json = open_record(text, name);
  PictureRecord r;
  r.tool = json.at("tool").text();
  r.dataset = json.at("dataset").text();
  r.slide = json.at("slide").text();
  r.source = read_stamp(json.at("source"));
  r.size = read_size(json);
  r.mpp = json.at("mpp").number();
  r.factors = read_factors(json);
  r.bytes = json.at("bytes").integer(1, most_bytes);
  r.digest = json.at("digest").text();
  r.tissue_block = static_cast<int>(json.at("tissue_block").integer(1, 1 << 24));
  r.tissue_threshold = static_cast<int>(json.at("tissue_threshold").integer(0, 255));
  r.tissue = by_factor(json.at("tissue"), r.factors, pixels);
  return r;
}

std::string LabelsRecord::to_json() const {
  Json stamps = Json::array();
  for (const FileStamp& s : annotations) stamps.push_back(stamp_json(s));
  return dump({{"format", store_format},
               {"tool", tool},
               {"plugin", plugin},
               {"classes", classes},
               {"annotated", annotated},
               {"annotations", stamps},
               {"size", {size.width, size.height}},
               {"factors", factors},
               {"soft", soft},
               {"bytes", bytes},
               {"digest", digest},
               {"foreground", by_factor_json(foreground)}});
}

LabelsRecord LabelsRecord::read(const std::filesystem::path& file) {
  const JsonNode json = open_record(text_of(file), file);
  LabelsRecord r;
  r.tool = json.at("tool").text();
  r.plugin = json.at("plugin").text();
  r.classes = json.at("classes").texts();
  if (r.classes.size() > 8) json.at("classes").refuse("has more than 8 names");
  r.annotated = json.at("annotated").boolean();
  for (const JsonNode& stamp : json.at("annotations").items()) r.annotations.push_back(read_stamp(stamp));
  r.size = read_size(json);
  r.factors = read_factors(json);
  r.soft = integers(json.at("soft"), 0, 7);
  r.bytes = json.at("bytes").integer(0, most_bytes);
  r.digest = json.at("digest").text();
  if (!r.annotated) return r;
  r.foreground = by_factor(json.at("foreground"), r.factors, [&](const JsonNode& list) {
    std::vector<std::int64_t> counts;
    for (const JsonNode& n : list.items()) counts.push_back(pixels(n));
    if (counts.size() != r.classes.size()) list.refuse("has not one number a class");
    return counts;
  });
  return r;
}

}  // namespace nephron::host
