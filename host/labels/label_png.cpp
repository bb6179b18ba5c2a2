// PNG row by row with libpng. Its errors are thrown out of its callback, which its manual allows in C++.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <png.h>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/labels/label_image_files.hpp>
#include <host/pictures/png_rows.hpp>

namespace nephron::host {

namespace {

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

File open_file(const std::filesystem::path& file, const char* mode) {
  FILE* const opened = std::fopen(file.c_str(), mode);
  if (opened == nullptr) throw Error("cannot open " + file.string() + ": " + std::strerror(errno));
  return {opened, std::fclose};
}

/// Where an error happens: the file, and the row where rows are read.
struct Place {
  std::string file;
  std::int64_t row = -1;
};
[[noreturn]] void fail(png_structp png, png_const_charp message) {
  const Place& place = *static_cast<const Place*>(png_get_error_ptr(png));
  throw Error(place.file + (place.row < 0 ? "" : " at row " + std::to_string(place.row)) + ": " + message);
}
void ignore(png_structp, png_const_charp) {}

class PngReader final : public LabelImageReader {
 public:
  explicit PngReader(const std::filesystem::path& file) : place_{file.string()}, file_(open_file(file, "rb")) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &place_, fail, ignore);
    info_ = png_create_info_struct(png_);
    try {
      open();
    } catch (...) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw;
    }
  }
  ~PngReader() override { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Size size() const noexcept override { return size_; }
  bool coloured() const noexcept override { return channels_ > 1; }
  Depth depth() const noexcept override { return wide_ ? Depth::u16 : Depth::u8; }
  std::vector<std::string> classes() const override { return classes_; }
  void read(const ImageView& rows) override {
    for (std::int64_t y = 0; y < rows.height; ++y) {
      ++place_.row;
      png_read_row(png_, row_.data(), nullptr);
      auto* to = rows.row<std::uint8_t>(y);
      if (channels_ == 1) std::memcpy(to, row_.data(), row_.size());
      else
        for (std::int64_t x = 0; x < size_.width; ++x)
          to[x] = std::any_of(&row_[static_cast<std::size_t>(3 * x)], &row_[static_cast<std::size_t>(3 * x)] + 3,
                              [](auto v) { return v != 0; });
    }
  }

 private:
  void open() {
    png_byte signature[8] = {};
    if (std::fread(signature, 1, 8, file_.get()) != 8 || png_sig_cmp(signature, 0, 8) != 0)
      throw Error(place_.file + " is no PNG");
    png_init_io(png_, file_.get());
    png_set_sig_bytes(png_, 8);
    png_set_user_limits(png_, 10'000'000, 10'000'000);
    png_read_info(png_, info_);
    png_textp texts = nullptr;
    int count = 0;
    png_get_text(png_, info_, &texts, &count);
    for (int i = 0; i < count; ++i)
      if (std::strcmp(texts[i].key, png_description) == 0 && texts[i].text != nullptr)
        classes_ = classes_in(texts[i].text);
    const int depth = png_get_bit_depth(png_, info_), colour = png_get_color_type(png_, info_);
    channels_ = (colour & PNG_COLOR_MASK_COLOR) != 0 && colour != PNG_COLOR_TYPE_PALETTE ? 3 : 1;
    wide_ = depth > 8;
    if (wide_ && channels_ > 1)
      throw Error(place_.file + " has colours of 16 bits; expected 8 bits, or labels in grey");
    if (wide_) png_set_swap(png_);  // they come with the high byte first
    if (png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE)
      throw Error(place_.file + " is interlaced, so that its rows cannot be read in turn",
                  "save it without interlacing");
    png_set_packing(png_);  // 1, 2 and 4 bits a pixel become bytes; a palette's numbers stay numbers
    if ((colour & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(png_);
    png_read_update_info(png_, info_);
    size_ = {png_get_image_width(png_, info_), png_get_image_height(png_, info_)};
    row_.resize(png_get_rowbytes(png_, info_));
    if (row_.size() != static_cast<std::size_t>(size_.width) * channels_ * bytes_of(this->depth()))
      throw Error(place_.file + " has pixels of an unknown layout");
  }

  Place place_;
  File file_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  Size size_;
  std::size_t channels_ = 1;
  bool wide_ = false;  ///< 16 bits
  std::vector<png_byte> row_;
  std::vector<std::string> classes_;
};

class PngWriter final : public LabelImageWriter {
 public:
  PngWriter(const std::filesystem::path& file, Size size, const std::vector<std::string>& classes)
      : out_(file, size, depth_of(file, classes), {3, PngFilter::up, classes_text(classes)}) {}
  std::int64_t rows_at_once() const noexcept override { return 256; }
  void write(const ImageView& rows) override { out_.write(rows); }
  void finish() override { out_.finish(); }

 private:
  static Depth depth_of(const std::filesystem::path& file, const std::vector<std::string>& classes) {
    const Depth depth = label_depth(static_cast<int>(classes.size()));
    if (depth == Depth::u32)
      throw Error(file.string() + ": labels of " + std::to_string(classes.size()) +
                      " classes do not fit into the 16 bits of a PNG",
                  "write a TIFF");
    return depth;
  }

  PngRows out_;
};

}  // namespace

std::unique_ptr<LabelImageReader> open_label_png(const std::filesystem::path& file) {
  return std::make_unique<PngReader>(file);
}
std::unique_ptr<LabelImageWriter> make_label_png(const std::filesystem::path& file, Size size,
                                                 const std::vector<std::string>& classes) {
  return std::make_unique<PngWriter>(file, size, classes);
}

}  // namespace nephron::host
