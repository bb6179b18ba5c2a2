#include <host/report/data_page.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include <opencv2/imgproc.hpp>

#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>

#include <host/data/folds.hpp>
#include <host/data/resolution.hpp>
#include <host/feed/preview.hpp>
#include <host/html/html.hpp>
#include <host/report/jpeg_uri.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

void outline(cv::Mat& picture, const cv::Mat& mask, const cv::Scalar& colour, int width) {
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(mask, contours, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  cv::drawContours(picture, contours, -1, colour, width);
}

/// Where the picture has colour: Otsu's threshold on the saturation, without the small holes of vessels and tubules,
/// whose outlines would cover the picture.
cv::Mat tissue_of(const cv::Mat& rgb) {
  cv::Mat hsv, saturation, mask;
  cv::cvtColor(rgb, hsv, cv::COLOR_RGB2HSV);
  cv::extractChannel(hsv, saturation, 1);
  cv::threshold(saturation, mask, 0, 255, cv::THRESH_BINARY | cv::THRESH_OTSU);
  cv::morphologyEx(mask, mask, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_ELLIPSE, {9, 9}));
  cv::morphologyEx(mask, mask, cv::MORPH_OPEN, cv::getStructuringElement(cv::MORPH_ELLIPSE, {5, 5}));
  return mask;
}

/// Rows of counts by a key: slides, slides with annotation, pixels of tissue and of each class.
class Counts {
 public:
  Counts(const std::vector<std::string>& classes, bool ignores) : classes_(classes), ignores_(ignores) {}
  void add(const std::string& key, const PreparedSlide& slide) {
    auto& row = rows_[key];
    row.resize(3 + classes_.size() + (ignores_ ? 1 : 0));
    const CatalogSlide& c = slide.catalog();
    row[0] += 1, row[1] += slide.annotated() ? 1 : 0, row[2] += static_cast<double>(c.tissue);
    for (std::size_t i = 0; i < classes_.size() && i < c.foreground.size(); ++i)
      row[3 + i] += static_cast<double>(c.foreground[i]);
    if (ignores_) row.back() += static_cast<double>(slide.ignored());
  }
  std::string html(const std::string& title) const {
    std::vector<std::string> head{title, "slides", "annotated", "tissue, Mpx"};
    for (const std::string& name : classes_) head.push_back(escaped(name) + ", Mpx");
    if (ignores_) head.emplace_back("ignored, Mpx");
    std::vector<std::vector<std::string>> cells;
    for (const auto& [key, row] : rows_) {
      auto& line = cells.emplace_back(1, escaped(key));
      for (std::size_t i = 0; i < row.size(); ++i) {
        std::array<char, 40> text{};
        std::snprintf(text.data(), text.size(), i < 2 ? "%.0f" : "%.3f", i < 2 ? row[i] : row[i] / 1e6);
        line.emplace_back(text.data());
      }
    }
    return "<div class=\"card\">" + html_table(head, cells) + "</div>";
  }

 private:
  const std::vector<std::string>& classes_;
  bool ignores_;
  std::map<std::string, std::vector<double>> rows_;
};

/// What share of samples each group has, and how many of the first ones are cut from it.
std::string sampling(const Feed& feed) {
  const std::int64_t all = feed.count() > 0 ? feed.count() : 2000;
  std::map<std::string, std::int64_t> drawn;
  for (std::int64_t i = 0; i < all; ++i) ++drawn[feed.slide_of(0, i).catalog().group];
  std::vector<std::vector<std::string>> rows;
  for (const auto& [group, share] : feed.shares()) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.1f %%", 100 * share);
    rows.push_back({escaped(group), text.data(), std::to_string(drawn[group])});
  }
  return "<div class=\"card\">" +
         html_table({"sampling group", "share of samples", "of the first " + std::to_string(all)}, rows) + "</div>";
}

std::string fold_text(const PreparedData& data, std::size_t slide) {
  if (!data.slides[slide]->annotated()) return "not annotated";
  return data.folds[slide] >= 0 ? "fold " + std::to_string(data.folds[slide]) : "trained on only";
}

/// Each window as it is cut, and as the model will see it.
std::string gallery(const Experiment& experiment, const PreparedData& data, const Feed& feed,
                    const PreviewRange& range) {
  std::string out = "<div class=\"pair\">";
  for (std::int64_t i = 0; i < range.windows; ++i) {
    const PreviewWindow window = preview_window(feed, experiment, range.epoch, i);
    const SampleStory& story = window.story;
    const auto found = std::find_if(data.slides.begin(), data.slides.end(),
                                    [&](const auto& slide) { return slide.get() == story.slide; });
    std::string done;
    for (const std::string& name : story.augmentations) done += (done.empty() ? "" : ", ") + name;
    out += "<figure class=\"before\"><img src=\"" + jpeg_uri(window.plain.view()) +
           "\" alt=\"as it is cut\"><img src=\"" + jpeg_uri(window.seen.view()) +
           "\" alt=\"as the model sees it\"><figcaption>" + escaped(story.slide->info().id) + " · " +
           escaped(dataset_name(experiment, *story.slide)) + " · " +
           fold_text(data, static_cast<std::size_t>(found - data.slides.begin())) + " · at " +
           std::to_string(story.region.x) + ", " + std::to_string(story.region.y) + " · " +
           (done.empty() ? "no augmentation" : escaped(done)) + "</figcaption></figure>";
  }
  return out + "</div>";
}

/// The first batch after the augmentations of whole batches; nothing where there are none.
std::string batch_gallery(const std::vector<BatchPicture>& batch) {
  if (batch.empty()) return "";
  std::string out =
      "<h2>The first batch as the loss will see it</h2><p class=\"soft\">After the augmentations of whole batches. "
      "Labels are outlined wherever there are any, mixed ones too.</p><div class=\"pair\">";
  for (const BatchPicture& shown : batch)
    out += "<figure><img src=\"" + jpeg_uri(shown.picture.view()) + "\" alt=\"\"><figcaption>" + escaped(shown.id) +
           "</figcaption></figure>";
  return out + "</div>";
}

}  // namespace

std::string class_legend(const std::vector<std::string>& classes, bool tissue, bool ignores) {
  std::string out = "<p class=\"legend\">";
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto [r, g, b] = class_colour(c);
    out += "<span><i style=\"background:rgb(" + std::to_string(r) + "," + std::to_string(g) + "," + std::to_string(b) +
           ")\"></i>" + escaped(classes[c]) + "</span>";
  }
  if (ignores)
    out +=
        "<span><i style=\"background:repeating-linear-gradient(135deg,#6e6e6e 0 3px,#fff 3px 6px)\"></i>ignored</span>";
  if (tissue) out += "<span><i style=\"background:#888\"></i>tissue</span>";
  return out + "</p>";
}

Image slide_thumbnail(const PreparedSlide& slide, int classes) {
  constexpr std::int64_t side = 480;
  const Size full = slide.size();
  const std::int64_t step = std::max<std::int64_t>(1, (std::max(full.width, full.height) + side - 1) / side);
  const Size size{std::max<std::int64_t>(1, full.width / step), std::max<std::int64_t>(1, full.height / step)};
  Image out(size, 3);
  cv::Mat picture = as_mat(out.view());
  std::vector<cv::Mat> masks;
  std::vector<std::uint8_t> ignored(static_cast<std::size_t>(size.area()));
  for (int c = 0; c < classes; ++c) masks.push_back(cv::Mat::zeros(picture.size(), CV_8U));
  const auto mark = [&](std::uint32_t bits, std::int64_t x, std::int64_t y) {
    for (int c = 0; c <= classes && c < most_classes && bits >> c != 0; ++c) {
      if ((bits >> c & 1U) == 0) continue;
      if (c == classes) ignored[static_cast<std::size_t>(y * size.width + x)] = 1;
      else masks[static_cast<std::size_t>(c)].at<std::uint8_t>(static_cast<int>(y), static_cast<int>(x)) = 255;
    }
  };
  const Image band({full.width, step}, 3), labels({full.width, step}, 1, slide.label_depth());
  for (std::int64_t y = 0; y < size.height; ++y) {
    slide.read({0, y * step, full.width, step}, band.view(), labels.view());
    cv::Mat row = picture.row(static_cast<int>(y));
    cv::resize(as_mat(band.view()).colRange(0, static_cast<int>(size.width * step)), row, row.size(), 0, 0,
               cv::INTER_AREA);
    with_label_type(labels.view().depth, [&](auto zero) {
      for (std::int64_t dy = 0; dy < step; ++dy)
        for (std::int64_t x = 0; x < size.width * step; ++x)
          mark(labels.view().row<const decltype(zero)>(dy)[x], x / step, y);
    });
  }
  const cv::Mat tissue = tissue_of(picture);
  hatch_ignored(out.view(), ignored);
  outline(picture, tissue, cv::Scalar::all(136), 1);
  for (std::size_t c = 0; c < masks.size(); ++c) {
    const auto [r, g, b] = class_colour(c);
    outline(picture, masks[c], cv::Scalar(r, g, b), 1);
  }
  return out;
}

std::string data_page(const Experiment& experiment, const PreparedData& data, const Feed& feed,
                      const PreviewRange& range, const std::vector<BatchPicture>& batch, const Findings& said) {
  const bool ignores = std::any_of(data.slides.begin(), data.slides.end(), [](const auto& s) { return s->ignores(); });
  Counts datasets(experiment.classes, ignores), groups(experiment.classes, ignores),
      donors(experiment.classes, ignores), by_fold(experiment.classes, ignores);
  std::string thumbnails;
  for (std::size_t i = 0; i < data.slides.size(); ++i) {
    const PreparedSlide& slide = *data.slides[i];
    const SlideInfo& info = slide.info();
    const std::string fold = fold_text(data, i);
    datasets.add(dataset_name(experiment, slide), slide);
    groups.add(slide.catalog().group, slide);
    donors.add(info.donor.empty() ? "unknown" : info.donor, slide);
    by_fold.add(fold, slide);
    const Image picture = slide_thumbnail(slide, static_cast<int>(experiment.classes.size()));
    thumbnails += "<figure><img src=\"" + jpeg_uri(picture.view()) + "\" alt=\"\"><figcaption>" + escaped(info.id) +
                  " · " + escaped(dataset_name(experiment, slide)) + " · " + escaped(fold) + " · " +
                  std::to_string(slide.size().width) + " x " + std::to_string(slide.size().height) +
                  " px</figcaption></figure>";
  }
  std::string body = "<h1>" + escaped(experiment.name) + "</h1><p class=\"soft\">" +
                     counted(data.slides.size(), "slide") + " at " + level_text(experiment.data) + ", windows of " +
                     std::to_string(experiment.data.tile) + " px</p>";
  for (const std::string& finding : said.findings) body += "<p class=\"fault\">" + escaped(finding) + "</p>";
  for (const std::string& note : said.notes) body += "<p class=\"soft\">" + escaped(note) + "</p>";
  body += "<h2>What there is</h2>" + datasets.html("dataset") + groups.html("group") + donors.html("donor") +
          by_fold.html("fold");
  body += "<h2>Slides</h2>" + class_legend(experiment.classes, true, ignores) + "<div class=\"pair\">" + thumbnails +
          "</div>";
  body +=
      "<h2>Windows as the model will see them</h2><p class=\"soft\">Left as it is cut, right with its "
      "augmentations.</p>" +
      sampling(feed) + class_legend(experiment.classes, false, ignores) + gallery(experiment, data, feed, range) +
      batch_gallery(batch);
  return html_page(experiment.name + ": data", body);
}

}  // namespace nephron::host
