#include <algorithm>

#include <nephron/dataset.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/slide_maker.hpp>

#include "painter.hpp"
#include "scene.hpp"

namespace synthetic {

using nephron::Error;
using nephron::SlideInfo;

struct Params {
  int slides = 4;
  std::array<std::int64_t, 2> size{2048, 2048};
  std::int64_t seed = 1;
  int donors = 2;
  double glomeruli = 4.5;
  double sclerotic = 0.25;
  double radius = 105;
  double stain = 1;
  std::string healthy_class;
  std::string sclerotic_class;
  std::string annotation = "polygons";

  static void describe(nephron::Schema<Params>& s) {
    s.field("slides", &Params::slides, "number of slides").range(1, 10000);
    s.field("size", &Params::size, "width and height of a slide").range(64, 200000).unit("px");
    s.field("seed", &Params::seed, "another seed makes other slides");
    s.field("donors", &Params::donors, "number of donors; each has a stain of its own").range(1, 10000);
    s.field("glomeruli", &Params::glomeruli, "wanted a megapixel of tissue").range(0, 30);
    s.field("sclerotic", &Params::sclerotic, "share of glomeruli that are sclerotic").range(0, 1);
    s.field("radius", &Params::radius, "mean radius of a healthy glomerulus").range(20, 500).unit("px");
    s.field("stain", &Params::stain, "how much the stain differs from donor to donor; 0: not at all").range(0, 2);
    s.field("healthy_class", &Params::healthy_class, "class of healthy glomeruli; empty: the first");
    s.field("sclerotic_class", &Params::sclerotic_class,
            "class of sclerotic ones; empty: the second, or the first of one");
    s.field("annotation", &Params::annotation, "how labels are given to the host").choices({"polygons", "mask"});
  }
};

namespace {

class PaintedSlide final : public nephron::SlideReader {
 public:
  PaintedSlide(std::string id, Scene scene, Stain stain)
      : id_(std::move(id)), scene_(std::move(scene)), stain_(stain) {}
  nephron::Size size() const noexcept override { return scene_.size(); }
  void read(const nephron::Region& r, const nephron::ImageView& out) const override {
    if (r.empty() || r.clipped({0, 0, size().width, size().height}) != r || out.size() != r.size())
      throw Error("slide \"" + id_ + "\": the region " + std::to_string(r.width) + " x " + std::to_string(r.height) +
                  " at (" + std::to_string(r.x) + ", " + std::to_string(r.y) +
                  ") is not inside the slide, or not of the picture's size");
    paint(scene_, stain_, r, out);
  }

 private:
  std::string id_;
  Scene scene_;
  Stain stain_;
};

/// The rest of the slide stays 0.
void annotate_mask(const Object& o, int class_index, nephron::Size slide, nephron::AnnotationSink& sink) {
  const auto reach = static_cast<std::int64_t>(o.reach()) + 2;
  const auto cx = static_cast<std::int64_t>(o.x), cy = static_cast<std::int64_t>(o.y);
  const nephron::Region box =
      nephron::Region{cx - reach, cy - reach, 2 * reach, 2 * reach}.clipped({0, 0, slide.width, slide.height});
  if (box.empty()) return;
  const nephron::Image bits(box.size(), 1, nephron::label_depth(class_index + 1));
  nephron::with_label_type(bits.view().depth, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t y = 0; y < box.height; ++y)
      for (std::int64_t x = 0; x < box.width; ++x)
        if (o.depth(static_cast<float>(box.x + x), static_cast<float>(box.y + y)) < 1)
          bits.view().row<T>(y)[x] = static_cast<T>(1U << class_index);
  });
  sink.mask(box, bits.view());
}

}  // namespace

class Synthetic final : public nephron::Dataset, public nephron::SlideMaker {
 public:
  explicit Synthetic(const Params& params) : params_(params) {}

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    class_of(Sort::healthy, classes), class_of(Sort::sclerotic, classes);
    std::vector<SlideInfo> out;
    for (int i = 0; i < params_.slides; ++i) {
      SlideInfo info;
      info.id = "synthetic-" + std::string(i < 10 ? "0" : "") + std::to_string(i);
      info.size = {params_.size[0], params_.size[1]};
      info.mpp = 0.9;
      info.donor = "donor-" + std::to_string(i % params_.donors);
      out.push_back(info);
    }
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const SlideInfo& slide) const override {
    const nephron::Rng rng(seed(), slide.donor);
    return std::make_unique<PaintedSlide>(slide.id, scene_of(slide), Stain(rng, params_.stain));
  }

  bool annotated(const SlideInfo&) const override { return true; }

  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                nephron::AnnotationSink& sink) const override {
    const Scene scene = scene_of(slide);
    for (const Object& o : scene.objects()) {
      if (o.sort == Sort::vessel) continue;
      if (params_.annotation == "mask") annotate_mask(o, class_of(o.sort, classes), scene.size(), sink);
      else sink.polygon(class_of(o.sort, classes), o.outline());
    }
  }

  nephron::Value params_for(const Request& request) const override {
    nephron::Value out{nephron::Value::Table{}};
    out.set("slides", request.slides);
    out.set("size", nephron::Value::Array{request.size.width, request.size.height});
    out.set("donors", request.donors);
    out.set("seed", static_cast<std::int64_t>(request.seed));
    return out;
  }

 private:
  std::uint64_t seed() const { return static_cast<std::uint64_t>(params_.seed); }

  Scene scene_of(const SlideInfo& slide) const {
    return Scene({slide.size, params_.glomeruli, params_.sclerotic, params_.radius}, nephron::Rng(seed(), slide.id));
  }

  int class_of(Sort sort, const std::vector<std::string>& classes) const {
    const std::string& name = sort == Sort::healthy ? params_.healthy_class : params_.sclerotic_class;
    if (name.empty()) return sort == Sort::sclerotic && classes.size() > 1 ? 1 : 0;
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end())
      throw Error("class \"" + name + "\" is not one of the experiment's classes",
                  "did you mean \"" + nephron::nearest(name, classes) + "\"?");
    return static_cast<int>(found - classes.begin());
  }

  Params params_;
};

NEPHRON_PLUGIN("synthetic", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, Synthetic, "synthetic",
                  "Procedural PAS kidney slides: tubules, vessels, healthy and sclerotic glomeruli, exact labels")

}  // namespace synthetic
