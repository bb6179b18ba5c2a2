#pragma once

#include <string>
#include <vector>

#include <nephron/labels.hpp>

#include <host/labels/label_set.hpp>

namespace nephron::host {

/// Takes a dataset's annotation as objects: polygons as they are, masks and runs traced. Probabilities count where they
/// exceed one half; ignored pixels are left out.
class ObjectSink final : public AnnotationSink {
 public:
  ObjectSink(Size slide, std::vector<std::string> classes);
  void polygon(int class_index, const Polygon& polygon) override;
  void mask(const Region& region, const ImageView& labels) override;
  void runs(int class_index, std::span<const Run> runs, bool column_major) override;
  void probability(int class_index, const Region& region, const ImageView& map) override;
  void ignore(const Region& region, const ImageView& pixels) override;

  LabelSet labels() const;

 private:
  void add(int class_index, const Runs& of_region, const Region& region);

  Size slide_;
  std::vector<std::string> classes_;
  std::vector<AnnotatedObject> objects_;
  std::vector<Runs> masks_;  ///< a class
  bool ignores_ = false;
};

}  // namespace nephron::host
