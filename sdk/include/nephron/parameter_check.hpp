#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/export.hpp>

namespace nephron {

/// Where a component puts what is wrong with its parameters. The host tells each fault with its place in the file.
class NEPHRON_API ParameterFaults {
 public:
  virtual ~ParameterFaults();
  /// `key`: the parameter, "colours.healthy" for a key inside it. `hint`: what to do about it; may be empty.
  virtual void add(std::string_view key, const std::string& message, const std::string& hint) = 0;
  void add(std::string_view key, const std::string& message) { add(key, message, {}); }
  /// Adds a fault when the path does not name a folder that is there.
  void require_folder(std::string_view key, const std::filesystem::path& folder, const std::string& hint);
};

/// What a component knows of its parameters that their schema cannot say: whether they fit the experiment's classes,
/// and whether the folders that they name are there. A dataset or a sampler inherits it besides; `nephron config check`
/// asks for it with dynamic_cast. Reads nothing but names of files. Const calls are thread-safe.
class NEPHRON_API ParameterCheck {
 public:
  virtual ~ParameterCheck();
  virtual void check_parameters(const std::vector<std::string>& classes, ParameterFaults& faults) const = 0;
};

}  // namespace nephron
