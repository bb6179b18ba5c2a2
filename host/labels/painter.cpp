#include <host/labels/painter.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>

#include <nephron/error.hpp>
#include <nephron/geojson.hpp>
#include <nephron/label_pixels.hpp>

#include <host/labels/nearest.hpp>
#include <host/labels/polygon_scan.hpp>
#include <host/labels/row_runs.hpp>
#include <host/labels/soft_map.hpp>

namespace nephron::host {

namespace {

std::string text(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }
std::string text(const Region& r) {
  return text(r.size()) + " at (" + std::to_string(r.x) + ", " + std::to_string(r.y) + ")";
}

std::uint32_t bit(int class_index) { return 1U << class_index; }

/// Ignored pixels have no other label.
template <class T>
void clear_beside(T ignored, const ImageView& labels) {
  for (std::int64_t y = 0; y < labels.height; ++y) {
    auto* const row = labels.row<T>(y);
    for (std::int64_t x = 0; x < labels.width; ++x) row[x] = (row[x] & ignored) != 0 ? ignored : row[x];
  }
}

template <class Shape>
struct Labelled {
  std::uint32_t bits;
  Shape shape;
};

/// A window of the reduced map and the level-0 pixels that it shows.
struct Aperture {
  NearestAxis x, y;
  Aperture(Size slide, Size reduced, const Region& window)
      : x(slide.width, reduced.width, window.x, window.width),
        y(slide.height, reduced.height, window.y, window.height) {}
  Region source() const { return {x.front(), y.front(), x.back() - x.front() + 1, y.back() - y.front() + 1}; }
};

/// Sets bits where pixels of the window show source pixels [first, last].
template <class T>
void add(const NearestAxis& axis, std::int64_t first, std::int64_t last, T bits, T* row) {
  const std::int64_t end = axis.at_or_after(last + 1);
  for (std::int64_t x = axis.at_or_after(first); x < end; ++x) row[x] |= bits;
}

template <class T>
void paint_polygon(const Labelled<PolygonScan>& polygon, const Aperture& aperture, const ImageView& out) {
  const Region& box = polygon.shape.box();
  PolygonScan::Walk walk(polygon.shape);
  std::vector<Span> spans;
  const std::int64_t end = aperture.y.at_or_after(box.y + box.height);
  for (std::int64_t y = aperture.y.at_or_after(box.y); y < end; ++y) {
    spans.clear();
    walk.row(aperture.y.source(y), spans);
    for (const Span& s : spans) add(aperture.x, s.first, s.last, static_cast<T>(polygon.bits), out.row<T>(y));
  }
}

template <class T>
void paint_runs(const Labelled<RowRuns>& runs, const Aperture& aperture, const ImageView& out) {
  const Region& box = runs.shape.box();
  const std::int64_t end = aperture.y.at_or_after(box.y + box.height);
  for (std::int64_t y = aperture.y.at_or_after(box.y); y < end; ++y)
    runs.shape.for_row(aperture.y.source(y), aperture.x.front(), aperture.x.back(),
                       [&](std::int64_t first, std::int64_t last) {
                         add(aperture.x, first, last, static_cast<T>(runs.bits), out.row<T>(y));
                       });
}

/// The runs of pixels with a bit, counted along the slide's rows.
template <class T>
Runs runs_of_bits(const Region& region, const ImageView& labels, T bits, std::int64_t slide_width) {
  Runs runs;
  for (std::int64_t y = 0; y < region.height; ++y) {
    const auto* row = labels.row<const T>(y);
    const std::int64_t origin = (region.y + y) * slide_width + region.x;
    for (std::int64_t x = 0; x < region.width;) {
      while (x < region.width && (row[x] & bits) == 0) ++x;
      const std::int64_t start = x;
      while (x < region.width && (row[x] & bits) != 0) ++x;
      if (x > start) runs.push_back({origin + start, x - start});
    }
  }
  return normalised(std::move(runs));
}

Runs runs_of(const Region& region, const ImageView& labels, std::uint32_t bits, std::int64_t slide_width) {
  return with_label_type(labels.depth, [&](auto zero) {
    return runs_of_bits(region, labels, static_cast<decltype(zero)>(bits), slide_width);
  });
}

}  // namespace

struct LabelPainter::Content {
  Size slide;
  int classes = 0;
  bool reference_compat = false;
  bool empty = true;
  std::vector<Labelled<PolygonScan>> polygons;
  std::vector<Labelled<RowRuns>> runs;
  std::map<int, SoftMap> soft;

  bool ignores = false;

  /// The bit of a class, or of what is ignored.
  std::uint32_t bit_of(int class_index) const { return bit(class_index == ignored ? classes : class_index); }

  void check_class_or_ignored(int class_index) const {
    if (class_index != ignored) return check_class(class_index);
    if (classes == most_classes)
      throw Error(
          "the annotation ignores pixels, which takes a bit beside those of " + std::to_string(classes) + " classes",
          "leave one of the classes out, or ignore nothing");
  }

  void check_class(int class_index) const {
    if (class_index < 0 || class_index >= classes)
      throw Error("the annotation names class " + std::to_string(class_index) + ", but the experiment has " +
                  std::to_string(classes) + " classes, counted from 0");
  }

  void check_map(const Region& r, const ImageView& map, bool depth, const std::string& expected,
                 const std::string& what) const {
    if (r.x < 0 || r.y < 0 || r.empty() || r.x > slide.width - r.width || r.y > slide.height - r.height)
      throw Error(what + " covers " + text(r) + ", which is not inside the slide of " + text(slide) + " px");
    if (map.size() != r.size() || map.channels != 1 || !depth)
      throw Error(what + " of the region " + text(r) + " has " + text(map.size()) + " px, " +
                  std::to_string(map.channels) + " channels of " + std::to_string(bytes_of(map.depth)) +
                  " bytes; expected the region's size, one channel of " + expected);
  }

  Size reduced(Reduction reduction) const {
    const Size size = reduction.size_of(slide);
    if (!(reduction.value() >= 1) || size.empty())
      throw Error("labels of a slide of " + text(slide) + " px cannot be reduced by " + reduction.str());
    return size;
  }

  void check_window(Reduction reduction, const Region& window) const {
    const Size size = reduced(reduction);
    if (window.empty() || window.clipped({0, 0, size.width, size.height}) != window)
      throw Error("the window " + text(window) + " is not inside the label map of " + text(size) + " px");
  }

  template <class T>
  void paint(Reduction reduction, const Region& window, const ImageView& labels) const {
    for (std::int64_t y = 0; y < labels.height; ++y) std::fill_n(labels.row<T>(y), labels.width, T{0});
    const Aperture aperture(slide, reduced(reduction), window);
    const Region source = aperture.source();
    for (const auto& polygon : polygons)
      if (!polygon.shape.box().clipped(source).empty()) paint_polygon<T>(polygon, aperture, labels);
    for (const auto& one : runs)
      if (!one.shape.box().clipped(source).empty()) paint_runs<T>(one, aperture, labels);
    if (ignores) clear_beside(static_cast<T>(bit(classes)), labels);
  }

  void add_runs(int class_index, Runs added) {
    empty = false;
    if (added.empty()) return;
    ignores = ignores || class_index == ignored;
    runs.push_back({bit_of(class_index), RowRuns(std::move(added), slide)});
  }
};

LabelPainter::LabelPainter(Size slide, int classes, bool reference_compat) : content_(std::make_unique<Content>()) {
  constexpr std::int64_t longest = 100'000'000;  // fillPoly's arithmetic ends not far beyond
  if (slide.empty() || slide.width > longest || slide.height > longest)
    throw Error("labels cannot be painted on a slide of " + text(slide) + " px; expected sides of 1 to 10^8");
  if (classes < 1 || classes > most_classes)
    throw Error("labels have one bit a class: expected 1 to " + std::to_string(most_classes) + " classes, not " +
                std::to_string(classes));
  content_->slide = slide;
  content_->classes = classes;
  content_->reference_compat = reference_compat;
}

LabelPainter::~LabelPainter() = default;
LabelPainter::LabelPainter(LabelPainter&&) noexcept = default;
LabelPainter& LabelPainter::operator=(LabelPainter&&) noexcept = default;

void LabelPainter::polygon(int class_index, const Polygon& polygon) {
  content_->check_class_or_ignored(class_index);
  content_->empty = false;
  PolygonScan scan(content_->reference_compat ? joined_rings({polygon}) : polygon, content_->slide);
  if (scan.empty()) return;
  content_->ignores = content_->ignores || class_index == ignored;
  content_->polygons.push_back({content_->bit_of(class_index), std::move(scan)});
}

void LabelPainter::mask(const Region& region, const ImageView& labels) {
  content_->check_map(region, labels, is_label_depth(labels.depth), "1, 2 or 4 bytes", "a label mask");
  std::uint32_t seen = 0;
  with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = 0; y < region.height; ++y)
      for (std::int64_t x = 0; x < region.width; ++x) seen |= labels.row<const decltype(zero)>(y)[x];
  });
  if ((seen & ~first_bits(content_->classes)) != 0)
    throw Error("a label mask sets bit " + std::to_string(std::bit_width(seen) - 1) + ", but the experiment has " +
                std::to_string(content_->classes) + " classes, counted from bit 0");
  content_->empty = false;
  for (int c = 0; c < content_->classes; ++c)
    if ((seen & bit(c)) != 0) content_->add_runs(c, runs_of(region, labels, bit(c), content_->slide.width));
}

void LabelPainter::runs(int class_index, std::span<const Run> runs, bool column_major) {
  content_->check_class_or_ignored(class_index);
  const Size slide = content_->slide;
  for (const Run& run : runs)
    if (run.start < 0 || run.length < 0 || run.start > slide.area() - run.length)
      throw Error("run " + std::to_string(run.start) + " + " + std::to_string(run.length) + " leaves the slide of " +
                  text(slide) + " = " + std::to_string(slide.area()) + " px");
  Runs sorted = normalised({runs.begin(), runs.end()});
  content_->add_runs(class_index, column_major ? turned(sorted, slide, true) : std::move(sorted));
}

void LabelPainter::ignore(const Region& region, const ImageView& pixels) {
  content_->check_class_or_ignored(ignored);
  content_->check_map(region, pixels, pixels.depth == Depth::u8, "1 byte", "a mask of ignored pixels");
  content_->add_runs(ignored, runs_of(region, pixels, 0xFF, content_->slide.width));
}

void LabelPainter::probability(int class_index, const Region& region, const ImageView& map) {
  content_->check_class(class_index);
  content_->check_map(region, map, map.depth == Depth::f32, "4 bytes", "a probability map");
  const Image levels(region.size(), 1), over(region.size(), 1);
  for (std::int64_t y = 0; y < region.height; ++y) {
    const auto* from = map.row<const float>(y);
    for (std::int64_t x = 0; x < region.width; ++x) {
      if (!(from[x] >= 0 && from[x] <= 1))
        throw Error("a probability map holds " + std::to_string(from[x]) + "; expected numbers in [0, 1]");
      levels.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(std::lround(from[x] * 255));
      over.view().row<std::uint8_t>(y)[x] = from[x] > 0.5F;
    }
  }
  content_->soft.try_emplace(class_index, content_->slide).first->second.put(region, levels.view());
  content_->add_runs(class_index, runs_of(region, over.view(), 1, content_->slide.width));
}

Size LabelPainter::slide() const noexcept { return content_->slide; }
int LabelPainter::classes() const noexcept { return content_->classes; }
Size LabelPainter::size(Reduction reduction) const { return content_->reduced(reduction); }
Depth LabelPainter::depth() const noexcept { return label_depth(content_->classes + (content_->ignores ? 1 : 0)); }
bool LabelPainter::ignores() const noexcept { return content_->ignores; }
bool LabelPainter::empty() const noexcept { return content_->empty; }

Region LabelPainter::box() const noexcept {
  std::int64_t x0 = slide().width, y0 = slide().height, x1 = 0, y1 = 0;
  const auto cover = [&](const auto& labelled) {
    const Region& box = labelled.shape.box();
    x0 = std::min(x0, box.x), x1 = std::max(x1, box.x + box.width);
    y0 = std::min(y0, box.y), y1 = std::max(y1, box.y + box.height);
  };
  std::for_each(content_->polygons.begin(), content_->polygons.end(), cover);
  std::for_each(content_->runs.begin(), content_->runs.end(), cover);
  return x1 > x0 ? Region{x0, y0, x1 - x0, y1 - y0} : Region{};
}

bool LabelPainter::touches(Reduction reduction, const Region& window) const {
  content_->check_window(reduction, window);
  const Region source = Aperture(content_->slide, content_->reduced(reduction), window).source();
  const auto meets = [&](const auto& labelled) { return !labelled.shape.box().clipped(source).empty(); };
  return std::any_of(content_->polygons.begin(), content_->polygons.end(), meets) ||
         std::any_of(content_->runs.begin(), content_->runs.end(),
                     [&](const Labelled<RowRuns>& runs) { return meets(runs) && runs.shape.any_in(source); });
}

void LabelPainter::paint(Reduction reduction, const Region& window, const ImageView& labels) const {
  content_->check_window(reduction, window);
  if (labels.size() != window.size() || labels.channels != 1 || !is_label_depth(labels.depth) ||
      bytes_of(labels.depth) < bytes_of(depth()))
    throw Error("labels are painted into one channel of " + std::to_string(8 * bytes_of(depth())) +
                " bits of the window's size, " + text(window.size()));
  with_label_type(labels.depth, [&](auto zero) { content_->paint<decltype(zero)>(reduction, window, labels); });
}

Image LabelPainter::labels(Reduction reduction) const {
  if (empty()) return {};
  Image out(size(reduction), 1, depth());
  paint(reduction, {0, 0, out.size().width, out.size().height}, out.view());
  return out;
}

std::map<int, Image> LabelPainter::soft(Reduction reduction) const {
  std::map<int, Image> out;
  for (const auto& [c, map] : content_->soft) {
    const Image& plane = out[c] = Image(size(reduction), 1);
    paint_soft(c, reduction, {0, 0, plane.size().width, plane.size().height}, plane.view());
  }
  return out;
}

std::uint32_t LabelPainter::soft_classes() const noexcept {
  std::uint32_t out = 0;
  for (const auto& [c, map] : content_->soft) out |= bit(c);
  return out;
}

void LabelPainter::paint_soft(int class_index, Reduction reduction, const Region& window, const ImageView& map) const {
  content_->check_window(reduction, window);
  const auto found = content_->soft.find(class_index);
  if (found == content_->soft.end())
    throw Error("class " + std::to_string(class_index) + " was given no probabilities");
  if (map.size() != window.size() || map.channels != 1 || map.depth != Depth::u8)
    throw Error("probabilities are painted into one u8 channel of the window's size, " + text(window.size()));
  found->second.paint(reduction, window, map);
}

}  // namespace nephron::host
