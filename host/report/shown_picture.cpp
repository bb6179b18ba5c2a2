#include <host/report/shown_picture.hpp>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/labels/grey_map.hpp>
#include <host/predict/picture_file.hpp>
#include <host/report/overlay.hpp>
#include <host/slides/reduced.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

std::string text_of(Size size) { return std::to_string(size.width) + " x " + std::to_string(size.height) + " px"; }

bool may_be_slide(const std::filesystem::path& file) {
  const std::string ending = file.extension().string();
  return ending != ".png" && ending != ".PNG" && ending != ".jpg" && ending != ".jpeg" && ending != ".JPG" &&
         ending != ".bmp";
}

}  // namespace

bool is_map_of(Size map, Size picture) {
  for (std::int64_t by = 1; by <= 64; by *= 2)
    if (map.width == (picture.width + by - 1) / by && map.height == (picture.height + by - 1) / by) return true;
  return false;
}

Image resized(const Image& image, Size size) {
  Image out(size, image.view().channels);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(image.view()), to, to.size(), 0, 0, cv::INTER_AREA);
  return out;
}

ShownPicture ShownPictures::read(const std::filesystem::path& file) {
  if (may_be_slide(file)) {
    if (opener_ == nullptr) {
      registry_ = std::make_unique<Registry>(PluginSearch());
      opener_ = std::make_unique<ReaderOpener>(*registry_);
    }
    if (const auto slide = open_as_slide(file, *opener_))
      return {
          resized(read_thumbnail(*slide, side_, [](std::int64_t, std::int64_t) {}), shown_size(slide->size(), side_)),
          slide->size()};
  }
  const Image whole = read_picture(file);
  return {resized(whole, shown_size(whole.size(), side_)), whole.size()};
}

Image shown_map(const std::filesystem::path& file, const ShownPicture& picture) {
  const auto map = open_grey_map(file, interrupted);
  if (!is_map_of(map->size(), picture.full))
    throw Error(file.string() + " is " + text_of(map->size()) + ", its picture " + text_of(picture.full),
                "predict again with --overwrite");
  return grey_part(*map, picture.full, {0, 0, picture.full.width, picture.full.height}, picture.picture.size(),
                   interrupted);
}

}  // namespace nephron::host
