#pragma once

#include <cstddef>
#include <filesystem>
#include <system_error>
#include <vector>

#include <host/predict/picture_file.hpp>

namespace nephron::host {

/// What share of all work is done. The files' sizes stand for it, for the pictures' are not known before.
class Shares {
 public:
  explicit Shares(const std::vector<PictureFile>& pictures) {
    for (const PictureFile& picture : pictures) {
      std::error_code unknown;
      const auto size = std::filesystem::file_size(picture.file, unknown);
      before_.push_back(before_.back() + (unknown ? 1.0 : 1.0 + static_cast<double>(size)));
    }
  }
  /// `part` of picture i and all before it.
  double done(std::size_t i, double part) const {
    return (before_[i] + part * (before_[i + 1] - before_[i])) / before_.back();
  }

 private:
  std::vector<double> before_{0};
};

}  // namespace nephron::host
