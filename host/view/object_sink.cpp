#include <host/view/object_sink.hpp>

#include <nephron/error.hpp>

#include <host/labels/trace.hpp>

namespace nephron::host {

ObjectSink::ObjectSink(Size slide, std::vector<std::string> classes)
    : slide_(slide), classes_(std::move(classes)), masks_(classes_.size()) {}

void ObjectSink::polygon(int class_index, const Polygon& polygon) {
  if (class_index == ignored) {
    ignores_ = true;
    return;
  }
  AnnotatedObject object;
  object.class_name = classes_.at(static_cast<std::size_t>(class_index));
  object.parts = {polygon};
  objects_.push_back(std::move(object));
}

void ObjectSink::add(int class_index, const Runs& of_region, const Region& region) {
  if (region.clipped({0, 0, slide_.width, slide_.height}) != region)
    throw Error("the annotation has pixels outside of the slide");
  Runs& mask = masks_.at(static_cast<std::size_t>(class_index));
  for (const Run& run : of_region)
    for (std::int64_t at = run.start; at < run.end();) {  // column by column of the region
      const std::int64_t column = at / region.height, end = std::min(run.end(), (column + 1) * region.height);
      mask.push_back({(region.x + column) * slide_.height + region.y + at % region.height, end - at});
      at = end;
    }
  mask = normalised(std::move(mask));
}

void ObjectSink::mask(const Region& region, const ImageView& labels) {
  for (std::size_t c = 0; c < classes_.size(); ++c)
    add(static_cast<int>(c), encode_rle(labels, std::uint32_t{1} << c), region);
}

void ObjectSink::runs(int class_index, std::span<const Run> runs, bool column_major) {
  if (class_index == ignored) {
    ignores_ = true;
    return;
  }
  Runs down(runs.begin(), runs.end());
  if (!column_major) down = turned(normalised(std::move(down)), slide_, false);
  Runs& mask = masks_.at(static_cast<std::size_t>(class_index));
  mask.insert(mask.end(), down.begin(), down.end());
  mask = normalised(std::move(mask));
  require_valid(mask, slide_.area(), "the annotation");
}

void ObjectSink::probability(int class_index, const Region& region, const ImageView& map) {
  const Image above(region.size(), 1);
  for (std::int64_t y = 0; y < region.height; ++y)
    for (std::int64_t x = 0; x < region.width; ++x)
      above.view().row<std::uint8_t>(y)[x] = map.row<const float>(y)[x] > 0.5F ? 1 : 0;
  add(class_index, encode_rle(above.view()), region);
}

void ObjectSink::ignore(const Region&, const ImageView&) { ignores_ = true; }

LabelSet ObjectSink::labels() const {
  LabelSet out;
  out.size = slide_;
  out.classes = classes_;
  out.holds_objects = true;
  out.objects = objects_;
  for (std::size_t c = 0; c < masks_.size(); ++c)
    for (AnnotatedObject& object : trace_objects(masks_[c], slide_)) {
      object.class_name = classes_[c];
      out.objects.push_back(std::move(object));
    }
  if (ignores_) out.notes.emplace_back("what the annotation ignores is not shown");
  return out;
}

}  // namespace nephron::host
