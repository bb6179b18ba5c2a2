#include "image_file.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/quiet_libraries.hpp>

#include "image_header.hpp"

namespace image_folder {

namespace {

std::string read_bytes(const std::filesystem::path& file, std::size_t most) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw nephron::Error(file.string() + ": cannot be opened: " + std::strerror(errno));
  std::string bytes(most, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

std::size_t length_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto length = std::filesystem::file_size(file, error);
  if (error) throw nephron::Error(file.string() + ": cannot be read: " + error.message());
  constexpr std::uintmax_t most = std::numeric_limits<int>::max();  // the decoder counts bytes in an int
  if (length > most)
    throw nephron::Error(
        "the file has " + std::to_string(length) + " bytes; pictures are read up to " + std::to_string(most),
        "compress it, or keep it as a slide: a dataset of slides reads regions");
  return static_cast<std::size_t>(length);
}

template <class F>
auto naming(const std::filesystem::path& file, F&& call) {
  try {
    return call();
  } catch (const nephron::Error& e) {
    throw nephron::Error(file.string() + ": " + e.what(), e.hint());
  }
}

std::string text(nephron::Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

bool varies(const cv::Mat& pixels, int channel) {
  cv::Mat one;
  cv::extractChannel(pixels, one, channel);
  double least = 0, most = 0;
  cv::minMaxLoc(one, &least, &most);
  return least != most;
}

/// Drawing programs save a mask as transparency: its colours alone would read as one class, or as none, everywhere.
void refuse_mask_in_alpha(const cv::Mat& bgra) {
  if (varies(bgra, 3) && !varies(bgra, 0) && !varies(bgra, 1) && !varies(bgra, 2))
    throw nephron::Error("the mask is in the alpha channel: its colour is the same everywhere, its transparency is not",
                         "save the mask without transparency, black where there is nothing");
}

void check_size(nephron::Size size, std::size_t length, std::int64_t most_pixels) {
  constexpr std::int64_t longest = 1 << 20;  // OpenCV's own limit of a side
  if (size.empty() || size.width > longest || size.height > longest || size.area() > most_pixels)
    throw nephron::Error(
        "the header claims " + text(size) + " px; expected at most " + std::to_string(most_pixels) +
            " px and sides of at most " + std::to_string(longest),
        "raise most_megapixels if the picture really is that large; whole slides need another dataset");
  // The best compression of a blank picture in these formats stays well below this.
  constexpr std::int64_t most_per_byte = 10000;
  if (size.area() / most_per_byte > static_cast<std::int64_t>(length))
    throw nephron::Error("the header claims " + text(size) + " px, which a file of " + std::to_string(length) +
                         " bytes cannot hold: it is truncated or broken");
}

}  // namespace

bool is_jpeg(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".jpg" || extension == ".jpeg";
}

nephron::Size size_of(const std::filesystem::path& file) {
  return naming(file, [&] { return size_in_header(read_bytes(file, length_of(file))); });
}

cv::Mat decode(const std::filesystem::path& file, As as, std::int64_t most_pixels) {
  return naming(file, [&] {
    const std::string bytes = read_bytes(file, length_of(file));
    const nephron::Size size = size_in_header(bytes);
    check_size(size, bytes.size(), most_pixels);
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    const nephron::QuietLibraries quiet;
    cv::Mat out;
    try {
      const int how = as == As::rgb ? cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION : cv::IMREAD_UNCHANGED;
      out = cv::imdecode(raw, how);
    } catch (const cv::Exception&) {  // its text is about OpenCV's own source
    }
    if (out.empty() || quiet.said_damaged())
      throw nephron::Error("the picture cannot be decoded: it is truncated or broken");
    if (out.cols != size.width || out.rows != size.height)
      throw nephron::Error("the picture decodes to " + text({out.cols, out.rows}) + " px, its header claims " +
                           text(size));
    if (as == As::stored && out.channels() == 4) refuse_mask_in_alpha(out);
    if (out.channels() == 4) cv::cvtColor(out, out, cv::COLOR_BGRA2RGB);
    else if (out.channels() == 3) cv::cvtColor(out, out, cv::COLOR_BGR2RGB);
    return out;
  });
}

}  // namespace image_folder
