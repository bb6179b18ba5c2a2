#pragma once

// Optional: only for plugins that use OpenCV themselves (core, imgcodecs, imgproc).
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/file_pixels.hpp>
#include <nephron/picture_header.hpp>
#include <nephron/quiet_libraries.hpp>
#include <nephron/slide.hpp>

namespace nephron {

/// What is decoded: u8 RGB whatever the file holds, or the values as they are (8 or 16 bits; colours as RGB).
enum class PictureAs { rgb, stored };

namespace picture_detail {

inline std::string text(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

inline std::string bytes_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto length = std::filesystem::file_size(file, error);
  if (error) throw Error("cannot be read: " + error.message());
  constexpr std::uintmax_t most = std::numeric_limits<int>::max();  // the decoder counts bytes in an int
  if (length > most)
    throw Error("the file has " + std::to_string(length) + " bytes; pictures are read up to " + std::to_string(most),
                "compress it, or keep it as a slide: a dataset of slides reads regions");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(std::string("cannot be opened: ") + std::strerror(errno));
  std::string bytes(static_cast<std::size_t>(length), '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(length));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

template <class F>
auto naming(const std::filesystem::path& file, F&& call) {
  try {
    return call();
  } catch (const Error& e) {
    throw Error(file.string() + ": " + e.what(), e.hint());
  }
}

inline bool varies(const cv::Mat& pixels, int channel) {
  cv::Mat one;
  cv::extractChannel(pixels, one, channel);
  double least = 0, most = 0;
  cv::minMaxLoc(one, &least, &most);
  return least != most;
}

/// Drawing programs save a mask as transparency: its colours alone would read as one class, or as none, everywhere.
inline void refuse_mask_in_alpha(const cv::Mat& bgra) {
  if (varies(bgra, 3) && !varies(bgra, 0) && !varies(bgra, 1) && !varies(bgra, 2))
    throw Error("the mask is in the alpha channel: its colour is the same everywhere, its transparency is not",
                "save the mask without transparency, black where there is nothing");
}

inline void check_size(Size size, std::size_t length, std::int64_t most_pixels) {
  constexpr std::int64_t longest = 1 << 20;  // OpenCV's own limit of a side
  if (size.empty() || size.width > longest || size.height > longest || size.area() > most_pixels)
    throw Error("the header claims " + text(size) + " px; expected at most " + std::to_string(most_pixels) +
                    " px and sides of at most " + std::to_string(longest),
                "raise most_megapixels if the picture really is that large; whole slides need another dataset");
  // The best compression of a blank picture in these formats stays well below this.
  constexpr std::int64_t most_per_byte = 10000;
  if (size.area() / most_per_byte > static_cast<std::int64_t>(length))
    throw Error("the header claims " + text(size) + " px, which a file of " + std::to_string(length) +
                " bytes cannot hold: it is truncated or broken");
}

inline cv::Mat decoded(const std::string& bytes, PictureAs as) {
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
  const QuietLibraries quiet;
  cv::Mat out;
  try {
    const int how = as == PictureAs::rgb ? cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION : cv::IMREAD_UNCHANGED;
    out = cv::imdecode(raw, how);
  } catch (const cv::Exception&) {  // its text is about OpenCV's own source
  }
  if (out.empty() || quiet.said_damaged()) throw Error("the picture cannot be decoded: it is truncated or broken");
  return out;
}

}  // namespace picture_detail

/// By its name.
inline bool is_jpeg(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".jpg" || extension == ".jpeg";
}

/// Size of a PNG, JPEG or TIFF file by its header. Throws Error that names the file.
inline Size picture_size(const std::filesystem::path& file) {
  return picture_detail::naming(file, [&] { return picture_size_in(picture_detail::bytes_of(file)); });
}

/// Decodes a PNG, JPEG or TIFF. Refuses more than `most_pixels`, and sizes that a file of this length cannot hold,
/// before memory is taken for them, and a mask (PictureAs::stored) that is in the alpha channel alone. Turns nothing by
/// EXIF. Throws Error that names the file.
inline cv::Mat decode_picture(const std::filesystem::path& file, PictureAs as, std::int64_t most_pixels) {
  return picture_detail::naming(file, [&] {
    const std::string bytes = picture_detail::bytes_of(file);
    const Size size = picture_size_in(bytes);
    picture_detail::check_size(size, bytes.size(), most_pixels);
    cv::Mat out = picture_detail::decoded(bytes, as);
    if (out.cols != size.width || out.rows != size.height)
      throw Error("the picture decodes to " + picture_detail::text({out.cols, out.rows}) + " px, its header claims " +
                  picture_detail::text(size));
    if (as == PictureAs::stored && out.channels() == 4) picture_detail::refuse_mask_in_alpha(out);
    if (out.channels() == 4) cv::cvtColor(out, out, cv::COLOR_BGRA2RGB);
    else if (out.channels() == 3) cv::cvtColor(out, out, cv::COLOR_BGR2RGB);
    return out;
  });
}

/// A picture file that was decoded as RGB, as a slide.
class PictureSlide final : public SlideReader, public FilePixels {
 public:
  PictureSlide(cv::Mat rgb, std::string id) : rgb_(std::move(rgb)), id_(std::move(id)) {}
  Size size() const noexcept override { return {rgb_.cols, rgb_.rows}; }
  void read(const Region& region, const ImageView& out) const override {
    using picture_detail::text;
    if (region.empty() || region.clipped({0, 0, rgb_.cols, rgb_.rows}) != region)
      throw Error("slide \"" + id_ + "\": the region " + text(region.size()) + " at (" + std::to_string(region.x) +
                  ", " + std::to_string(region.y) + ") is not inside its " + text(size()) + " px");
    const ImageView all{rgb_.data, rgb_.cols, rgb_.rows, 3, Depth::u8, static_cast<std::ptrdiff_t>(rgb_.step[0])};
    copy(all.crop(region), out);
  }

 private:
  cv::Mat rgb_;
  std::string id_;
};

}  // namespace nephron
