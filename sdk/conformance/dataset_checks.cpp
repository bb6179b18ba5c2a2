#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include <nephron/dataset.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/slide_maker.hpp>

#include <conformance/bench.hpp>
#include <conformance/kind_checks.hpp>
#include <conformance/overlaps.hpp>

namespace nephron::conformance {

namespace {

constexpr std::size_t most_slides = 3;  // opened a check: datasets may be large
constexpr std::int64_t patch = 64;

bool equal(const SlideInfo& a, const SlideInfo& b) {
  return a.id == b.id && a.size == b.size && a.mpp == b.mpp && a.donor == b.donor && a.group == b.group &&
         a.source == b.source;
}

std::vector<SlideInfo> few(const Subject& s, const Dataset& dataset) {
  std::vector<SlideInfo> slides = dataset.slides(s.classes);
  if (slides.empty()) throw Skipped("it lists no slides with these parameters");
  if (slides.size() > most_slides) slides.resize(most_slides);
  return slides;
}

void check_slides(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  const auto other = s.make<Dataset>(context);
  const std::vector<SlideInfo> slides = dataset->slides(s.classes);
  std::set<std::string> ids;
  for (const SlideInfo& slide : slides) {
    expect(!slide.id.empty(), "a slide has no id");
    expect(slide.id.find('/') == std::string::npos && slide.id != "." && slide.id != "..",
           [&] { return "slide id \"" + slide.id + "\" cannot be a file name"; });
    expect(ids.insert(slide.id).second, [&] { return "two slides have the id \"" + slide.id + "\""; });
    expect(!slide.size.empty(), [&] { return "slide \"" + slide.id + "\" has no size"; });
    expect(std::isfinite(slide.mpp) && slide.mpp >= 0,
           [&] { return "slide \"" + slide.id + "\" has an impossible number of microns per pixel"; });
  }
  for (const auto& d : {dataset, other}) {
    const std::vector<SlideInfo> again = d->slides(s.classes);
    expect(std::equal(slides.begin(), slides.end(), again.begin(), again.end(), equal),
           "asked again, slides() gives another list or order");
  }
}

constexpr std::int64_t rim = 3;

/// A region of the slide, read into the middle of a larger picture, so that what writes beside its view harms nobody.
Image read_onto_canvas(const SlideReader& reader, const Region& region) {
  Image canvas({region.width + 2 * rim, region.height + 2 * rim}, 3);
  std::memset(canvas.view().data, 0xA5, static_cast<std::size_t>(canvas.view().stride * canvas.view().height));
  reader.read(region, canvas.view().crop({rim, rim, region.width, region.height}));
  return canvas;
}

Image middle_of(const Image& canvas) {
  Image out({canvas.size().width - 2 * rim, canvas.size().height - 2 * rim}, 3);
  copy(canvas.view().crop({rim, rim, out.size().width, out.size().height}), out.view());
  return out;
}

Image read(const SlideReader& reader, const Region& region) { return middle_of(read_onto_canvas(reader, region)); }

/// As read(), where the rim must stay as it is.
Image read_within_view(const SlideReader& reader, const Region& region, const SlideInfo& slide) {
  const Image canvas = read_onto_canvas(reader, region);
  for (std::int64_t y = 0; y < canvas.size().height; ++y)
    for (std::int64_t x = 0; x < canvas.size().width * 3; ++x) {
      const bool inside = y >= rim && y < rim + region.height && x >= 3 * rim && x < 3 * (rim + region.width);
      expect(inside || canvas.view().row<std::uint8_t>(y)[x] == 0xA5,
             [&] { return "reading slide \"" + slide.id + "\" writes outside the view that it is given"; });
    }
  return middle_of(canvas);
}

/// Corners and middle.
std::vector<Region> places(Size size) {
  const std::int64_t w = std::min(patch, size.width);
  const std::int64_t h = std::min(patch, size.height);
  return {{0, 0, w, h},
          {size.width - w, size.height - h, w, h},
          {(size.width - w) / 2, (size.height - h) / 2, w, h},
          {size.width - 1, 0, 1, 1}};
}

void check_reading(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  for (const SlideInfo& slide : few(s, *dataset)) {
    const auto reader = dataset->open(slide);
    expect(reader != nullptr, [&] { return "open() of slide \"" + slide.id + "\" gave no reader"; });
    expect(reader->size() == slide.size, [&] { return "slide \"" + slide.id + "\" has another size when it is open"; });
    for (const Region& r : places(slide.size)) {
      const Image whole = read_within_view(*reader, r, slide);
      for (const Region& other : overlaps_of(r, slide.size))
        expect(same_where_both({read(*reader, other), other}, {whole, r}), [&] {
          return "slide \"" + slide.id +
                 "\": a part that is read alone differs from the same part of a larger region: " + text_of(other) +
                 " and " + text_of(r) + " show other pixels where they overlap";
        });
      expect(same_pixels(read(*dataset->open(slide), r).view(), whole.view()),
             [&] { return "slide \"" + slide.id + "\": opened again, it has other pixels"; });
    }
  }
}

void check_outside(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  const SlideInfo slide = few(s, *dataset).front();
  const auto reader = dataset->open(slide);
  const Image out({8, 8}, 3);
  for (const Region& r :
       {Region{slide.size.width - 4, 0, 8, 8}, Region{-4, 0, 8, 8}, Region{0, slide.size.height, 8, 8}}) {
    bool refused = false;
    try {
      reader->read(r, out.view());
    } catch (const std::exception&) {
      refused = true;
    }
    expect(refused,
           [&] { return "a region that leaves slide \"" + slide.id + "\" is read without a word; expected an Error"; });
  }
}

void check_threads(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  const SlideInfo slide = few(s, *dataset).front();
  const auto reader = dataset->open(slide);
  const std::vector<Region> regions = places(slide.size);
  std::vector<Image> serial;
  for (const Region& r : regions) serial.push_back(read(*reader, r));
  on_threads(4, [&](std::size_t t) {
    for (std::size_t k = 0; k < 8; ++k) {
      const std::size_t i = (k + t) % regions.size();
      expect(same_pixels(read(*reader, regions[i]).view(), serial[i].view()),
             "reads from several threads at once give other pixels than one after the other");
    }
  });
}

/// Counts what is said, and refuses what the host could not draw.
class CheckingSink final : public AnnotationSink {
 public:
  CheckingSink(const SlideInfo& slide, std::size_t classes) : slide_(slide), classes_(classes) {}
  void polygon(int class_index, const Polygon& polygon) override {
    one_or_ignored(class_index);
    double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (const auto& ring : polygon)
      for (const Point& p : ring) {
        expect(std::isfinite(p.x) && std::isfinite(p.y), "a polygon has a vertex that is not finite");
        left = std::min(left, p.x), right = std::max(right, p.x), top = std::min(top, p.y),
        bottom = std::max(bottom, p.y);
      }
    ++polygons;
    const auto width = static_cast<double>(slide_.size.width), height = static_cast<double>(slide_.size.height);
    if (right < 0 || bottom < 0 || left > width || top > height) ++polygons_outside;
  }
  void mask(const Region& region, const ImageView& labels) override {
    ++said;
    require_inside(region);
    expect(labels.size() == region.size() && labels.channels == 1 && is_label_depth(labels.depth),
           "a mask is not u8, u16 or u32 with one channel, of its region's size");
    std::uint32_t bits = 0;
    with_label_type(labels.depth, [&](auto zero) {
      for (std::int64_t y = 0; y < labels.height; ++y)
        for (std::int64_t x = 0; x < labels.width; ++x) bits |= labels.row<const decltype(zero)>(y)[x];
    });
    expect((bits & ~first_bits(static_cast<int>(classes_))) == 0, [&] {
      return "a mask has bit " + std::to_string(std::bit_width(bits) - 1) + " set, and there are " +
             std::to_string(classes_) + " classes: bit c of a pixel is class c (a mask of 0 and 255 sets all eight)";
    });
  }
  void runs(int class_index, std::span<const Run> runs, bool) override {
    one_or_ignored(class_index);
    for (const auto& [start, length] : runs)
      expect(start >= 0 && length >= 0 && start <= slide_.size.area() && length <= slide_.size.area() - start,
             "a run leaves the slide");
  }
  void probability(int class_index, const Region& region, const ImageView& map) override {
    one(class_index);
    require_inside(region);
    expect(map.size() == region.size() && map.channels == 1 && map.depth == Depth::f32,
           "a probability map is not f32 with one channel, of its region's size");
  }
  void ignore(const Region& region, const ImageView& pixels) override {
    ++said;
    require_inside(region);
    expect(pixels.size() == region.size() && pixels.channels == 1 && pixels.depth == Depth::u8,
           "a mask of ignored pixels is not u8 with one channel, of its region's size");
  }
  int said = 0, polygons = 0, polygons_outside = 0;

 private:
  void one_or_ignored(int class_index) {
    if (class_index == ignored) ++said;
    else one(class_index);
  }
  void one(int class_index) {
    ++said;
    expect(class_index >= 0 && class_index < static_cast<int>(classes_), [&] {
      return "an annotation has class index " + std::to_string(class_index) + " of " + std::to_string(classes_) +
             " classes";
    });
  }
  void require_inside(const Region& r) const {
    expect(r.clipped({0, 0, slide_.size.width, slide_.size.height}) == r, "a mask or map leaves the slide");
  }
  const SlideInfo& slide_;
  std::size_t classes_;
};

void check_annotation(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  int annotated = 0, said = 0;
  std::string silent;
  for (const SlideInfo& slide : few(s, *dataset)) {
    CheckingSink first(slide, s.classes.size()), second(slide, s.classes.size());
    dataset->annotate(slide, s.classes, first);
    dataset->annotate(slide, s.classes, second);
    expect(first.said == second.said,
           [&] { return "slide \"" + slide.id + "\" is annotated otherwise when asked again"; });
    expect(dataset->annotated(slide) || first.said == 0,
           [&] { return "slide \"" + slide.id + "\" has an annotation, but annotated() says no"; });
    expect(2 * first.polygons_outside <= first.polygons, [&] {
      return std::to_string(first.polygons_outside) + " of " + std::to_string(first.polygons) +
             " polygons of slide \"" + slide.id + "\" lie wholly outside it (" + std::to_string(slide.size.width) +
             " x " + std::to_string(slide.size.height) + " px); are they in pixels of level 0, x before y?";
    });
    annotated += dataset->annotated(slide) ? 1 : 0;
    if (dataset->annotated(slide) && first.said == 0) silent = slide.id;
    said += first.said;
  }
  // One slide may well hold nothing; all of them hardly.
  expect(annotated == 0 || said > 0, [&] {
    return "annotated() says yes for " + std::to_string(annotated) +
           " of the slides that were looked at, and annotate() says nothing of any";
  });
  const std::vector<ChannelRule> rules = dataset->targets(s.classes);
  expect(rules.size() == s.classes.size(), [&] {
    return "targets() gives " + std::to_string(rules.size()) + " rules for " + std::to_string(s.classes.size()) +
           " classes";
  });
  for (std::size_t c = 0; c < rules.size(); ++c) {
    const ChannelRule& r = rules[c];
    expect(std::isfinite(r.weight) && r.weight >= 0, "targets() gives a weight that is negative or not finite");
    expect(r.weight == 0 || (r.any_of & ~r.none_of) != 0, [&] {
      return "targets() gives class \"" + s.classes[c] + "\" no label (any_of " + std::to_string(r.any_of) +
             ", none_of " + std::to_string(r.none_of) +
             "): no pixel would ever be a target of it; label c is bit c, 1U << c, and a weight of 0 leaves a class "
             "out";
    });
  }
  if (!silent.empty())
    throw Noted(
        "annotated() says yes of slide \"" + silent +
        "\", and annotate() says nothing: right where somebody looked and found nothing, wrong where nobody did");
}

class SilentSink final : public AnnotationSink {
 public:
  void polygon(int, const Polygon&) override {}
  void mask(const Region&, const ImageView&) override {}
  void runs(int, std::span<const Run>, bool) override {}
  void probability(int, const Region&, const ImageView&) override {}
  void ignore(const Region&, const ImageView&) override {}
};

void check_randomness(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  RandomWatch watch;
  for (const SlideInfo& slide : few(s, *dataset)) {
    SilentSink sink;
    read(*dataset->open(slide), places(slide.size).front());
    dataset->annotate(slide, s.classes, sink);
  }
  watch.require_untouched();
}

/// Takes polygons alone, as what writes made-up slides to files does.
struct PolygonSink final : AnnotationSink {
  void polygon(int, const Polygon&) override {}
  void mask(const Region&, const ImageView&) override { refuse(); }
  void runs(int, std::span<const Run>, bool) override { refuse(); }
  void probability(int, const Region&, const ImageView&) override { refuse(); }
  void ignore(const Region&, const ImageView&) override { refuse(); }
  [[noreturn]] static void refuse() { throw Failed("slides that are made up are annotated with more than polygons"); }
};

void check_made_up(const Subject& s) {
  BenchContext context(s);
  const auto dataset = s.make<Dataset>(context);
  const auto* maker = dynamic_cast<const SlideMaker*>(dataset.get());
  if (maker == nullptr) throw Skipped("it makes no slides of its own");
  const SlideMaker::Request request{5, {320, 200}, 2, 7};
  Subject asked = s;
  asked.params = maker->params_for(request);
  const auto made = asked.make<Dataset>(context);
  const std::vector<SlideInfo> slides = made->slides(s.classes);
  expect(slides.size() == 5, [&] { return "5 slides were asked for, and there are " + std::to_string(slides.size()); });
  std::set<std::string> donors;
  for (const SlideInfo& slide : slides) {
    expect(slide.size == request.size,
           [&] { return "slide \"" + slide.id + "\" has another size than was asked for"; });
    donors.insert(slide.donor);
  }
  expect(donors.size() == 2, [&] { return "2 donors were asked for, and there are " + std::to_string(donors.size()); });
  PolygonSink sink;
  made->annotate(slides.front(), s.classes, sink);
  asked.params = maker->params_for({request.slides, request.size, request.donors, 8});
  const auto other = asked.make<Dataset>(context);
  const Region all{0, 0, request.size.width, request.size.height};
  expect(!same_pixels(read(*made->open(slides.front()), all).view(),
                      read(*other->open(other->slides(s.classes).front()), all).view()),
         "another seed makes the same slides");
}

}  // namespace

std::vector<Check> dataset_checks() {
  return {
      {"slides", "slides() is stable; ids are unique, sizes positive", &check_slides},
      {"reading", "regions agree with each other and stay inside their view", &check_reading},
      {"outside", "a region that leaves the slide is refused", &check_outside},
      {"threads", "reads at once give what reads in turn give", &check_threads},
      {"annotation", "annotations are stable, inside, and of the experiment's classes", &check_annotation},
      {"randomness", "no random numbers come from outside", &check_randomness},
      {"made_up", "slides that are made up are as many, as large and of as many donors as asked", &check_made_up},
  };
}

}  // namespace nephron::conformance
