#include <host/feed/preview.hpp>

#include <cmath>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace {

void outline(cv::Mat& tile, std::vector<std::uint8_t>& labels, const std::vector<float>& weights, int classes) {
  const auto pixels = tile.total();
  for (int c = 0; c < classes; ++c) {
    if (weights[static_cast<std::size_t>(c)] <= 0) continue;  // nothing is learnt from it
    cv::Mat plane(tile.rows, tile.cols, CV_8U, labels.data() + static_cast<std::size_t>(c) * pixels);
    cv::Mat mask;
    cv::threshold(plane, mask, 127, 255, cv::THRESH_BINARY);
    std::vector<std::vector<cv::Point>> contours;
    cv::findContours(mask, contours, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
    const auto [r, g, b] = class_colour(static_cast<std::size_t>(c));
    cv::drawContours(tile, contours, -1, cv::Scalar(r, g, b), 2);
  }
}

}  // namespace

std::array<std::uint8_t, 3> class_colour(std::size_t class_index) {
  constexpr std::array<std::array<std::uint8_t, 3>, 8> colours{{{230, 20, 20},
                                                                {20, 60, 235},
                                                                {0, 150, 40},
                                                                {240, 150, 0},
                                                                {0, 170, 190},
                                                                {120, 70, 20},
                                                                {20, 20, 20},
                                                                {130, 130, 130}}};
  return colours.at(class_index);
}

Image draw_preview(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, int windows) {
  if (windows < 1 || windows > 10000) throw Error("a preview shows 1 to 10000 windows, not " + std::to_string(windows));
  constexpr std::int64_t gap = 4;
  const std::int64_t tile = experiment.data.tile;
  const auto across = static_cast<std::int64_t>(std::ceil(std::sqrt(windows)));
  const std::int64_t down = (windows + across - 1) / across;
  Image sheet({across * (tile + gap) - gap, down * (tile + gap) - gap}, 3);
  as_mat(sheet.view()).setTo(cv::Scalar::all(255));
  std::vector<std::uint8_t> labels;
  std::vector<float> weights;
  std::string id;
  for (std::int64_t i = 0; i < windows; ++i) {
    const ImageView place = sheet.view().crop({i % across * (tile + gap), i / across * (tile + gap), tile, tile});
    feed.sample(epoch, i, place, labels, weights, id);
    cv::Mat picture = as_mat(place);
    outline(picture, labels, weights, static_cast<int>(experiment.classes.size()));
  }
  return sheet;
}

PreviewWindow preview_window(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, std::int64_t index) {
  const Size size{experiment.data.tile, experiment.data.tile};
  PreviewWindow out{feed.story(epoch, index), Image(size, 3), Image(size, 3)};
  std::vector<std::uint8_t> labels;
  std::vector<float> weights;
  std::string id;
  for (const bool augmented : {false, true}) {
    const ImageView place = (augmented ? out.seen : out.plain).view();
    feed.sample(epoch, index, place, labels, weights, id, augmented);
    cv::Mat picture = as_mat(place);
    outline(picture, labels, weights, static_cast<int>(experiment.classes.size()));
  }
  return out;
}

void write_png(const std::filesystem::path& file, const ImageView& rgb) {
  cv::Mat bgr;
  cv::cvtColor(as_mat(rgb), bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", bgr, bytes)) throw Error(file.string() + ": the picture cannot be encoded as PNG");
  write_file_atomically(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace nephron::host
