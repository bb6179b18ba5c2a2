#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/feed/feed.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

inline Value table(std::vector<std::pair<std::string, Value>> members) {
  Value out{Value::Table{}};
  for (auto& [key, value] : members) out.set(key, std::move(value));
  return out;
}

inline AugmentationConfig augmentation(const std::string& type, Value params = Value(Value::Table{}), double p = 1) {
  AugmentationConfig a;
  a.component = {type, std::move(params), {}};
  a.p = p;
  return a;
}

inline AugmentationConfig combinator(const std::string& type, std::vector<AugmentationConfig> of, double p = 1) {
  AugmentationConfig a = augmentation(type, Value(Value::Table{}), p);
  a.of = std::move(of);
  return a;
}

inline Registry plugins(const std::vector<std::filesystem::path>& more = {}) {
  PluginSearch search;
  std::stringstream files(NEPHRON_PLUGIN_FILES);
  for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
  search.command_line.emplace_back(NEPHRON_IMAGE_FOLDER);
  search.command_line.insert(search.command_line.end(), more.begin(), more.end());
  return Registry(search);
}

/// A small experiment on synthetic slides with every augmentation of this folder.
inline Experiment synthetic_experiment() {
  Experiment e;
  e.name = "data";
  e.classes = {"healthy", "sclerotic"};
  e.data.factor = 2;
  e.data.tile = 64;
  DatasetConfig d;
  d.component = {
      "synthetic", table({{"slides", 3}, {"size", Value::Array{600, 512}}, {"radius", 50}, {"glomeruli", 12}}), {}};
  e.datasets = {d};
  e.sampler = {"guided", Value(Value::Table{}), {}};
  e.validation_sampler = {"grid", Value(Value::Table{}), {}};
  e.augmentations = {augmentation("flip"), augmentation("shift_scale_rotate", Value(Value::Table{}), 0.5),
                     augmentation("elastic", table({{"alpha", 100}, {"sigma", 8}}), 0.4),
                     combinator("one_of",
                                {augmentation("brightness_contrast"), augmentation("hed_jitter"),
                                 combinator("sequence", {augmentation("gaussian_blur", Value(Value::Table{}), 0.7),
                                                         augmentation("brightness_contrast")})},
                                0.8)};
  return e;
}

inline std::vector<std::size_t> all_slides(const PreparedData& data) {
  std::vector<std::size_t> out(data.slides.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
  return out;
}

}  // namespace nephron::host
