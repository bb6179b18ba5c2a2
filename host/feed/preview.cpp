#include <host/feed/preview.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

namespace nephron::host {

namespace {

std::string caption_of(const SampleStory& story) {
  std::string out =
      story.slide->info().id + " " + std::to_string(story.region.x) + "," + std::to_string(story.region.y);
  for (const std::string& name : story.augmentations) out += " " + name;
  return out;
}

}  // namespace

void write_caption(const ImageView& strip, std::string text) {
  constexpr int font = cv::FONT_HERSHEY_PLAIN;
  constexpr double scale = 0.8;
  for (char& c : text)
    if (c < 32 || c > 126) c = '?';
  int below = 0;
  cv::Mat picture = as_mat(strip);
  while (!text.empty() && cv::getTextSize(text, font, scale, 1, &below).width > picture.cols - 2) text.pop_back();
  cv::putText(picture, text, {1, picture.rows - 5}, font, scale, cv::Scalar::all(60), 1, cv::LINE_AA);
}

std::array<std::uint8_t, 3> class_colour(std::size_t class_index) {
  constexpr std::array<std::array<std::uint8_t, 3>, 8> colours{{{230, 20, 20},
                                                                {20, 60, 235},
                                                                {0, 150, 40},
                                                                {240, 150, 0},
                                                                {0, 170, 190},
                                                                {120, 70, 20},
                                                                {20, 20, 20},
                                                                {130, 130, 130}}};
  if (class_index < colours.size()) return colours[class_index];
  // Beyond those that are told apart well: hues a golden angle apart, lighter and darker in turn.
  const double hue = std::fmod(static_cast<double>(class_index - colours.size()) * 0.381966, 1.0) * 6;
  const double light = class_index % 2 == 0 ? 0.85 : 0.55;
  std::array<std::uint8_t, 3> out{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double far =
        std::abs(std::fmod(hue - 2.0 * static_cast<double>(c) + 9, 6) - 3);  // from the channel's own hue
    out[c] = static_cast<std::uint8_t>(std::lround(255 * light * std::clamp(2 - far, 0.0, 1.0)));
  }
  return out;
}

void outline_labels(const ImageView& picture, std::vector<std::uint8_t>& labels, const std::vector<float>& weights,
                    std::uint8_t least) {
  cv::Mat tile = as_mat(picture);
  for (std::size_t c = 0; c < weights.size(); ++c) {
    if (weights[c] <= 0) continue;  // nothing is learnt from it
    cv::Mat plane(tile.rows, tile.cols, CV_8U, labels.data() + c * tile.total());
    cv::Mat mask;
    cv::threshold(plane, mask, least - 1, 255, cv::THRESH_BINARY);
    std::vector<std::vector<cv::Point>> contours;
    cv::findContours(mask, contours, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
    const auto [r, g, b] = class_colour(c);
    cv::drawContours(tile, contours, -1, cv::Scalar(r, g, b), 2);
  }
}

void hatch_ignored(const ImageView& picture, const std::vector<std::uint8_t>& ignored) {
  if (ignored.empty()) return;
  constexpr std::int64_t apart = 8, wide = 3;
  for (std::int64_t y = 0; y < picture.height; ++y) {
    const std::uint8_t* const row = ignored.data() + y * picture.width;
    auto* p = picture.row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < picture.width; ++x, p += 3)
      if (row[x] != 0 && (x + y) % apart < wide) p[0] = p[1] = p[2] = 110;
  }
}

Image draw_preview(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, int windows) {
  if (windows < 1 || windows > 10000) throw Error("a preview shows 1 to 10000 windows, not " + std::to_string(windows));
  constexpr std::int64_t gap = 4;
  const std::int64_t tile = experiment.data.tile;
  const auto across = static_cast<std::int64_t>(std::ceil(std::sqrt(windows)));
  const std::int64_t down = (windows + across - 1) / across;
  const std::int64_t column = tile + gap, row = tile + preview_caption;
  Image sheet({across * column - gap, down * row}, 3);
  as_mat(sheet.view()).setTo(cv::Scalar::all(255));
  Sample sample;
  for (std::int64_t i = 0; i < windows; ++i) {
    const Region place{i % across * column, i / across * row, tile, tile};
    const ImageView picture = sheet.view().crop(place);
    feed.sample(epoch, i, picture, sample);
    hatch_ignored(picture, sample.ignored);
    outline_labels(picture, sample.labels, sample.weights);
    const Region below{place.x, place.y + tile, tile, preview_caption};
    write_caption(sheet.view().crop(below), caption_of(feed.story(epoch, i)));
  }
  return sheet;
}

PreviewWindow preview_window(const Feed& feed, const Experiment& experiment, std::uint64_t epoch, std::int64_t index) {
  const Size size{experiment.data.tile, experiment.data.tile};
  PreviewWindow out{feed.story(epoch, index), Image(size, 3), Image(size, 3)};
  Sample sample;
  for (const bool augmented : {false, true}) {
    const ImageView place = (augmented ? out.seen : out.plain).view();
    feed.sample(epoch, index, place, sample, augmented);
    hatch_ignored(place, sample.ignored);
    outline_labels(place, sample.labels, sample.weights);
  }
  return out;
}

}  // namespace nephron::host
