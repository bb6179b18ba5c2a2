#include <host/predict/object_outputs.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <host/labels/coco.hpp>
#include <host/labels/geojson_text.hpp>
#include <host/objects/outline.hpp>
#include <host/pictures/map_tiff.hpp>
#include <host/predict/prediction_origin.hpp>
#include <host/util/csv_field.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

/// Pixels of `object` that lie in one of `others`, which hold the runs of a class in their order.
std::int64_t covered(const FoundObject& object, const std::vector<RowRun>& others) {
  std::int64_t pixels = 0;
  for (const RowRun& run : object.runs) {
    auto other = std::partition_point(others.begin(), others.end(), [&](const RowRun& r) {
      return r.y < run.y || (r.y == run.y && r.end <= run.first);
    });
    for (; other != others.end() && other->y == run.y && other->first < run.end; ++other)
      pixels += std::min(run.end, other->end) - std::max(run.first, other->first);
  }
  return pixels;
}

std::vector<RowRun> runs_of(const std::vector<FoundObject>& objects) {
  std::vector<RowRun> out;
  for (const FoundObject& object : objects) out.insert(out.end(), object.runs.begin(), object.runs.end());
  std::sort(out.begin(), out.end());
  return out;
}

/// A number of a table: six digits, as few as it needs.
std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

}  // namespace

ObjectOutputs::ObjectOutputs(const OutputFolder& output, const Kept& kept, std::vector<std::string> classes,
                             ObjectPicture picture)
    : output_(output), kept_(kept), classes_(std::move(classes)), picture_(std::move(picture)) {
  ObjectOptions options;
  options.least_area = kept.least_area, options.fill_holes = kept.fill_holes;
  finders_.resize(classes_.size(), ObjectFinder(options));
}

void ObjectOutputs::rows(std::int64_t y, std::span<const ImageView> masks, std::span<const ImageView> probabilities) {
  for (std::size_t c = 0; c < finders_.size(); ++c) {
    const ImageView& map = probabilities[c];
    if (rounded_.size() != map.size()) rounded_ = Image(map.size(), 1, Depth::f32);
    for (std::int64_t row = 0; row < map.height; ++row)
      std::transform(map.row<const float>(row), map.row<const float>(row) + map.width, rounded_.view().row<float>(row),
                     [](float p) { return static_cast<float>(byte_of(p)) / 255.0F; });
    finders_[c].rows(y, masks[c], rounded_.view());
  }
}

void ObjectOutputs::finish(const std::string& origin) {
  std::vector<std::vector<FoundObject>> found;
  std::vector<std::vector<RowRun>> runs;
  for (ObjectFinder& finder : finders_) found.push_back(finder.finish()), runs.push_back(runs_of(found.back()));
  LabelSet set;
  set.size = picture_.size, set.classes = classes_, set.holds_objects = true;
  std::string table = "class,x,y,width,height,centroid_x,centroid_y,area_px,area_um2,confidence,mean_probability";
  for (const std::string& name : classes_)
    if (classes_.size() > 1) table += "," + csv_field("share_of_" + name);
  table.append(",").append(origin_columns).append("\n");
  const std::string origin_of_all = origin_cells(origin);
  const double pixel = picture_.mpp * picture_.mpp;
  for (std::size_t c = 0; c < found.size(); ++c)
    for (const FoundObject& object : found[c]) {
      AnnotatedObject& out = set.objects.emplace_back();
      out.class_name = classes_[c];
      out.parts.push_back(contour_of(object, Rings::pixels));
      out.measurements = {{"confidence", object.confidence},
                          {"mean probability", object.mean_probability},
                          {"area px", static_cast<double>(object.area)}};
      if (pixel > 0) out.measurements.emplace_back("area um^2", static_cast<double>(object.area) * pixel);
      const Region& box = object.box;
      table += csv_field(classes_[c]);
      const auto cell = [&](const std::string& text) { table.append(1, ',').append(text); };
      for (const std::int64_t v : {box.x, box.y, box.width, box.height}) cell(std::to_string(v));
      cell(number(object.centroid.x)), cell(number(object.centroid.y)), cell(std::to_string(object.area));
      cell(pixel > 0 ? number(static_cast<double>(object.area) * pixel) : "");
      cell(number(object.confidence)), cell(number(object.mean_probability));
      for (std::size_t k = 0; k < classes_.size() && classes_.size() > 1; ++k) {
        const double share =
            k == c ? 1 : static_cast<double>(covered(object, runs[k])) / static_cast<double>(object.area);
        cell(number(share));
        if (k != c) out.measurements.emplace_back("share of " + classes_[k], share);
      }
      cell(origin_of_all);
      table += "\n";
    }
  if (kept_.objects) write_file_atomically(output_.objects(picture_.id), table);
  if (kept_.geojson) write_file_atomically(output_.geojson(picture_.id), geojson_text(set.objects, classes_, origin));
  if (kept_.coco) write_file_atomically(output_.coco(picture_.id), coco_text(set, picture_.file_name, origin));
}

}  // namespace nephron::host
