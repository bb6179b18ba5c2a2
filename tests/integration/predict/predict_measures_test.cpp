// What `nephron predict` measures of pictures whose truth is known, and the objects of all pictures in one file.
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/csv.hpp>
#include <nephron/image_cv.hpp>

#include <host/labels/coco.hpp>
#include <tests/integration/predict/predict_fixture.hpp>
#include <tests/support/small_disk.hpp>

namespace nephron::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json json_of(const fs::path& file) { return nlohmann::json::parse(read_file(file)); }

TEST_F(Predict, MetricsAreThoseOfThePixels) {
  // Truths that are not what the network says: its upper half alone.
  for (const char* id : {"a", "b", "c"}) {
    const fs::path file = root / "masks" / (std::string(id) + ".png");
    const Image mask = read_mask(file);
    for (std::int64_t y = mask.size().height / 2; y < mask.size().height; ++y)
      std::fill_n(mask.view().row<std::uint8_t>(y), mask.size().width, std::uint8_t{0});
    save_png(file, mask.view());
  }
  fs::remove(root / "masks/c.png");
  const Outcome outcome =
      predict(masks() + "--device cpu --metrics dice,brier,boundary,objects_typo --set boundary.unit=px");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.text, HasSubstr("objects_typo"));
  const std::string how =
      "--device cpu --metrics dice,brier,boundary,counts --set boundary.unit=px --set boundary.tau=[1,3]";
  const Outcome good = predict(masks() + how);
  ASSERT_EQ(good.code, 0) << good.text;
  EXPECT_THAT(good.text, AllOf(HasSubstr("nsd@3px"), HasSubstr("brier")));
  const auto scores = json_of(root / "out/scores.json");
  double squares = 0, pixels = 0;
  for (const char* id : {"a", "b"}) {
    const auto& picture = scores["pictures"][id];
    EXPECT_NEAR(picture["values"]["glomerulus"]["dice"].get<double>(),
                picture["dice_reduced"]["glomerulus"].get<double>(), 1e-6);
    const Image image = read_picture(root / "images" / (std::string(id) + ".png")),
                mask = read_mask(root / "masks" / (std::string(id) + ".png"));
    double own = 0;
    for (std::int64_t y = 0; y < image.size().height; ++y)
      for (std::int64_t x = 0; x < image.size().width; ++x) {
        const double off = static_cast<double>(expected(image.view().row<std::uint8_t>(y)[3 * x])) -
                           (mask.view().row<std::uint8_t>(y)[x] != 0 ? 1 : 0);
        own += off * off;
      }
    const auto area = static_cast<double>(image.size().area());
    EXPECT_NEAR(picture["values"]["glomerulus"]["brier"].get<double>(), own / area, 1e-5);
    squares += own, pixels += area;
  }
  EXPECT_FALSE(scores["pictures"].contains("c"));
  bool pooled = false;
  for (const auto& value : scores["values"])
    if (value["name"] == "brier") {
      pooled = true;
      EXPECT_NEAR(value["value"].get<double>(), squares / pixels, 1e-5);
      EXPECT_EQ(value["slides"], 2);
    }
  EXPECT_TRUE(pooled);
  const CsvTable slides = CsvTable::read(root / "out/slides.csv");
  ASSERT_EQ(slides.rows(), 2U);
  EXPECT_EQ(slides.cell(0, slides.column("picture_sha256")),
            scores["pictures"]["a"]["digests"]["picture"].get<std::string>());
  EXPECT_GT(CsvTable::read(root / "out/objects.csv").rows(), 0U);
  EXPECT_THAT(predict(masks() + "--device cpu --continue").text, HasSubstr("another metrics"));
  EXPECT_THAT(predict(masks() + "--device cpu --continue --metrics dice").text, HasSubstr("another metrics"));
  EXPECT_EQ(predict(masks() + how + " --continue").code, 0);
  EXPECT_EQ(json_of(root / "out/scores.json"), scores) << "what was measured before counts as before";
}

TEST_F(Predict, MetricsThatCannotBeAreWrongUsage) {
  const auto said = [&](const std::string& how) {
    const Outcome outcome = predict(how);
    EXPECT_EQ(outcome.code, 2) << how << "\n" << outcome.text;
    return outcome.text;
  };
  EXPECT_THAT(said("--metrics dice"), HasSubstr("--masks DIR"));
  EXPECT_THAT(said(masks() + "--metrics dice --set dice.x=1"),
              AllOf(HasSubstr("metric \"dice\" has no parameter \"x\"; it has \"empty\""),
                    HasSubstr("nephron plugins describe metric dice")));
  EXPECT_THAT(said(masks() + "--metrics dice --set dice.empty=two"), HasSubstr("\"empty\" must be one of"));
  EXPECT_THAT(said(masks() + "--set dice.empty=one"), HasSubstr("--metrics"));
  EXPECT_FALSE(fs::exists(root / "out"));
}

/// Truths that other thresholds than 0.5 are best for.
class SearchedMeasures : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    for (const char* id : {"a", "b", "c"}) mask_above(id, 104);
    put_picture("large", {200, 160});  // of many tiles
    mask_above("large", 104);
  }
  void mask_above(const std::string& id, int red) const {
    const Image picture = read_picture(root / "images" / (id + ".png")), mask(picture.size(), 1);
    for (std::int64_t y = 0; y < mask.size().height; ++y)
      for (std::int64_t x = 0; x < mask.size().width; ++x)
        mask.view().row<std::uint8_t>(y)[x] = picture.view().row<std::uint8_t>(y)[3 * x] > red ? 255 : 0;
    save_png(root / "masks" / (id + ".png"), mask.view());
  }
  Outcome measure(const std::string& out, const std::string& more) const {
    return nephron("predict " + run.string() + " --images " + (root / "images").string() + " --out " +
                   (root / out).string() + masks() + "--device cpu --tile 32 --overlap 4 --least-area 3 " +
                   "--metrics dice,brier,boundary,counts,centres --set boundary.unit=px " + more);
  }
  std::string searched(const std::string& out, const std::string& more = "") const {
    const Outcome outcome = measure(out, "--threshold search " + more);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_FALSE(fs::exists(root / out / "unmeasured"));
    return outcome.text;
  }
  double threshold(const std::string& out) const {
    return json_of(root / out / "scores.json")["pictures"]["a"]["threshold"]["glomerulus"].get<double>();
  }
  void expect_equal_files(const std::string& one, const std::string& other) const {
    for (const char* name :
         {"scores.json", "slides.csv", "slides.jsonl", "objects.csv", "objects.jsonl", "measures/large.json"})
      EXPECT_EQ(read_file(root / one / name), read_file(root / other / name)) << name << " of " << other;
  }
};

TEST_F(SearchedMeasures, AreThoseOfTheThresholdThatWasFound) {
  searched("found");
  ASSERT_LT(threshold("found"), 0.45);
  const Outcome named = measure("named", "--threshold " + std::to_string(threshold("found")));
  ASSERT_EQ(named.code, 0) << named.text;
  const auto found = json_of(root / "found/scores.json"), wanted = json_of(root / "named/scores.json");
  ASSERT_EQ(found["values"].size(), wanted["values"].size());
  for (std::size_t i = 0; i < wanted["values"].size(); ++i) {
    const auto &is = found["values"][i], &was = wanted["values"][i];
    EXPECT_EQ(is["name"], was["name"]);
    EXPECT_EQ(is["value"].is_null(), was["value"].is_null()) << was;
    if (!was["value"].is_null()) {
      EXPECT_NEAR(is["value"].get<double>(), was["value"].get<double>(), 1e-9) << was["name"];
    }
  }
  const CsvTable objects = CsvTable::read(root / "found/objects.csv");
  ASSERT_GT(objects.rows(), 0U);
  EXPECT_EQ(read_file(root / "found/objects.csv"), read_file(root / "named/objects.csv"));
  const CsvTable slides = CsvTable::read(root / "found/slides.csv");
  ASSERT_EQ(slides.rows(), 4U);
  EXPECT_NEAR(std::stod(slides.cell(0, slides.column("threshold"))), threshold("found"), 1e-12);
  EXPECT_EQ(found["threshold_chosen_on"], "the scored pictures: optimistic");
  searched("two", "--jobs 2");
  expect_equal_files("found", "two");
  EXPECT_THAT(searched("found", "--continue"), HasSubstr("predicted 0 pictures, 4 were finished before"));
  expect_equal_files("two", "found");
}

TEST_F(SearchedMeasures, PicturesThatAreAddedMayChangeTheThresholdOfAll) {
  for (const char* jobs : {"", "--jobs 2"}) {
    for (int i = 0; i < 7; ++i) fs::remove(root / "images" / ("other" + std::to_string(i) + ".png"));
    const std::string out = std::string("out") + (*jobs != 0 ? "2" : "");
    searched(out, jobs);
    const double before = threshold(out);
    for (int i = 0; i < 7; ++i) {
      const std::string other = "other" + std::to_string(i);
      put_picture(other, {60 + i, 50});
      mask_above(other, 180);
    }
    const std::string said = searched(out, std::string(jobs) + " --continue");
    ASSERT_NE(threshold(out), before);
    EXPECT_THAT(
        said, AllOf(HasSubstr("4 pictures are predicted again, whose measures"), HasSubstr("predicted 11 pictures: ")));
    searched("whole" + out);
    expect_equal_files("whole" + out, out);
  }
}

// What waits to be measured was damaged, or is gone: the picture is predicted again.
TEST_F(SearchedMeasures, RowsThatAreLostCostTheirPictureAlone) {
  searched("whole");
  searched("out");
  fs::remove(root / "out/measures/large.json");
  EXPECT_THAT(searched("out", "--continue"), HasSubstr("predicted 1 picture, 3 were finished before"));
  expect_equal_files("whole", "out");
  std::ofstream(root / "out/measures/large.json") << "{";
  EXPECT_THAT(searched("out", "--continue"),
              AllOf(HasSubstr("measures/large.json"), HasSubstr("predicted 1 picture, 3 were finished before")));
  expect_equal_files("whole", "out");
}

class CocoOfAll : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    save_png(root / "images/bare.png", Image({40, 30}, 3).view());  // black: no object
    const Outcome outcome = predict("--device cpu --save masks,coco --least-area 1");
    ASSERT_EQ(outcome.code, 0) << outcome.text;
  }
  fs::path file() const { return root / "out/coco.json"; }
};

TEST_F(CocoOfAll, HasTheObjectsOfEachPicture) {
  const std::string text = read_file(file());
  std::size_t objects = 0;
  for (const std::string id : {"a", "b", "bare", "c"}) {
    const Image mask = read_mask(output("masks", id));
    const Size size = mask.size();
    const LabelSet all = parse_coco(text, "coco.json", id, size);
    const LabelSet own = parse_coco(read_file(root / "out/coco" / (id + ".json")), "own", {}, size);
    EXPECT_EQ(all.objects.size(), own.objects.size()) << id;
    objects += all.objects.size();
    Image drawn(size, 1);
    decode_rle(masks_of(all).at(0), drawn.view(), 255);
    EXPECT_EQ(cv::norm(as_mat(drawn.view()), as_mat(mask.view()), cv::NORM_INF), 0) << id;
  }
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["annotations"].size(), objects);
  EXPECT_EQ(json["images"].size(), 4U) << "one without an object too";
  for (std::size_t i = 0; i < objects; ++i) {
    EXPECT_EQ(json["annotations"][i]["id"], i + 1);
    EXPECT_GT(json["annotations"][i]["score"].get<double>(), 0.5);
  }
}

TEST_F(CocoOfAll, IsADatasetToLearnFrom) {
  std::string experiment = read_file(run / "experiment.resolved.toml");
  const std::size_t from = experiment.find("[[dataset]]");
  experiment.replace(from, experiment.find("[sampler]") - from,
                     "[[dataset]]\ntype = \"coco\"\nroot = \"" + root.string() + "\"\nfile = \"out/coco.json\"\n");
  write_file_atomically(root / "learn.toml", experiment);
  const Outcome outcome =
      nephron("data export " + (root / "learn.toml").string() + " --out " + (root / "again").string());
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  for (const char* id : {"a", "b", "bare", "c"}) {
    const Image mask = read_mask(root / "again/masks" / (std::string(id) + ".png")),
                wanted = read_mask(output("masks", id));
    EXPECT_EQ(cv::norm(as_mat(mask.view()), as_mat(wanted.view()), cv::NORM_INF), 0) << id;
  }
}

TEST_F(CocoOfAll, IsReadByPycocotools) {
  const char* const python = std::getenv("NEPHRON_PEERS");
  if (python == nullptr) GTEST_SKIP() << "NEPHRON_PEERS names no Python with pycocotools";
  write_file_atomically(root / "read.py", R"(
import sys
import cv2
import numpy as np
from pycocotools.coco import COCO
coco = COCO(sys.argv[1] + "/out/coco.json")
assert len(coco.getImgIds()) == 4
for image in coco.loadImgs(coco.getImgIds()):
    mask = np.zeros((image["height"], image["width"]), np.uint8)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
        assert 0.5 < annotation["score"] <= 1
        own = coco.annToMask(annotation)
        mask |= own
    wanted = cv2.imread(sys.argv[1] + "/out/masks/glomerulus/" + image["file_name"], cv2.IMREAD_UNCHANGED)
    both = np.logical_and(mask, wanted).sum()
    print(image["file_name"], both, wanted.astype(bool).sum(), mask.sum())
    assert mask.shape == wanted.shape
    assert both >= 0.9 * mask.sum() and coco.getCatIds() == [1]
)");
  FILE* const pipe =
      ::popen((std::string(python) + " " + (root / "read.py").string() + " " + root.string() + " 2>&1").c_str(), "r");
  std::string said;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = ::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) said.append(buffer.data(), n);
  EXPECT_EQ(::pclose(pipe), 0) << said;
}

// Each would have room by itself.
TEST_F(Predict, RowsThatWaitAndHaveNoRoomTogetherAreToldBeforeWorkBegins) {
  for (const char* part : {"images", "masks"}) {
    fs::remove_all(root / part);
    fs::create_directories(root / part);
  }
  for (int i = 0; i < 4; ++i) put_picture("p" + std::to_string(i), {1200, 1000});
  const SmallDisk disk(root / "out", 20'000);
  if (!disk.there()) GTEST_SKIP() << "no disk can be mounted here";
  const std::string how = "--device cpu --threshold search" + masks();
  for (const char* jobs : {"", " --jobs 2"}) {
    const Outcome outcome = predict(how + "--metrics dice" + jobs);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.text, HasSubstr("the rows of 4 pictures that wait to be measured until the threshold is found "
                                        "need up to 28 MB, and "));
    EXPECT_FALSE(fs::exists(root / "out/predict.json")) << "before work begins";
  }
  EXPECT_EQ(predict(how).code, 0) << "without metrics none waits";
}

}  // namespace
}  // namespace nephron::host
