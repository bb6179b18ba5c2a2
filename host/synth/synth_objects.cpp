#include <host/synth/synth_objects.hpp>

#include <algorithm>
#include <iterator>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

struct Collector final : AnnotationSink {
  std::vector<std::vector<Polygon>> polygons;  ///< a class
  void polygon(int class_index, const Polygon& polygon) override {
    if (class_index == ignored) refuse("ignored pixels");
    polygons.at(static_cast<std::size_t>(class_index)).push_back(polygon);
  }
  void mask(const Region&, const ImageView&) override { refuse("masks"); }
  void runs(int, std::span<const Run>, bool) override { refuse("runs"); }
  void probability(int, const Region&, const ImageView&) override { refuse("probabilities"); }
  void ignore(const Region&, const ImageView&) override { refuse("ignored pixels"); }
  [[noreturn]] static void refuse(const std::string& what) {
    throw Error("the dataset annotates with " + what + "; expected polygons, which are written as QuPath exports do");
  }
};

/// A third of the outer ring's size about its middle. Whole pixels, as people draw them.
std::vector<Point> hole_of(const std::vector<Point>& ring) {
  Point middle;
  for (const Point& p : ring) middle.x += p.x, middle.y += p.y;
  middle.x /= static_cast<double>(ring.size()), middle.y /= static_cast<double>(ring.size());
  std::vector<Point> out;
  for (const Point& p : ring) {
    const Point q{static_cast<double>(static_cast<std::int64_t>(middle.x + (p.x - middle.x) / 3)),
                  static_cast<double>(static_cast<std::int64_t>(middle.y + (p.y - middle.y) / 3))};
    if (out.empty() || q.x != out.back().x || q.y != out.back().y) out.push_back(q);
  }
  return out;
}

}  // namespace

std::vector<AnnotatedObject> varied_objects(const Dataset& dataset, const SlideInfo& slide,
                                            const std::vector<std::string>& classes) {
  Collector all;
  all.polygons.resize(classes.size());
  dataset.annotate(slide, classes, all);
  std::vector<AnnotatedObject> out;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    auto& polygons = all.polygons[c];
    for (std::size_t i = 0; i < polygons.size(); ++i) {
      AnnotatedObject object;
      object.class_name = classes[c];
      const std::size_t parts = i % 4 == 1 && i + 1 < polygons.size() ? 2 : 1;
      if (i % 3 == 0 && polygons[i].size() == 1 && polygons[i].front().size() > 8)
        polygons[i].push_back(hole_of(polygons[i].front()));
      std::move(polygons.begin() + static_cast<std::ptrdiff_t>(i),
                polygons.begin() + static_cast<std::ptrdiff_t>(i + parts), std::back_inserter(object.parts));
      i += parts - 1;
      out.push_back(std::move(object));
    }
  }
  return out;
}

}  // namespace nephron::host
