#include <host/labels/label_set.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/labels/trace.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

int LabelSet::class_index(const std::string& name) const noexcept {
  const auto found = std::find(classes.begin(), classes.end(), name);
  return found == classes.end() ? -1 : static_cast<int>(found - classes.begin());
}

LabelPainter painter_of(const LabelSet& labels, bool reference_compat) {
  LabelPainter painter(labels.size, static_cast<int>(labels.classes.size()));
  for (const AnnotatedObject& object : labels.objects) {
    const int c = labels.class_index(object.class_name);
    if (reference_compat) painter.polygon(c, joined_rings(object.parts));
    else
      for (const Polygon& part : object.parts) painter.polygon(c, part);
  }
  for (std::size_t c = 0; c < labels.masks.size(); ++c) painter.runs(static_cast<int>(c), labels.masks[c], true);
  return painter;
}

std::vector<Runs> masks_of(const LabelSet& labels, bool reference_compat) {
  if (!labels.holds_objects) return labels.masks;
  constexpr std::int64_t strip_pixels = std::int64_t{1} << 25;
  const LabelPainter painter = painter_of(labels, reference_compat);
  std::vector<Runs> out(labels.classes.size());
  const Region box = painter.box();
  if (box.empty()) return out;
  const std::int64_t H = labels.size.height;
  const std::int64_t width = std::clamp<std::int64_t>(strip_pixels / H, 1, box.width);
  const Image strip({width, H}, 1, painter.depth());
  Progress progress("painting", box.width);
  for (std::int64_t x = box.x; x < box.x + box.width; x += width) {
    if (interrupted()) throw Cancelled();
    const Region window{x, 0, std::min(width, box.x + box.width - x), H};
    const ImageView view = strip.view().crop({0, 0, window.width, H});
    painter.paint(1, window, view);
    for (std::size_t c = 0; c < out.size(); ++c)
      for (const Run& run : encode_rle(view, 1U << c)) out[c].push_back({run.start + x * H, run.length});
    progress.update(x - box.x);
  }
  progress.finish();
  for (Runs& runs : out) runs = normalised(std::move(runs));  // joins what the strips cut
  return out;
}

std::vector<AnnotatedObject> objects_of(const LabelSet& labels) {
  if (labels.holds_objects) return labels.objects;
  std::vector<AnnotatedObject> out;
  for (std::size_t c = 0; c < labels.masks.size(); ++c)
    for (AnnotatedObject& object : trace_objects(labels.masks[c], labels.size)) {
      object.class_name = labels.classes[c];
      out.push_back(std::move(object));
    }
  return out;
}

}  // namespace nephron::host
