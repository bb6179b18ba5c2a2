#pragma once

#include <host/labels/label_image.hpp>
#include <host/util/partial_file.hpp>

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

}  // namespace nephron::host
