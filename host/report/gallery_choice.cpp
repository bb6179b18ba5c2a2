#include <host/report/gallery_choice.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace nephron::host {

namespace {

/// By what a row is sorted, largest first; what is not known comes last.
using Rank = double (*)(const ChosenObject&);

double confidence(const ChosenObject& o) { return std::isfinite(o.object->confidence) ? o.object->confidence : -1; }
double area(const ChosenObject& o) { return static_cast<double>(o.object->area); }
double overlap(const ChosenObject& o) { return o.object->iou; }
double lack_of_overlap(const ChosenObject& o) { return -o.object->iou; }

void add(std::vector<GalleryRow>& rows, std::string title, std::string what, std::vector<ChosenObject> objects,
         Rank rank, std::size_t most) {
  if (objects.empty() || most == 0) return;
  std::stable_sort(objects.begin(), objects.end(),
                   [&](const ChosenObject& a, const ChosenObject& b) { return rank(a) > rank(b); });
  GalleryRow row{std::move(title), std::move(what), {}, objects.size()};
  objects.resize(std::min(most, objects.size()));
  row.objects = std::move(objects);
  rows.push_back(std::move(row));
}

}  // namespace

std::vector<GalleryRow> gallery_rows(const ValidationRecord& record, std::size_t most) {
  std::map<std::tuple<std::size_t, bool, std::int64_t>, const ValidatedObject*> known;
  for (const ValidatedObject& o : record.objects) known[{o.slide, o.found, o.number}] = &o;
  std::vector<ChosenObject> invented, missed, confused, matched;
  for (const ValidatedObject& o : record.objects) {
    ChosenObject chosen{&o, nullptr};
    if (o.other)
      if (const auto other = known.find({o.slide, !o.found, *o.other}); other != known.end())
        chosen.other = other->second;
    if (chosen.other == nullptr) (o.found ? invented : missed).push_back(chosen);
    else if (o.found) continue;  // a pair is shown once, by its true object
    else (o.other_class == o.class_index ? matched : confused).push_back(chosen);
  }
  std::vector<GalleryRow> out;
  add(out, "Found where nothing is", "by confidence, the highest first", std::move(invented), confidence, most);
  add(out, "Missed", "by size, the largest first", std::move(missed), area, most);
  add(out, "Taken for another class", "by IoU, the highest first", std::move(confused), overlap, most);
  std::vector<ChosenObject> best = matched;
  add(out, "Matched worst", "by IoU, the lowest first", std::move(matched), lack_of_overlap, most);
  // Of few objects the worst would be the best as well.
  if (best.size() > most) add(out, "Matched best", "by IoU, the highest first", std::move(best), overlap, most);
  return out;
}

}  // namespace nephron::host
