#include <host/store/record.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::int64_t most_side = std::int64_t{1} << 31;
constexpr std::int64_t most_bytes = std::int64_t{1} << 50;

/// Reads members of one JSON object, checking each.
class Members {
 public:
  Members(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) throw Error(where_ + ": expected a JSON object", hint);
  }
  [[noreturn]] void fail(const char* key, const std::string& wanted) const {
    throw Error(where_ + ": \"" + key + "\" is missing or is not " + wanted, hint);
  }
  const Json& at(const char* key, const std::string& wanted) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(key, wanted);
    return *found;
  }
  std::string text(const char* key) const {
    const Json& v = at(key, "a text");
    if (!v.is_string()) fail(key, "a text");
    return v.get<std::string>();
  }
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most) const {
    return checked(at(key, range(least, most)), key, least, most);
  }
  std::int64_t checked(const Json& v, const char* key, std::int64_t least, std::int64_t most) const {
    const bool fits =
        v.is_number_unsigned() ? v.get<std::uint64_t>() <= std::uint64_t{INT64_MAX} : v.is_number_integer();
    if (!fits || v.get<std::int64_t>() < least || v.get<std::int64_t>() > most) fail(key, range(least, most));
    return v.get<std::int64_t>();
  }
  const Json& list(const char* key, std::size_t most) const {
    const Json& v = at(key, "a list");
    if (!v.is_array() || v.size() > most) fail(key, "a list of at most " + std::to_string(most));
    return v;
  }
  std::vector<int> integers(const char* key, int least, int most) const {
    std::vector<int> out;
    for (const Json& v : list(key, 64)) out.push_back(static_cast<int>(checked(v, key, least, most)));
    return out;
  }
  std::vector<int> factors() const {
    std::vector<int> out = integers("factors", 1, 64);
    if (out.empty() || std::adjacent_find(out.begin(), out.end(), std::greater_equal<>()) != out.end())
      fail("factors", "a list of ascending numbers");
    return out;
  }
  Size size() const {
    const Json& v = list("size", 2);
    if (v.size() != 2) fail("size", "a width and a height");
    return {checked(v[0], "size", 1, most_side), checked(v[1], "size", 1, most_side)};
  }
  /// A table with a member for each factor.
  template <class Read>
  auto by_factor(const char* key, const std::vector<int>& wanted, const Read& read) const {
    std::map<int, decltype(read(Json()))> out;
    const Json& v = at(key, "a table with a member for each factor");
    for (const int f : wanted) {
      const auto found = v.find(std::to_string(f));
      if (!v.is_object() || found == v.end()) fail(key, "a table with a member for each factor");
      out[f] = read(*found);
    }
    return out;
  }

 private:
  static constexpr const char* hint = "prepare the slide again";
  static std::string range(std::int64_t least, std::int64_t most) {
    return "a whole number in " + std::to_string(least) + " to " + std::to_string(most);
  }
  const Json& json_;
  std::string where_;
};

Json stamp_json(const FileStamp& s) {
  return {{"path", s.path.string()}, {"bytes", s.bytes}, {"mtime_ns", s.mtime_ns}, {"sha256", s.sha256}};
}

FileStamp read_stamp(const Json& json, const std::string& where) {
  const Members m(json, where);
  return {m.text("path"), m.integer("bytes", 0, most_bytes), m.integer("mtime_ns", INT64_MIN, INT64_MAX),
          m.text("sha256")};
}

Json parse(const std::filesystem::path& file) {
  constexpr std::size_t most = std::size_t{1} << 24;
  Json json = Json::parse(read_file(file, most), nullptr, false);
  if (json.is_discarded()) throw Error(file.string() + " is no JSON", "prepare the slide again");
  const std::int64_t format = Members(json, file.string()).integer("format", 0, INT64_MAX);
  if (format != store_format)
    throw Error(file.string() + " is of format " + std::to_string(format) + "; this nephron writes " +
                    std::to_string(store_format),
                "prepare the slide again");
  return json;
}

template <class T>
Json by_factor_json(const std::map<int, T>& values) {
  Json out = Json::object();
  for (const auto& [f, v] : values) out[std::to_string(f)] = v;
  return out;
}

/// A path may hold any bytes, JSON may not.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

FileStamp stamp_of(const std::filesystem::path& file) {
  struct stat info = {};
  if (::stat(file.c_str(), &info) != 0) throw Error("cannot read " + file.string() + ": " + std::strerror(errno));
  return {file, info.st_size, info.st_mtim.tv_sec * std::int64_t{1000000000} + info.st_mtim.tv_nsec, {}};
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

PictureRecord PictureRecord::read(const std::filesystem::path& file) {
  const Json json = parse(file);
  const Members m(json, file.string());
  PictureRecord r;
  r.tool = m.text("tool");
  r.dataset = m.text("dataset");
  r.slide = m.text("slide");
  r.source = read_stamp(m.at("source", "a table"), file.string() + ", source");
  r.size = m.size();
  const Json& mpp = m.at("mpp", "a number");
  if (!mpp.is_number()) m.fail("mpp", "a number");
  r.mpp = mpp.get<double>();
  r.factors = m.factors();
  r.bytes = m.integer("bytes", 1, most_bytes);
  r.digest = m.text("digest");
  r.tissue_block = static_cast<int>(m.integer("tissue_block", 1, 1 << 24));
  r.tissue_threshold = static_cast<int>(m.integer("tissue_threshold", 0, 255));
  r.tissue = m.by_factor("tissue", r.factors, [&](const Json& v) {
    return v.is_null() ? 0 : m.checked(v, "tissue", 0, most_side * most_side / 4);
  });
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
  const Json json = parse(file);
  const Members m(json, file.string());
  LabelsRecord r;
  r.tool = m.text("tool");
  r.plugin = m.text("plugin");
  for (const Json& v : m.list("classes", 8)) {
    if (!v.is_string()) m.fail("classes", "a list of names");
    r.classes.push_back(v.get<std::string>());
  }
  const Json& annotated = m.at("annotated", "true or false");
  if (!annotated.is_boolean()) m.fail("annotated", "true or false");
  r.annotated = annotated.get<bool>();
  for (const Json& v : m.list("annotations", 4096))
    r.annotations.push_back(read_stamp(v, file.string() + ", annotations"));
  r.size = m.size();
  r.factors = m.factors();
  r.soft = m.integers("soft", 0, 7);
  r.bytes = m.integer("bytes", 0, most_bytes);
  r.digest = m.text("digest");
  if (!r.annotated) return r;
  r.foreground = m.by_factor("foreground", r.factors, [&](const Json& v) {
    std::vector<std::int64_t> counts;
    if (!v.is_array() || v.size() != r.classes.size())
      m.fail("foreground", "a list with a number a class for each factor");
    for (const Json& n : v) counts.push_back(m.checked(n, "foreground", 0, most_side * most_side / 4));
    return counts;
  });
  return r;
}

}  // namespace nephron::host
