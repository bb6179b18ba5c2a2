#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/labels.hpp>

namespace nephron {

/// What a dataset may be as well: it reads mask files of pictures that it does not list, coded as its own are, so that
/// predictions can be compared with them. A Dataset inherits it besides; the host asks for it with dynamic_cast. Const
/// calls are thread-safe.
class NEPHRON_API MaskFiles {
 public:
  virtual ~MaskFiles();
  /// What the mask of the picture `id` may be called in its folder, the likeliest first ("a_mask.png").
  virtual std::vector<std::string> mask_names(const std::string& id) const = 0;
  /// Gives the labels of a mask file. Throws Error that names the file, and what in it has no class.
  virtual void read_mask(const std::filesystem::path& file, const std::vector<std::string>& classes,
                         AnnotationSink& sink) const = 0;
};

}  // namespace nephron
