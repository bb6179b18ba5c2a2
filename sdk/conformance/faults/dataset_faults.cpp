#include <cstdlib>
#include <memory>

#include <nephron/dataset.hpp>
#include <nephron/slide_maker.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

void paint(const Region& region, const ImageView& out, std::int64_t x0, std::int64_t y0) {
  for (std::int64_t y = 0; y < region.height; ++y)
    for (std::int64_t x = 0; x < 3 * region.width; ++x)
      out.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(7 * (3 * x0 + x) + 13 * (y0 + y));
}

class GoodReader : public SlideReader {
 public:
  explicit GoodReader(Size size) : size_(size) {}
  Size size() const noexcept override { return size_; }
  void read(const Region& region, const ImageView& out) const override {
    if (region.clipped({0, 0, size_.width, size_.height}) != region) throw Error("the region leaves the slide");
    paint(region, out, region.x, region.y);
  }

 private:
  Size size_;
};

class GoodDataset : public Dataset {
 public:
  std::vector<SlideInfo> slides(const std::vector<std::string>&) const override {
    SlideInfo one, two;
    one.id = "one", one.size = {300, 200};
    two.id = "two", two.size = {128, 257};
    return {one, two};
  }
  std::unique_ptr<SlideReader> open(const SlideInfo& slide) const override {
    return std::make_unique<GoodReader>(slide.size);
  }
  bool annotated(const SlideInfo& slide) const override { return slide.id == "one"; }
  void annotate(const SlideInfo& slide, const std::vector<std::string>&, AnnotationSink& sink) const override {
    if (slide.id == "one") sink.polygon(0, {{{1, 1}, {20, 1}, {20, 30}}});
  }
};

class SaysNothingOfTheSecond final : public GoodDataset {
 public:
  bool annotated(const SlideInfo&) const override { return true; }
};

struct MakerParams {
  int slides = 2;
  std::array<std::int64_t, 2> size{300, 200};
  int donors = 1;
  int seed = 1;
  static void describe(Schema<MakerParams>& s) {
    s.field("slides", &MakerParams::slides, "number of slides").range(1, 100);
    s.field("size", &MakerParams::size, "of a slide").range(32, 10000);
    s.field("donors", &MakerParams::donors, "number of donors").range(1, 100);
    s.field("seed", &MakerParams::seed, "another seed, other slides");
  }
};

class ShiftedReader final : public GoodReader {
 public:
  ShiftedReader(Size size, int shift) : GoodReader(size), shift_(shift) {}
  void read(const Region& region, const ImageView& out) const override {
    GoodReader::read(region, out);
    paint(region, out, region.x + shift_, region.y);
  }

 private:
  int shift_;
};

class MakesSlides : public Dataset, public SlideMaker {
 public:
  explicit MakesSlides(const MakerParams& params) : params_(params) {}
  std::vector<SlideInfo> slides(const std::vector<std::string>&) const override {
    std::vector<SlideInfo> out(static_cast<std::size_t>(params_.slides));
    for (int i = 0; i < params_.slides; ++i) {
      SlideInfo& slide = out[static_cast<std::size_t>(i)];
      slide.id = std::to_string(i), slide.donor = std::to_string(i % params_.donors);
      slide.size = {params_.size[0], params_.size[1]};
    }
    return out;
  }
  std::unique_ptr<SlideReader> open(const SlideInfo& slide) const override {
    return std::make_unique<ShiftedReader>(slide.size, params_.seed);
  }
  bool annotated(const SlideInfo&) const override { return true; }
  void annotate(const SlideInfo&, const std::vector<std::string>&, AnnotationSink& sink) const override {
    sink.polygon(0, {{{1, 1}, {20, 1}, {20, 30}}});
  }
  Value params_for(const Request& request) const override {
    Value out{Value::Table{}};
    out.set("slides", request.slides), out.set("donors", request.donors),
        out.set("seed", static_cast<int>(request.seed));
    out.set("size", Value::Array{request.size.width, request.size.height});
    return out;
  }

 private:
  MakerParams params_;
};

class ForgetsTheSeed final : public MakesSlides {
 public:
  using MakesSlides::MakesSlides;
  Value params_for(const Request& request) const override {
    return MakesSlides::params_for({request.slides, request.size, request.donors, 1});
  }
};

class MakesOneTooFew final : public MakesSlides {
 public:
  using MakesSlides::MakesSlides;
  Value params_for(const Request& request) const override {
    return MakesSlides::params_for({request.slides - 1, request.size, request.donors, request.seed});
  }
};

/// The good dataset with another reader.
template <class Reader>
class Opening final : public GoodDataset {
 public:
  std::unique_ptr<SlideReader> open(const SlideInfo& slide) const override {
    return std::make_unique<Reader>(slide.size);
  }
};

class TheSameIdTwice final : public GoodDataset {
 public:
  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    std::vector<SlideInfo> out = GoodDataset::slides(classes);
    out[1].id = out[0].id;
    return out;
  }
};

class AnotherOrderEachTime final : public GoodDataset {
 public:
  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    std::vector<SlideInfo> out = GoodDataset::slides(classes);
    if (calls_++ % 2 == 1) std::swap(out[0], out[1]);
    return out;
  }

 private:
  mutable std::atomic<int> calls_ = 0;
};

class StartsAtTheRegion final : public GoodReader {
 public:
  using GoodReader::GoodReader;
  void read(const Region& region, const ImageView& out) const override {
    GoodReader::read(region, out);
    paint(region, out, 0, 0);
  }
};

class ForgetsX final : public GoodReader {
 public:
  using GoodReader::GoodReader;
  void read(const Region& region, const ImageView& out) const override {
    GoodReader::read(region, out);
    paint(region, out, 0, region.y);
  }
};

class FillsWholeRows final : public GoodReader {
 public:
  using GoodReader::GoodReader;
  void read(const Region& region, const ImageView& out) const override {
    GoodReader::read(region, out);
    out.row<std::uint8_t>(0)[3 * region.width] = 0;  // one pixel too many
  }
};

class ServesAnything final : public GoodReader {
 public:
  using GoodReader::GoodReader;
  void read(const Region& region, const ImageView& out) const override { paint(region, out, region.x, region.y); }
};

class KeepsItsRegion final : public GoodReader {
 public:
  using GoodReader::GoodReader;
  void read(const Region& region, const ImageView& out) const override {
    GoodReader::read(region, out);
    const Region kept = scratch_.through(region);
    paint(region, out, kept.x, kept.y);
  }

 private:
  mutable SharedScratch<Region> scratch_;
};

class OneClassTooMany final : public GoodDataset {
 public:
  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes, AnnotationSink& sink) const override {
    if (slide.id == "one") sink.polygon(static_cast<int>(classes.size()), {{{1, 1}, {20, 1}, {20, 30}}});
  }
};

class RunPastTheEnd final : public GoodDataset {
 public:
  void annotate(const SlideInfo& slide, const std::vector<std::string>&, AnnotationSink& sink) const override {
    const Run run{slide.size.area() - 1, 2};
    if (slide.id == "one") sink.runs(0, {&run, 1}, true);
  }
};

class RuleForOneClass final : public GoodDataset {
 public:
  std::vector<ChannelRule> targets(const std::vector<std::string>&) const override { return {ChannelRule{}}; }
};

/// The number of a class in place of its bit.
class NumbersForBits final : public GoodDataset {
 public:
  std::vector<ChannelRule> targets(const std::vector<std::string>& classes) const override {
    std::vector<ChannelRule> out(classes.size());
    for (std::size_t c = 0; c < out.size(); ++c) out[c].any_of = static_cast<std::uint32_t>(c);
    return out;
  }
};

class CallsRand final : public GoodDataset {
 public:
  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes, AnnotationSink& sink) const override {
    static_cast<void>(std::rand());
    GoodDataset::annotate(slide, classes, sink);
  }
};

/// Vertices as fractions of the slide's size would be inside; these are of a level that was twice as large.
class PolygonsOfAnotherLevel final : public GoodDataset {
 public:
  void annotate(const SlideInfo& slide, const std::vector<std::string>&, AnnotationSink& sink) const override {
    if (slide.id == "one") sink.polygon(0, {{{400, 300}, {460, 300}, {460, 380}}});
  }
};

/// 255 where there is something: all bits of all classes.
class MaskOf255 final : public GoodDataset {
 public:
  void annotate(const SlideInfo& slide, const std::vector<std::string>&, AnnotationSink& sink) const override {
    if (slide.id != "one") return;
    Image mask({4, 4}, 1);
    mask.view().row<std::uint8_t>(1)[1] = 255;
    sink.mask({10, 10, 4, 4}, mask.view());
  }
};

class SaysYesAndNothing final : public GoodDataset {
 public:
  void annotate(const SlideInfo&, const std::vector<std::string>&, AnnotationSink&) const override {}
};

}  // namespace

Subject dataset_to_note() { return subject_of<Dataset, SaysNothingOfTheSecond>("says_nothing_of_the_second"); }

Fixture dataset_fixture() {
  return {
      {subject_of<Dataset, GoodDataset>("good"), subject_of<Dataset, MakesSlides>("makes_slides")},
      {
          {"slides", "two slides have the id \"one\"", subject_of<Dataset, TheSameIdTwice>("same_id_twice")},
          {"slides", "another list or order", subject_of<Dataset, AnotherOrderEachTime>("another_order")},
          {"reading", "differs from the same part",
           subject_of<Dataset, Opening<StartsAtTheRegion>>("starts_at_the_region")},
          {"reading", "show other pixels where they overlap", subject_of<Dataset, Opening<ForgetsX>>("forgets_x")},
          {"reading", "writes outside the view", subject_of<Dataset, Opening<FillsWholeRows>>("one_pixel_too_many")},
          {"outside", "without a word", subject_of<Dataset, Opening<ServesAnything>>("serves_anything")},
          {"threads", "from several threads at once", subject_of<Dataset, Opening<KeepsItsRegion>>("shared_scratch")},
          {"annotation", "lie wholly outside it",
           subject_of<Dataset, PolygonsOfAnotherLevel>("polygons_of_another_level")},
          {"annotation", "a mask has bit 7 set", subject_of<Dataset, MaskOf255>("mask_of_255")},
          {"annotation", "annotate() says nothing of any", subject_of<Dataset, SaysYesAndNothing>("says_nothing")},
          {"annotation", "class index 2 of 2", subject_of<Dataset, OneClassTooMany>("one_class_too_many")},
          {"annotation", "a run leaves the slide", subject_of<Dataset, RunPastTheEnd>("run_past_the_end")},
          {"annotation", "1 rules for 2 classes", subject_of<Dataset, RuleForOneClass>("rule_for_one_class")},
          {"annotation", "gives class \"healthy\" no label", subject_of<Dataset, NumbersForBits>("numbers_for_bits")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Dataset, CallsRand>("calls_rand")},
          {"made_up", "another seed makes the same slides", subject_of<Dataset, ForgetsTheSeed>("forgets_the_seed")},
          {"made_up", "5 slides were asked for, and there are 4", subject_of<Dataset, MakesOneTooFew>("one_too_few")},
      }};
}

}  // namespace nephron::conformance
