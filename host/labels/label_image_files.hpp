#pragma once

#include <host/labels/label_image.hpp>

namespace nephron::host {

std::unique_ptr<LabelImageReader> open_label_png(const std::filesystem::path& file);
std::unique_ptr<LabelImageWriter> make_label_png(const std::filesystem::path& file, Size size,
                                                 const std::vector<std::string>& classes);
std::unique_ptr<LabelImageReader> open_label_tiff(const std::filesystem::path& file);
std::unique_ptr<LabelImageWriter> make_label_tiff(const std::filesystem::path& file, Size size,
                                                  const std::vector<std::string>& classes);

/// How a picture tells the names of its classes: a line that says so, and one a class. Of other text there are none.
std::string classes_text(const std::vector<std::string>& classes);
std::vector<std::string> classes_in(const std::string& text);

/// A name in the same folder, under which a file is written until it is whole. The file goes with the object unless
/// keep() gave it its name.
class PartialFile {
 public:
  explicit PartialFile(std::filesystem::path file);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  const std::filesystem::path& path() const noexcept { return partial_; }
  const std::filesystem::path& final_path() const noexcept { return file_; }
  void keep();

 private:
  std::filesystem::path file_, partial_;
  bool kept_ = false;
};

}  // namespace nephron::host
