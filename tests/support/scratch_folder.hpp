#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace nephron {

/// A new folder of a test's own, which goes with it.
class ScratchFolder {
 public:
  /// `name`: part of the folder's name, for whoever finds one that a killed test left.
  explicit ScratchFolder(const std::string& name) {
    std::string made = (std::filesystem::temp_directory_path() / ("nephron-" + name + "-XXXXXX")).string();
    if (::mkdtemp(made.data()) == nullptr) throw std::runtime_error("cannot make the folder " + made);
    path_ = made;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace nephron
