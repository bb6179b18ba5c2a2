#include <host/pictures/png.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

void write_png(const std::filesystem::path& file, const ImageView& image, PngPacking packing) {
  cv::Mat pixels = as_mat(image), bgr;
  if (image.channels == 3) cv::cvtColor(pixels, bgr, cv::COLOR_RGB2BGR);
  else bgr = pixels;
  std::vector<int> how;
  if (packing == PngPacking::fast) how = {cv::IMWRITE_PNG_COMPRESSION, 1};
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", bgr, bytes, how))
    throw Error(file.string() + ": the picture cannot be encoded as PNG",
                "a side of a PNG has at most a million pixels: take a larger reduction");
  write_file_atomically(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Image read_grey_png(const std::filesystem::path& file) {
  constexpr std::size_t most = std::size_t{1} << 30;
  const std::string bytes = read_file(file, most);
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception&) {  // told below
  }
  if (pixels.empty() || pixels.type() != CV_8UC1) throw Error(file.string() + " is no 8-bit grey PNG, or damaged");
  Image out({pixels.cols, pixels.rows}, 1);
  pixels.copyTo(as_mat(out.view()));
  return out;
}

}  // namespace nephron::host
