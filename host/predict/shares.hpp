#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include <host/predict/picture_file.hpp>

namespace nephron::host {

/// What share of all work each picture is. The files' sizes stand for it, for the pictures' are not known before.
class Shares {
 public:
  explicit Shares(const std::vector<PictureFile>& pictures) {
    double all = 0;
    for (const PictureFile& picture : pictures) {
      std::error_code unknown;
      const auto size = std::filesystem::file_size(picture.file, unknown);
      all += of_[picture.id] = unknown ? 1.0 : 1.0 + static_cast<double>(size);
    }
    for (auto& [id, share] : of_) share /= all;
  }
  double of(const std::string& id) const { return of_.at(id); }

 private:
  std::map<std::string, double> of_;
};

}  // namespace nephron::host
