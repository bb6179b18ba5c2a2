#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nephron/geojson.hpp>
#include <nephron/rle.hpp>

#include <host/labels/grey_map.hpp>
#include <host/labels/label_set.hpp>
#include <host/view/work_slots.hpp>

namespace nephron::host {

/// An object as the viewer shows it.
struct ViewObject {
  std::vector<Polygon> parts;  ///< in pixels of the picture that is viewed
  int class_index = 0;
  double confidence = -1;  ///< below 0: not known
  double iou = -1;         ///< with the true object that it has most in common with; below 0: not known
  std::int64_t pixels = 0;
  Runs runs;  ///< down the columns of the picture
  Region box;
};

/// The objects of one layer on one slide.
struct ObjectSet {
  std::vector<std::string> classes;
  std::vector<ViewObject> objects;
  std::vector<std::string> notes;
  Size picture;
  double unit = 1;  ///< vertices are given in these steps: 1 where they were traced, less where a file has fractions

  std::size_t bytes() const;
};

/// Objects of labels, traced where they are masks. Labels of another size than the picture's are scaled when they have
/// its proportions. Throws Error when they have not, Cancelled when `stop` says so.
ObjectSet object_set(const LabelSet& labels, Size picture, const Stop& stop);

/// Where it is not known yet, the confidence of an object: the highest probability of its class in it. `map_of` gives
/// null for a class without a map.
void add_confidence(ObjectSet& set, const std::function<std::shared_ptr<const GreyMap>(const std::string&)>& map_of,
                    const Stop& stop);

/// For each object, the intersection over union with the true object of its class that it shares most pixels with; 0
/// where it touches none.
void add_overlap(ObjectSet& found, const ObjectSet& truth, const Stop& stop);

/// {"classes", "unit", "notes", "objects": [[class, confidence, iou, pixels, [part, ...]], ...]}; a part is
/// [outline, hole, ...], and each of these [x, y, dx, dy, ...] in units, which leaves the object's by less than a
/// pixel.
std::string json_of(const ObjectSet& set);

}  // namespace nephron::host
