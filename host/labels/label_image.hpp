#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/image.hpp>

namespace nephron::host {

/// A label picture (PNG or TIFF) read from top to bottom: one channel. Of a picture with colours, 1 stands where a
/// pixel is not black. Holds a few rows, or a row of tiles.
class LabelImageReader {
 public:
  virtual ~LabelImageReader() = default;
  virtual Size size() const noexcept = 0;
  virtual bool coloured() const noexcept = 0;
  /// u8, u16 or u32: of the rows that read() is given.
  virtual Depth depth() const noexcept = 0;
  /// Names of the classes in the order of their bits, where the file tells them.
  virtual std::vector<std::string> classes() const = 0;
  /// The next rows, as many as `rows` is high. Throws Error that names the file.
  virtual void read(const ImageView& rows) = 0;
};

/// A label picture written from top to bottom, its rows as wide as the classes need (label_depth()). The file stands
/// under its name when finish() has returned.
class LabelImageWriter {
 public:
  virtual ~LabelImageWriter() = default;
  /// Rows come in parts of this height, the last one may be lower.
  virtual std::int64_t rows_at_once() const noexcept = 0;
  virtual void write(const ImageView& rows) = 0;
  virtual void finish() = 0;
};

/// By the file's extension: .png, .tif, .tiff. Throws Error that names the file and what was expected.
std::unique_ptr<LabelImageReader> open_label_image(const std::filesystem::path& file);
/// The file tells the names of the classes: a PNG in a text chunk, a TIFF in its ImageDescription.
std::unique_ptr<LabelImageWriter> make_label_image(const std::filesystem::path& file, Size size,
                                                   const std::vector<std::string>& classes);

}  // namespace nephron::host
