#include <host/config/resolved_file.hpp>

#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include <host/config/show.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view mark = "# A resolved experiment, as nephron wrote it; SHA-256 of what follows: ";

/// A run is gone on with from other folders than it began in.
void make_origins_absolute(Value& v) {
  if (v.source.file != nullptr && v.source.line > 0)
    v.source.file = std::make_shared<const std::string>(fs::absolute(*v.source.file).lexically_normal().string());
  if (v.is(Value::Type::array))
    for (Value& x : v.array()) make_origins_absolute(x);
  if (v.is(Value::Type::table))
    for (Value::Member& m : v.table()) make_origins_absolute(m.value);
}

/// What stands behind the "#" of a line; strings may hold one too.
std::optional<std::string_view> comment_of(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') ++i;
    else if (line[i] == '"') quoted = !quoted;
    else if (!quoted && line[i] == '#') return line.substr(std::min(line.size(), i + 2));
  }
  return std::nullopt;
}

/// Takes ":NUMBER" off the end.
std::optional<int> take_number(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  int out = 0;
  const auto [stop, failed] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), out);
  if (failed != std::errc() || stop != text.data() + text.size() || out < 1) return std::nullopt;
  text = text.substr(0, colon);
  return out;
}

/// The other way of origin().
Source source_of(std::string_view words) {
  if (words == "default") return {};
  std::string_view file = words;
  const bool setting = words.starts_with("--");
  const std::optional<int> column = setting ? std::nullopt : take_number(file);
  const std::optional<int> line = column ? take_number(file) : std::nullopt;
  if (!line) return {std::make_shared<const std::string>(words), 0, 0};
  return {std::make_shared<const std::string>(file), *line, *column};
}

using Places = std::map<int, Source>;  // by the line in the resolved file

void place(Value& v, const Source& source) {
  v.source = source;
  if (v.is(Value::Type::array))
    for (Value& x : v.array()) place(x, source);
}

/// A table lies where its type, or else its first key, was written.
void place_table(Value& table) {
  const Value* first = table.find("type");
  for (const Value::Member& m : table.table())
    if (first == nullptr && m.value.source.file != nullptr && m.value.source.line > 0) first = &m.value;
  if (first != nullptr && first->source.line > 0) table.source = first->source;
}

void place_all(Value& v, const Places& places) {
  if (v.is(Value::Type::table)) {
    for (Value::Member& m : v.table()) {
      const auto entry = places.find(m.source.line);
      if (entry == places.end()) place_all(m.value, places);
      else m.source = entry->second, place(m.value, entry->second);
    }
    place_table(v);
  } else if (v.is(Value::Type::array)) {
    for (Value& x : v.array()) place_all(x, places);
  }
}

bool marked(const std::string& text) { return text.starts_with(mark) && text.find('\n') != std::string::npos; }

}  // namespace

std::string resolved_file(const Experiment& experiment, const Components& components) {
  Value all = experiment.resolved;
  // Otherwise the name would be made of this file's.
  if (const Value* const name = all.find("name"); name == nullptr || *name == Value(""))
    all.set("name", experiment.name);
  all = with_defaults(std::move(all), components);
  make_origins_absolute(all);
  const std::string body = to_toml(all, /*origins=*/true);
  return std::string(mark) + sha256_of_text(body) + "\n" + body;
}

bool was_edited(const std::string& text) {
  if (!marked(text)) return false;
  const std::string_view all = text;
  const std::size_t end = all.find('\n');
  return all.substr(mark.size(), end - mark.size()) != sha256_of_text(all.substr(end + 1));
}

void take_origins(const std::string& text, Value& parsed) {
  if (!marked(text) || was_edited(text)) return;
  Places places;
  int number = 1;
  std::string_view rest = std::string_view(text).substr(text.find('\n') + 1);
  while (!rest.empty()) {
    ++number;
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
    if (const auto words = comment_of(rest.substr(0, end)); words && *words != origin_of_this_file)
      places[number] = source_of(*words);
    rest.remove_prefix(end + 1);
  }
  place_all(parsed, places);
}

}  // namespace nephron::host
