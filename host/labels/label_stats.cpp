#include <host/labels/label_stats.hpp>

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include <host/labels/trace.hpp>

namespace nephron::host {

double ClassStats::median() const {
  const std::size_t upper = objects.size() / 2, lower = (objects.size() - 1) / 2;
  return (static_cast<double>(objects[lower]) + static_cast<double>(objects[upper])) / 2;
}

std::vector<ClassStats> stats_of(const LabelSet& labels, double mpp) {
  const std::vector<Runs> masks = masks_of(labels);
  std::vector<ClassStats> out(masks.size());
  for (std::size_t c = 0; c < out.size(); ++c) {
    out[c].name = labels.classes[c];
    out[c].area = area_of(masks[c]);
    out[c].slide_pixels = labels.size_known ? labels.size.area() : 0;
    out[c].square_microns = static_cast<double>(out[c].area) * mpp * mpp;
    out[c].runs = masks[c].size();
    out[c].box = box_of(masks[c], labels.size);
  }
  for (const AnnotatedObject& object : objects_of(labels))
    out[static_cast<std::size_t>(labels.class_index(object.class_name))].objects.push_back(
        area_of(runs_of_object(object, labels.size)));
  for (ClassStats& one : out) std::sort(one.objects.begin(), one.objects.end());
  return out;
}

void add_stats(std::vector<ClassStats>& total, const std::vector<ClassStats>& file) {
  for (const ClassStats& one : file) {
    const auto found =
        std::find_if(total.begin(), total.end(), [&](const ClassStats& t) { return t.name == one.name; });
    if (found == total.end()) {
      total.push_back(one);
      total.back().box = {};
      continue;
    }
    std::vector<std::int64_t> objects;
    std::merge(found->objects.begin(), found->objects.end(), one.objects.begin(), one.objects.end(),
               std::back_inserter(objects));
    found->objects = std::move(objects);
    const bool known = (found->square_microns > 0 || found->area == 0) && (one.square_microns > 0 || one.area == 0);
    found->square_microns = known ? found->square_microns + one.square_microns : 0;
    found->area += one.area;
    const bool sizes = found->slide_pixels > 0 && one.slide_pixels > 0;
    found->slide_pixels = sizes ? found->slide_pixels + one.slide_pixels : 0;
    found->runs += one.runs;
  }
}

nlohmann::ordered_json json_of(const ClassStats& stats) {
  nlohmann::ordered_json out{{"class", stats.name}, {"objects", stats.objects.size()}, {"area_px", stats.area}};
  if (stats.slide_pixels > 0) out["share"] = static_cast<double>(stats.area) / static_cast<double>(stats.slide_pixels);
  if (stats.square_microns > 0) out["area_um2"] = stats.square_microns;
  if (!stats.objects.empty())
    out["object_area_px"] = {
        {"least", stats.objects.front()}, {"median", stats.median()}, {"most", stats.objects.back()}};
  out["runs"] = stats.runs;
  if (!stats.box.empty()) out["box"] = {stats.box.x, stats.box.y, stats.box.width, stats.box.height};
  return out;
}

}  // namespace nephron::host
