#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include <host/model/model.hpp>

// What the tests of models share: the plugins under test, the shared data, the Python of the peers.

namespace nephron::host::testing {

namespace fs = std::filesystem;

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The folder of shared data, or nothing.
inline std::optional<fs::path> shared_folder() {
  const std::string set = environment("NEPHRON_SHARED");
  const fs::path folder = set.empty() ? fs::path(NEPHRON_SOURCE_DIR) / ".." / "shared" : fs::path(set);
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return std::nullopt;
  return fs::canonical(folder);
}

/// The interpreter that has PyTorch and SMP, or nothing.
inline std::optional<fs::path> peers_python() {
  std::error_code failed;
  const std::string set = environment("NEPHRON_PEERS");
  if (!set.empty()) return fs::exists(set, failed) ? std::optional<fs::path>(set) : std::nullopt;
  const std::string xdg = environment("XDG_CACHE_HOME");
  const fs::path cache = xdg.empty() ? fs::path(environment("HOME")) / ".cache" : fs::path(xdg);
  const fs::path python = cache / "nephron/peers/bin/python";
  return fs::exists(python, failed) ? std::optional(python) : std::nullopt;
}

inline Registry plugins_under_test() {
  PluginSearch search;
  std::stringstream files(NEPHRON_PLUGIN_FILES);
  for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
  return Registry(search);
}

inline Value value_of(const nlohmann::json& json) {
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_integer()) return Value(json.get<std::int64_t>());
  if (json.is_number()) return Value(json.get<double>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (json.is_array()) {
    Value::Array items;
    for (const auto& item : json) items.push_back(value_of(item));
    return Value(std::move(items));
  }
  Value table{Value::Table{}};
  for (const auto& [key, value] : json.items()) table.set(key, value_of(value));
  return table;
}

inline ModelConfig model_config(const std::string& encoder,
                                const nlohmann::json& decoder_params = nlohmann::json::object(),
                                const nlohmann::json& encoder_params = nlohmann::json::object()) {
  ModelConfig config;
  config.encoder.component = {encoder, value_of(encoder_params), {}};
  config.decoder = {"unet", value_of(decoder_params), {}};
  return config;
}

}  // namespace nephron::host::testing
