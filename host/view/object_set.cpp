#include <host/view/object_set.hpp>

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>

#include <host/labels/painter.hpp>
#include <host/labels/trace.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t strip_pixels = std::int64_t{1} << 24;

std::string text_of(Size size) { return std::to_string(size.width) + " x " + std::to_string(size.height); }

/// As runs_of_object(), in strips: an outline of a whole organ has a large box.
Runs runs_of(const std::vector<Polygon>& parts, Size picture, const Stop& stop) {
  LabelPainter painter(picture, 1);
  for (const Polygon& part : parts) painter.polygon(0, part);
  const Region box = painter.box();
  Runs out;
  if (box.empty()) return out;
  const std::int64_t width = std::clamp<std::int64_t>(strip_pixels / box.height, 1, box.width);
  const Image strip({width, box.height}, 1);
  for (std::int64_t x = box.x; x < box.x + box.width; x += width) {
    if (stop()) throw Cancelled();
    const Region window{x, box.y, std::min(width, box.x + box.width - x), box.height};
    const ImageView view = strip.view().crop({0, 0, window.width, window.height});
    painter.paint(1, window, view);
    for (const Run& run : encode_rle(view))  // a run may go on in the next column of the window
      for (std::int64_t at = run.start; at < run.end();) {
        const std::int64_t column = at / window.height, end = std::min(run.end(), (column + 1) * window.height);
        out.push_back({(x + column) * picture.height + box.y + at % window.height, end - at});
        at = end;
      }
  }
  return normalised(std::move(out));
}

/// What brings labels to the picture's pixels.
Affine scale_to(Size labels, Size picture) {
  const double x = static_cast<double>(picture.width) / static_cast<double>(labels.width);
  const double y = static_cast<double>(picture.height) / static_cast<double>(labels.height);
  if (std::abs(x / y - 1) > 0.02)
    throw Error("the labels are of a picture of " + text_of(labels) + " px, the slide has " + text_of(picture) + " px");
  return Affine::scaling(x, y);
}

void scale(std::vector<Polygon>& parts, const Affine& by) {
  for (Polygon& part : parts)
    for (auto& ring : part)
      for (Point& p : ring) p = by(p);
}

double known_confidence(const AnnotatedObject& object) {
  for (const auto& [name, value] : object.measurements)
    if ((name == "confidence" || name == "Confidence") && value >= 0 && value <= 1) return value;
  return -1;
}

double highest(const GreyMap& map, const ViewObject& object, Size picture) {
  // A map of the picture's size is read along the object's own pixels, another one within its box.
  const Size size = map.size();
  const bool same = size == picture && object.box.size().area() <= strip_pixels;
  std::uint8_t most = 0;
  if (same) {
    const Image part(object.box.size(), 1);
    map.read(0, object.box, part.view());
    for (const Run& run : object.runs)
      for (std::int64_t at = run.start; at < run.end(); ++at)
        most = std::max(most, part.view().row<const std::uint8_t>(at % picture.height -
                                                                  object.box.y)[at / picture.height - object.box.x]);
    return most / 255.0;
  }
  for (std::size_t level = 0; level < map.levels().size(); ++level) {
    const Size here = map.levels()[level];
    const double by = static_cast<double>(here.width) / static_cast<double>(picture.width);
    const auto at = [&](std::int64_t v) { return static_cast<std::int64_t>(static_cast<double>(v) * by); };
    const Region box =
        Region{at(object.box.x), at(object.box.y), at(object.box.width) + 1, at(object.box.height) + 1}.clipped(
            {0, 0, here.width, here.height});
    if (box.empty()) break;
    if (box.size().area() > strip_pixels && level + 1 < map.levels().size()) continue;
    const Image part(box.size(), 1);
    map.read(level, box, part.view());
    for (std::int64_t y = 0; y < box.height; ++y) {
      const auto* const row = part.view().row<const std::uint8_t>(y);
      most = std::max(most, *std::max_element(row, row + box.width));
    }
    break;
  }
  return most / 255.0;
}

}  // namespace

std::size_t ObjectSet::bytes() const {
  std::size_t sum = 4096;
  for (const ViewObject& object : objects) {
    sum += sizeof object + object.runs.size() * sizeof(Run);
    for (const Polygon& part : object.parts)
      for (const auto& ring : part) sum += sizeof ring + ring.size() * sizeof(Point);
  }
  return sum;
}

ObjectSet object_set(const LabelSet& labels, Size picture, const Stop& stop) {
  ObjectSet out;
  out.classes = labels.classes;
  out.notes = labels.notes;
  out.picture = picture;
  const bool other_size = labels.size_known && labels.size != picture;
  const Affine by = other_size ? scale_to(labels.size, picture) : Affine::identity();
  if (labels.holds_objects || other_size) out.unit = 0.1;
  if (stop()) throw Cancelled();
  for (AnnotatedObject& object : objects_of(labels)) {
    if (stop()) throw Cancelled();
    ViewObject shown;
    shown.class_index = std::max(0, labels.class_index(object.class_name));
    shown.confidence = known_confidence(object);
    shown.parts = std::move(object.parts);
    if (other_size) scale(shown.parts, by);
    shown.runs = runs_of(shown.parts, picture, stop);
    shown.box = box_of(shown.runs, picture);
    shown.pixels = area_of(shown.runs);
    if (shown.pixels > 0) out.objects.push_back(std::move(shown));
  }
  return out;
}

void add_confidence(ObjectSet& set, const std::function<std::shared_ptr<const GreyMap>(const std::string&)>& map_of,
                    const Stop& stop) {
  for (std::size_t c = 0; c < set.classes.size(); ++c) {
    const auto mine = [&](const ViewObject& o) { return o.class_index == static_cast<int>(c) && o.confidence < 0; };
    if (std::none_of(set.objects.begin(), set.objects.end(), mine)) continue;
    const auto map = map_of(set.classes[c]);
    if (map == nullptr) continue;
    for (ViewObject& object : set.objects) {
      if (stop()) throw Cancelled();
      if (mine(object)) object.confidence = highest(*map, object, set.picture);
    }
  }
}

void add_overlap(ObjectSet& found, const ObjectSet& truth, const Stop& stop) {
  std::vector<const ViewObject*> by_left;
  std::int64_t widest = 0;
  for (const ViewObject& object : truth.objects) {
    by_left.push_back(&object);
    widest = std::max(widest, object.box.width);
  }
  const auto left_of = [](const ViewObject* o, std::int64_t x) { return o->box.x < x; };
  std::sort(by_left.begin(), by_left.end(),
            [](const ViewObject* a, const ViewObject* b) { return a->box.x < b->box.x; });
  for (ViewObject& object : found.objects) {
    if (stop()) throw Cancelled();
    std::int64_t most = 0;
    object.iou = 0;
    auto at = std::lower_bound(by_left.begin(), by_left.end(), object.box.x - widest, left_of);
    for (; at != by_left.end() && (*at)->box.x < object.box.x + object.box.width; ++at) {
      const ViewObject& other = **at;
      const bool same_class = found.classes[static_cast<std::size_t>(object.class_index)] ==
                              truth.classes[static_cast<std::size_t>(other.class_index)];
      if (!same_class || object.box.clipped(other.box).empty()) continue;
      const std::int64_t common = common_area(object.runs, other.runs);
      if (common <= most) continue;
      most = common;
      object.iou = static_cast<double>(common) / static_cast<double>(object.pixels + other.pixels - common);
    }
  }
}

}  // namespace nephron::host
