// What the files of `nephron predict` tell besides pixels, and that none of them needs the whole slide.
#include <sys/resource.h>

#include <nephron/csv.hpp>

#include <tests/integration/predict/outputs_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

TEST_F(PredictOutputs, ASubmissionHasALineOfEachPicture) {
  std::ofstream(slide("two"), std::ios::binary) << "no picture";
  const Outcome outcome = predict_slides(root / "out", "--save submission --threshold 1");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("submission.csv has no runs of \"two\", which was not predicted"));
  EXPECT_EQ(text(root / "out/submission.csv"), "id,predicted\none,\ntwo,\n");
}

// A file that is found alone says of which pixels, by which weights and with which settings it was made.
TEST_F(PredictOutputs, FilesTellWhatTheyWereMadeOf) {
  using nlohmann::json;
  const auto origin = [&](const char* out) {
    const json facts = json::parse(text(root / out / "pictures/one.json")), of = facts["origin"];
    EXPECT_EQ(of["picture_sha256"], facts["digest"]);
    EXPECT_EQ(json::parse(text(root / out / "geojson/one.geojson"))["nephron"], of);
    EXPECT_EQ(json::parse(text(root / out / "coco/one.json"))["info"], of);
    EXPECT_EQ(json::parse(text(root / out / "coco.json"))["info"]["settings_sha256"], of["settings_sha256"]);
    return of;
  };
  const std::string how = "--save geojson,coco ";
  ASSERT_EQ(predict_slides(root / "a", how).code, 0);
  const json first = origin("a");
  EXPECT_EQ(first["weights_sha256"][0], sha256_of(run / "fold-0/checkpoints/step-7/weights.safetensors"));
  EXPECT_EQ(first["device"], "cpu");
  const auto expect_told = [&](const fs::path& file) {
    const std::string bytes = text(file);
    for (const char* key : {"picture_sha256", "settings_sha256"})
      EXPECT_THAT(bytes, HasSubstr(first[key].get<std::string>())) << file;
    EXPECT_THAT(bytes, HasSubstr(first["weights_sha256"][0].get<std::string>())) << file;
  };
  const std::string all = "--save maps,tta,masks,objects --tta identity,flip_x ";
  for (const std::string ending : {"png", "tif"}) {
    ASSERT_EQ(predict_slides(root / "a2", all + "--overwrite --maps " + (ending == "tif" ? "tiff" : ending)).code, 0);
    const json own = json::parse(text(root / "a2/pictures/one.json"))["origin"];
    for (const std::string file : {"probabilities/glomerulus/one.", "tta/flip_x/glomerulus/one."})
      EXPECT_THAT(text(root / "a2" / (file + ending)), HasSubstr(own["settings_sha256"].get<std::string>())) << file;
    const CsvTable objects = CsvTable::read(root / "a2/objects/one.csv");
    ASSERT_GT(objects.rows(), 0U);
    for (const char* column : {"picture_sha256", "settings_sha256"})
      EXPECT_EQ(objects.cell(0, objects.column(column)), own[column].get<std::string>());
    EXPECT_EQ(objects.cell(0, objects.column("weights_sha256")), own["weights_sha256"][0].get<std::string>());
  }
  ASSERT_EQ(predict_slides(root / "a3", "--save maps,masks").code, 0);
  for (const char* file : {"probabilities/glomerulus/one.png", "masks/glomerulus/one.png"})
    expect_told(root / "a3" / file);
  EXPECT_EQ(mask_in(root / "a3", "one").size(), size) << "a note in a PNG changes no pixel";
  ASSERT_EQ(predict_slides(root / "a4", "--batch 3").code, 0);
  const json batch = json::parse(text(root / "a4/pictures/one.json"))["origin"];
  EXPECT_NE(batch["settings_sha256"], first["settings_sha256"]) << "a tile's last bits may depend on its batch";
  ASSERT_EQ(predict_slides(root / "b", how + "--threshold 0.4").code, 0);
  const json other = origin("b");
  EXPECT_EQ(other["picture_sha256"], first["picture_sha256"]);
  EXPECT_NE(other["settings_sha256"], first["settings_sha256"]);
  fs::rename(run, root / "moved");
  run = root / "moved";
  ASSERT_EQ(predict_slides(root / "c", how).code, 0);
  EXPECT_EQ(origin("c"), first) << "wherever the run lies";
  // Other weights in the place of those that a prediction was begun with.
  write_tensors(
      run / "fold-0/checkpoints/step-7/weights.safetensors",
      {{"segmentation_head.0.weight", at::zeros({1, 3, 1, 1})}, {"segmentation_head.0.bias", at::zeros({1})}});
  EXPECT_THAT(predict_slides(root / "c", how + "--continue").text, HasSubstr("another weights_sha256"));
  ASSERT_EQ(predict_slides(root / "d", how).code, 0);
  EXPECT_NE(origin("d")["weights_sha256"], first["weights_sha256"]);
}

// Masks of a search are made of what it found, which other pictures change.
TEST_F(PredictOutputs, MasksOfASearchTellTheThresholdThatWasFound) {
  for (const char* id : {"one", "two"})
    cv::imwrite((root / "masks" / (std::string(id) + ".png")).string(), cv::imread(slide(id).string()));
  const std::string how =
      "--threshold search --save maps,masks,geojson,coco,objects --masks " + (root / "masks").string();
  ASSERT_EQ(predict_slides(root / "out", how).code, 0);
  const auto of = nlohmann::json::parse(text(root / "out/geojson/one.geojson"))["nephron"];
  ASSERT_EQ(of["thresholds"].size(), 1U);
  const auto scores = nlohmann::json::parse(text(root / "out/scores.json"));
  EXPECT_EQ(of["thresholds"][0], scores["pictures"]["one"]["threshold"]["glomerulus"]);
  EXPECT_EQ(nlohmann::json::parse(text(root / "out/coco.json"))["info"]["thresholds"], of["thresholds"]);
  EXPECT_THAT(text(root / "out/masks/glomerulus/one.png"), HasSubstr("\"thresholds\":["));
  const CsvTable objects = CsvTable::read(root / "out/objects/one.csv");
  EXPECT_EQ(*objects.number(0, objects.column("searched_thresholds")), of["thresholds"][0].get<double>());
  EXPECT_FALSE(nlohmann::json::parse(text(root / "out/pictures/one.json"))["origin"].contains("thresholds"));
}

// What files are called is somebody's text: it is a name in every file, and markup in none.
TEST_F(PredictOutputs, NamesWithMarkupStayNames) {
  const std::string id = "<img src=x onerror=alert(1)> & \"two\", 'three'";
  fs::remove_all(root / "images");
  fs::create_directories(root / "images");
  fs::rename(slide("one"), root / "images" / (id + ".tif"));
  std::ofstream(root / "images/<i>bad.png") << "no picture";
  cv::imwrite((root / "masks" / (id + ".png")).string(), cv::Mat(size.height, size.width, CV_8UC1, cv::Scalar(255)));
  const Outcome outcome =
      predict("--device cpu --save maps,masks,submission,geojson,coco,objects --metrics dice,counts" + masks());
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("predicted 1 picture, 1 failed"));
  const CsvTable submission = CsvTable::read(root / "out/submission.csv"),
                 slides = CsvTable::read(root / "out/slides.csv");
  EXPECT_EQ(submission.cell(1, 0), id);
  EXPECT_EQ(slides.cell(0, slides.column("slide")), id);
  EXPECT_EQ(nlohmann::json::parse(text(root / "out/coco.json"))["images"][0]["file_name"], id + ".tif");
  EXPECT_TRUE(nlohmann::json::parse(text(root / "out/scores.json"))["pictures"].contains(id));
  const Outcome page = nephron("report " + run.string() + " --predictions " + (root / "out").string() + " --out " +
                               (root / "page.html").string());
  ASSERT_EQ(page.code, 0) << page.text;
  const std::string html = read_file(root / "page.html");
  EXPECT_THAT(html, testing::Not(HasSubstr("<img src=x")));
  EXPECT_THAT(html, testing::Not(HasSubstr("<i>bad")));
  EXPECT_THAT(html, HasSubstr("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;two&quot;"));
}

long peak_megabytes_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss / 1024;
}

TEST_F(PredictOutputs, MemoryIsThatOfRowsWhateverTheHeight) {
  long before = 0;
  for (const int height : {1000, 60'000}) {
    cv::Mat picture(height, 2000, CV_8UC3, cv::Scalar(255, 255, 255));
    cv::rectangle(picture, {200, 100}, {1500, 900}, cv::Scalar(90, 60, 180), cv::FILLED);
    // Two, so that one is read while the other is predicted and written.
    for (const char* id : {"one", "two"})
      ASSERT_TRUE(cv::imwrite(slide(id).string(), picture, {cv::IMWRITE_TIFF_COMPRESSION, 5}));
    picture.release();
    const Outcome outcome = predict_slides(root / ("out" + std::to_string(height)),
                                           "--save maps,masks,rle,geojson,coco,objects --tile 256 --least-area 5");
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    // Of 60,000 rows the slide would be 343 MiB more and its probabilities 458 MiB: rows of tiles are held, and what
    // the reader keeps of decoded parts, 256 MiB at most. In heaps of their own, threads would keep that several times.
    if (before > 0) {
      EXPECT_LT(peak_megabytes_of_children(), before + 450);
    }
    before = peak_megabytes_of_children();
  }
}

}  // namespace
}  // namespace nephron::host
