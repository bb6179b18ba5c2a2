#include <host/labels/label_image.hpp>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/labels/label_image_files.hpp>

namespace nephron::host {

namespace {

std::string extension_of(const std::filesystem::path& file) {
  std::string out = file.extension().string();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw Error(file.string() + " is no label picture by its name; expected .png, .tif or .tiff");
}

}  // namespace

std::unique_ptr<LabelImageReader> open_label_image(const std::filesystem::path& file) {
  const std::string extension = extension_of(file);
  if (extension == ".png") return open_label_png(file);
  if (extension == ".tif" || extension == ".tiff") return open_label_tiff(file);
  refuse(file);
}

std::unique_ptr<LabelImageWriter> make_label_image(const std::filesystem::path& file, Size size,
                                                   const std::vector<std::string>& classes) {
  const std::string extension = extension_of(file);
  if (extension == ".png") return make_label_png(file, size, classes);
  if (extension == ".tif" || extension == ".tiff") return make_label_tiff(file, size, classes);
  refuse(file);
}

namespace {
constexpr std::string_view classes_title = "nephron classes, bit by bit:";
}

std::string classes_text(const std::vector<std::string>& classes) {
  std::string out(classes_title);
  for (const std::string& name : classes) {
    out += '\n';
    for (const char c : name) out += c == '\n' || c == '\0' ? ' ' : c;
  }
  return out;
}

std::vector<std::string> classes_in(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::vector<std::string> out;
  if (!std::getline(lines, line) || line != classes_title) return out;
  while (std::getline(lines, line) && out.size() < most_classes) out.push_back(line);
  return out;
}

}  // namespace nephron::host
