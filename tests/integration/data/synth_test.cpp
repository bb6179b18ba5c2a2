// Slides written as files in the layouts of published data sets, and read again by the datasets that know them.
#include <unistd.h>

#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/geojson.hpp>

#include <host/data/prepared.hpp>
#include <host/slides/make_component.hpp>
#include <host/synth/slide_makers.hpp>
#include <host/synth/synth.hpp>
#include <host/util/files.hpp>
#include <tests/support/error_of.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SynthTest : public testing::Test {
 protected:
  SynthTest() : folder_(fs::temp_directory_path() / ("nephron_synth_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    request_.out = folder_ / "data";
    request_.slides = 4;
    request_.size = {640, 480};
    request_.params = table({{"radius", 40}, {"glomeruli", 25}});
  }
  ~SynthTest() override { fs::remove_all(folder_); }

  Experiment experiment(const std::string& type, Value params) const {
    Experiment e = synthetic_experiment();
    e.classes = {"healthy", "unhealthy"};
    e.data.factor = 1;
    params.set("root", request_.out.string());
    e.datasets[0].component = {type, std::move(params), {}};
    return e;
  }
  /// Pixels of slide i as they were painted.
  Image painted(std::size_t i) const {
    ComponentSpec maker = slide_maker(registry_, "", {6, request_.size, 3, request_.seed});
    maker.params.set("radius", 40), maker.params.set("glomeruli", 25);
    const auto d = make_component<Dataset>(registry_, maker, "dataset[0]", request_.seed);
    const auto slides = d->slides({"G", "FC"});
    Image out(slides.at(i).size, 3);
    d->open(slides[i])->read({0, 0, slides[i].size.width, slides[i].size.height}, out.view());
    return out;
  }
  static Image pixels(const PreparedSlide& slide, Image* labels = nullptr) {
    Image out(slide.size(), 3), bits(slide.size(), 1);
    slide.read({0, 0, slide.size().width, slide.size().height}, out.view(), bits.view());
    if (labels != nullptr) *labels = bits;
    return out;
  }
  static bool equal(const Image& a, const Image& b) {
    const auto n = static_cast<std::size_t>(a.size().area()) * static_cast<std::size_t>(a.view().channels);
    return a.size() == b.size() &&
           std::equal(a.view().row<std::uint8_t>(0), a.view().row<std::uint8_t>(0) + n, b.view().row<std::uint8_t>(0));
  }
  /// Painted slides are told apart by their pixels, as ids come in another order.
  std::size_t number_of(const PreparedSlide& slide) const {
    const Image there = pixels(slide);
    for (std::size_t i = 0; i < 6; ++i)
      if (equal(there, painted(i))) return i;
    return 99;
  }

  fs::path folder_;
  SynthRequest request_;
  Registry registry_ = plugins();
};

TEST_F(SynthTest, KagglesLayoutComesBackPixelByPixel) {
  const SynthOutcome outcome = write_synthetic(request_, registry_);
  EXPECT_EQ(outcome.written, 6);
  const Experiment e =
      experiment("hubmap_kaggle", table({{"part", "all"}, {"extra", (request_.out / "extra").string()}}));
  const PreparedData data = prepare(e, registry_);
  EXPECT_THAT(data.problems, testing::IsEmpty());
  ASSERT_EQ(data.slides.size(), 6U);
  std::set<std::size_t> numbers;
  int annotated = 0;
  for (const auto& slide : data.slides) {
    const std::size_t i = number_of(*slide);
    EXPECT_LT(i, 6U) << slide->info().source;
    numbers.insert(i);
    EXPECT_EQ(slide->annotated(), i < 4) << slide->info().source;
    EXPECT_EQ(slide->info().donor, "donor-" + std::to_string(i % 3));
    EXPECT_NEAR(slide->info().mpp, 0.9, 1e-3);
    if (!slide->annotated()) continue;
    ++annotated;
    EXPECT_GT(slide->catalog().foreground.at(0), 1000) << i;
  }
  EXPECT_EQ(numbers.size(), 6U);
  EXPECT_EQ(annotated, 4);
}

TEST_F(SynthTest, RunsAndPolygonsOfKagglesLayoutAgree) {
  write_synthetic(request_, registry_);
  const PreparedData runs = prepare(experiment("hubmap_kaggle", table({})), registry_);
  const PreparedData polygons = prepare(experiment("hubmap_kaggle", table({{"truth", "polygons"}})), registry_);
  ASSERT_EQ(runs.slides.size(), 4U);
  ASSERT_EQ(polygons.slides.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    Image a, b;
    pixels(*runs.slides[i], &a), pixels(*polygons.slides[i], &b);
    EXPECT_TRUE(equal(a, b)) << i;
    EXPECT_GT(runs.slides[i]->catalog().foreground.at(0), 1000);
  }
  std::size_t holes = 0, parts = 0;
  for (const auto& entry : fs::directory_iterator(request_.out / "train")) {
    if (entry.path().extension() != ".json") continue;
    for (const AnnotatedObject& object : read_geojson(entry.path()).objects) {
      parts += object.parts.size() - 1;
      for (const Polygon& part : object.parts) holes += part.size() - 1;
    }
  }
  EXPECT_GT(holes, 0U);
  EXPECT_GT(parts, 4U);  // more than the cortex of each slide
}

TEST_F(SynthTest, MendeleysAndThePortalsLayouts) {
  request_.layout = "portal";
  write_synthetic(request_, registry_);
  const PreparedData portal = prepare(experiment("hubmap_portal", table({})), registry_);
  EXPECT_THAT(portal.problems, testing::IsEmpty());
  ASSERT_EQ(portal.slides.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(number_of(*portal.slides[i]), i);
    EXPECT_EQ(portal.slides[i]->annotated(), i < 4);
    EXPECT_THAT(portal.slides[i]->info().donor, HasSubstr("VAN000"));
  }
  request_.layout = "mendeley";
  request_.out = folder_ / "mendeley";
  write_synthetic(request_, registry_);
  const PreparedData mendeley = prepare(experiment("mendeley", table({})), registry_);
  EXPECT_THAT(mendeley.problems, testing::IsEmpty());
  ASSERT_EQ(mendeley.slides.size(), 6U);
  for (const auto& slide : mendeley.slides) {
    EXPECT_EQ(slide->size(), (Size{640, 480}));
    EXPECT_EQ(slide->catalog().group, "external");
    EXPECT_NEAR(slide->info().mpp, 0.9, 1e-3);
  }
}

TEST_F(SynthTest, AnInterruptedCallIsRepeatedAndNothingIsOverwritten) {
  write_synthetic(request_, registry_);
  const fs::path csv = request_.out / "train.csv";
  const std::string before = read_file(csv);
  fs::path gone;
  for (const auto& entry : fs::directory_iterator(request_.out / "train"))
    if (entry.path().extension() == ".tiff") gone = entry.path();
  const std::string slide = read_file(gone);
  fs::remove(gone), fs::remove(csv);
  const SynthOutcome again = write_synthetic(request_, registry_);
  EXPECT_EQ(again.written, 1);
  EXPECT_EQ(again.kept, 5);
  EXPECT_EQ(read_file(csv), before);
  EXPECT_EQ(read_file(gone), slide);
  request_.seed = 2;
  try {
    write_synthetic(request_, registry_);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("holds something else already"));
  }
}

TEST_F(SynthTest, OnlyADatasetThatMakesSlidesWill) {
  const auto fault = [&](const Registry& from, const std::string& name) {
    return error_of([&] { (void)slide_maker(from, name, {}); });
  };
  EXPECT_EQ(slide_maker(registry_, "synthetic", {}).type, "synthetic");
  EXPECT_THAT(fault(registry_, "mendeley"),
              HasSubstr("dataset \"mendeley\" makes no slides of its own; those that do: \"synthetic\""));
  EXPECT_THAT(error_and_hint_of([&] { (void)slide_maker(registry_, "synthetik", {}); }),
              HasSubstr("did you mean \"synthetic\"?"));
  PluginSearch search{{NEPHRON_IMAGE_FOLDER}, {}};
  search.folders = false;
  const Registry none(search);
  EXPECT_THAT(fault(none, ""), HasSubstr("expected a plugin with one (SlideMaker)"));
  EXPECT_THAT(fault(none, "image_folder"), HasSubstr("no dataset that is installed does"));
}

// What a dataset plugin cannot read costs that slide alone.
TEST_F(SynthTest, ABrokenSlideIsNamedAndTheRestGoOn) {
  write_synthetic(request_, registry_);
  std::ofstream(request_.out / "train" / "broken.tiff") << "not a TIFF";
  Experiment e = experiment("hubmap_kaggle", table({}));
  e.data.most_lost = 0.5;
  const PreparedData data = prepare(e, registry_);
  EXPECT_EQ(data.slides.size(), 4U);
  ASSERT_EQ(data.problems.size(), 1U);
  EXPECT_THAT(data.problems[0], HasSubstr("broken.tiff"));
}

}  // namespace
}  // namespace nephron::host
