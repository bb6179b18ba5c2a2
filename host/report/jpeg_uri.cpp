#include <host/report/jpeg_uri.hpp>

#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>

#include <host/html/base64.hpp>

namespace nephron::host {

std::string jpeg_uri(const ImageView& picture, int quality) {
  cv::Mat bgr;
  cv::cvtColor(as_mat(picture), bgr, cv::COLOR_RGB2BGR);
  std::vector<unsigned char> bytes;
  cv::imencode(".jpg", bgr, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return "data:image/jpeg;base64," + base64(bytes);
}

}  // namespace nephron::host
