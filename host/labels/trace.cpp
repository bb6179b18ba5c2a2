#include <host/labels/trace.hpp>

#include <algorithm>
#include <compare>
#include <limits>
#include <utility>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/labels/painter.hpp>
#include <host/objects/row_joiner.hpp>

namespace nephron::host {

namespace {

/// A run inside one column: rows [first, last].
struct Piece {
  std::int64_t x = 0, first = 0, last = 0;
  auto operator<=>(const Piece&) const = default;
};

std::vector<Piece> pieces_of(std::span<const Run> runs, std::int64_t height) {
  std::vector<Piece> out;
  out.reserve(runs.size());
  for (const Run& run : runs)
    for (std::int64_t at = run.start; at < run.end();) {
      const std::int64_t x = at / height, stop = std::min(run.end(), (x + 1) * height);
      // Touching runs of a column are one.
      if (!out.empty() && out.back().x == x && out.back().last + 1 == at - x * height)
        out.back().last = stop - 1 - x * height;
      else out.push_back({x, at - x * height, stop - 1 - x * height});
      at = stop;
    }
  return out;
}

/// Columns are this mask's rows.
struct Part {
  std::vector<Piece> pieces;
  void add(std::int64_t x, std::int64_t first, std::int64_t end) { pieces.push_back({x, first, end - 1}); }
  void join(Part&& other) {
    if (pieces.size() < other.pieces.size()) std::swap(pieces, other.pieces);
    pieces.insert(pieces.end(), other.pieces.begin(), other.pieces.end());
  }
};

std::vector<Part> parts_of(const std::vector<Piece>& pieces) {
  std::vector<Part> out;
  const auto close = [&](Part&& part) {
    std::sort(part.pieces.begin(), part.pieces.end());
    out.push_back(std::move(part));
  };
  RowJoiner<Part> joiner;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i == 0 || pieces[i].x != pieces[i - 1].x) joiner.begin_row(pieces[i].x, close);
    joiner.add(pieces[i].first, pieces[i].last + 1);
  }
  joiner.finish(close);
  std::sort(out.begin(), out.end(), [](const Part& a, const Part& b) { return a.pieces[0] < b.pieces[0]; });
  return out;
}

AnnotatedObject outlined(const std::vector<Piece>& pieces) {
  Region box{pieces.front().x, pieces.front().first, pieces.back().x - pieces.front().x + 1, 0};
  std::int64_t bottom = 0;
  for (const Piece& p : pieces) box.y = std::min(box.y, p.first), bottom = std::max(bottom, p.last);
  box.height = bottom - box.y + 1;
  if (box.height > std::numeric_limits<int>::max() / box.width)
    throw Error("an object of " + std::to_string(box.width) + " x " + std::to_string(box.height) +
                " px is too large to be traced; expected at most 2^31 pixels in its bounding box");
  cv::Mat mask = cv::Mat::zeros(static_cast<int>(box.height), static_cast<int>(box.width), CV_8U);
  for (const Piece& p : pieces)
    mask.col(static_cast<int>(p.x - box.x))
        .rowRange(static_cast<int>(p.first - box.y), static_cast<int>(p.last - box.y) + 1)
        .setTo(1);
  std::vector<std::vector<cv::Point>> rings;
  std::vector<cv::Vec4i> hierarchy;
  const cv::Point corner(static_cast<int>(box.x), static_cast<int>(box.y));
  cv::findContours(mask, rings, hierarchy, cv::RETR_CCOMP, cv::CHAIN_APPROX_SIMPLE, corner);
  Polygon polygon(1);
  for (std::size_t i = 0; i < rings.size(); ++i) {
    std::vector<Point> ring;
    for (const cv::Point& p : rings[i]) ring.push_back({static_cast<double>(p.x), static_cast<double>(p.y)});
    if (hierarchy[i][3] < 0) polygon.front() = std::move(ring);  // without a parent: the outline
    else polygon.push_back(std::move(ring));
  }
  AnnotatedObject object;
  object.parts.push_back(std::move(polygon));
  return object;
}

}  // namespace

std::vector<AnnotatedObject> trace_objects(std::span<const Run> runs, Size mask) {
  std::vector<AnnotatedObject> out;
  for (const Part& part : parts_of(pieces_of(runs, mask.height))) out.push_back(outlined(part.pieces));
  return out;
}

Runs runs_of_object(const AnnotatedObject& object, Size slide) {
  LabelPainter painter(slide, 1);
  for (const Polygon& part : object.parts) painter.polygon(0, part);
  const Region box = painter.box();
  if (box.empty()) return {};
  const Image mask(box.size(), 1);
  painter.paint(1, box, mask.view());
  Runs out;
  for (const Piece& p : pieces_of(encode_rle(mask.view()), box.height))
    out.push_back({(box.x + p.x) * slide.height + box.y + p.first, p.last - p.first + 1});
  return normalised(std::move(out));
}

Region box_of(std::span<const Run> runs, Size slide) {
  if (runs.empty()) return {};
  std::int64_t top = slide.height, bottom = -1;
  for (const Run& run : runs) {
    const bool one_column = run.start / slide.height == (run.end() - 1) / slide.height;
    top = std::min(top, one_column ? run.start % slide.height : 0);
    bottom = std::max(bottom, one_column ? (run.end() - 1) % slide.height : slide.height - 1);
  }
  const std::int64_t left = runs.front().start / slide.height, right = (runs.back().end() - 1) / slide.height;
  return {left, top, right - left + 1, bottom - top + 1};
}

}  // namespace nephron::host
