// What `nephron predict` writes of slides: runs, objects, TIFF maps, a submission; that glass is skipped and nothing
// else, and that an interrupted slide goes on where it was.
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/csv.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/rle.hpp>

#include <host/labels/coco.hpp>
#include <host/labels/label_file.hpp>
#include <tests/integration/predict/outputs_fixture.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

TEST_F(PredictOutputs, AllSayTheSamePixels) {
  const fs::path out = root / "out";
  const Outcome outcome =
      predict_slides(out, "--save maps,masks,rle,submission,geojson,coco,objects --least-area 1 --maps tiff");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const CsvTable submission = CsvTable::read(out / "submission.csv");
  EXPECT_EQ(submission.columns(), (std::vector<std::string>{"id", "predicted"}));
  ASSERT_EQ(submission.rows(), 2U);
  // Byte for byte as Kaggle's sample_submission.csv has it.
  EXPECT_EQ(text(out / "submission.csv"), "id,predicted\none," + text(out / "rle/glomerulus/one.txt") + "two," +
                                              text(out / "rle/glomerulus/two.txt"));
  std::size_t row = 0;
  for (const std::string id : {"one", "two"}) {
    const Image mask = mask_in(out, id);
    ASSERT_GT(cv::countNonZero(as_mat(mask.view())), 10'000);
    EXPECT_EQ(submission.cell(row, 0), id);
    EXPECT_TRUE(equal(mask_of_runs(parse_rle(submission.cell(row++, 1), size)), mask)) << id;
    EXPECT_TRUE(equal(mask_of_runs(parse_rle(text(out / "rle/glomerulus" / (id + ".txt")), size)), mask)) << id;

    LabelSet coco = parse_coco(text(out / "coco" / (id + ".json")), "coco", {}, size);
    const Runs joined = masks_of(coco).at(0);
    EXPECT_TRUE(equal(mask_of_runs(joined), mask)) << id;

    LabelSet geojson = coco;
    geojson.objects = read_geojson(out / "geojson" / (id + ".geojson")).objects;
    EXPECT_EQ(geojson.objects.size(), coco.objects.size());
    EXPECT_TRUE(equal(mask_of_runs(masks_of(geojson).at(0)), mask)) << id;

    const CsvTable objects = CsvTable::read(out / "objects" / (id + ".csv"));
    ASSERT_EQ(objects.rows(), coco.objects.size());
    double pixels = 0, most = 0;
    for (std::size_t i = 0; i < objects.rows(); ++i) {
      pixels += *objects.number(i, objects.column("area_px"));
      most = std::max(most, *objects.number(i, objects.column("confidence")));
    }
    EXPECT_EQ(pixels, cv::countNonZero(as_mat(mask.view())));
    const cv::Mat map = cv::imread((out / "probabilities/glomerulus" / (id + ".tif")).string(), cv::IMREAD_UNCHANGED);
    ASSERT_EQ(map.type(), CV_8UC1);
    EXPECT_EQ(cv::countNonZero((map > 127) != as_mat(mask.view())), 0);
    double highest = 0;
    cv::minMaxLoc(map, nullptr, &highest);
    EXPECT_NEAR(most, highest / 255, 1e-5);
  }
  EXPECT_FALSE(fs::exists(out / "partial"));
}

TEST_F(PredictOutputs, SmallObjectsAndHolesAreTheObjectsAlone) {
  ASSERT_EQ(predict_slides(root / "all", "--save masks,objects --least-area 1").code, 0);
  ASSERT_EQ(predict_slides(root / "few", "--save masks,objects --least-area 2750 --fill-holes 300").code, 0);
  EXPECT_TRUE(equal(mask_in(root / "all", "one"), mask_in(root / "few", "one")));
  const CsvTable all = CsvTable::read(root / "all/objects/one.csv"), few = CsvTable::read(root / "few/objects/one.csv");
  EXPECT_LT(few.rows(), all.rows());
  for (std::size_t i = 0; i < few.rows(); ++i) EXPECT_GE(*few.number(i, few.column("area_px")), 2750);
}

TEST_F(PredictOutputs, TilesOfGlassAreSkippedAndTissueStaysAsItWas) {
  ASSERT_EQ(predict_slides(root / "all", "--save maps --all-tiles").code, 0);
  ASSERT_EQ(predict_slides(root / "some", "--save maps").code, 0);
  const Image all = read_mask(root / "all/probabilities/glomerulus/one.png");
  const Image some = read_mask(root / "some/probabilities/glomerulus/one.png");
  EXPECT_EQ(all.view().row<std::uint8_t>(250)[690], 255) << "the network calls white a glomerulus";
  EXPECT_EQ(some.view().row<std::uint8_t>(250)[690], 0);
  const cv::Mat a = cv::imread((root / "all/probabilities/glomerulus/one.png").string(), cv::IMREAD_UNCHANGED);
  const cv::Mat b = cv::imread((root / "some/probabilities/glomerulus/one.png").string(), cv::IMREAD_UNCHANGED);
  EXPECT_EQ(cv::norm(a.colRange(0, 400), b.colRange(0, 400), cv::NORM_INF), 0);
  const auto settings = nlohmann::json::parse(text(root / "some/predict.json"))["settings"];
  EXPECT_EQ(settings["glass"], "skipped");
}

TEST_F(PredictOutputs, ASlideThatWasInterruptedGoesOnBelowItsLastRow) {
  const std::string how =
      "--save maps,masks,rle,geojson,objects --tile 32 --overlap 4 --batch 7 --maps tiff --all-tiles";
  ASSERT_EQ(predict_slides(root / "whole", how).code, 0);
  std::set<std::string> said;
  for (const int signal : {SIGKILL, SIGINT}) {
    const fs::path out = root / ("signal" + std::to_string(signal));
    {
      StartedProgram program(words(out, how), root / "output.txt");
      const fs::path rows = out / "partial/one.rows";
      std::error_code none;
      while (!program.done() && (!fs::exists(rows) || fs::file_size(rows, none) < 4U * 700 * 50))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      program.signal(signal);
      program.wait();
    }
    ASSERT_TRUE(fs::exists(out / "partial/one.rows")) << "it ended before the signal came";
    const Outcome rest = predict_slides(out, how + " --continue");
    ASSERT_EQ(rest.code, 0) << rest.text;
    EXPECT_THAT(rest.text, HasSubstr("\"one\" goes on below row "));
    EXPECT_FALSE(fs::exists(out / "partial"));
    for (const char* file : {"masks/glomerulus/one.png", "rle/glomerulus/one.txt", "geojson/one.geojson",
                             "objects/one.csv", "probabilities/glomerulus/one.tif", "rle/glomerulus/two.txt"})
      EXPECT_EQ(text(out / file), text(root / "whole" / file)) << file;
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(out))
      files += entry.path().string().find(".tmp.") != std::string::npos ? 1 : 0;
    EXPECT_EQ(files, 0U);
  }
}

TEST_F(PredictOutputs, RowsOfOtherSettingsAreNotGoneOnWith) {
  const fs::path out = root / "out";
  ASSERT_EQ(predict_slides(out, "--save rle").code, 0);
  const std::string right = text(out / "rle/glomerulus/one.txt");
  for (const std::string& damage : {std::string("nephron rows 1 700x500x1 "), std::string(5000, 'x'), std::string()}) {
    fs::remove(out / "rle/glomerulus/one.txt");
    fs::create_directories(out / "partial");
    write_file_atomically(out / "partial/one.rows", damage);
    ASSERT_EQ(predict_slides(out, "--save rle --continue").code, 0);
    EXPECT_EQ(text(out / "rle/glomerulus/one.txt"), right);
  }
}

TEST_F(PredictOutputs, ADatasetBringsItsAnnotations) {
  const Outcome outcome =
      nephron("predict " + run.string() + " --dataset synthetic --device cpu --threshold search --out " +
              (root / "out").string() + " --save maps,masks,objects,submission");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto scores = nlohmann::json::parse(text(root / "out/scores.json"));
  EXPECT_EQ(scores["pictures"].size(), 1U);
  for (const char* part : {"masks/glomerulus", "truth/glomerulus", "objects", "rle/glomerulus"})
    EXPECT_EQ(std::distance(fs::directory_iterator(root / "out" / part), fs::directory_iterator()), 1) << part;
  // What was written and what was scored are the same masks.
  const std::string id = scores["pictures"].begin().key();
  const Image truth = read_mask(root / "out/truth/glomerulus" / (id + ".png")), mask = mask_in(root / "out", id);
  const double both = cv::countNonZero(as_mat(truth.view()) & as_mat(mask.view()));
  const double dice =
      (2 * both + 1e-8) / (cv::countNonZero(as_mat(truth.view())) + cv::countNonZero(as_mat(mask.view())) + 1e-8);
  EXPECT_NEAR(scores["mean"]["dice"]["glomerulus"].get<double>(), dice, 1e-9);
  EXPECT_THAT(nephron("predict " + run.string() + " --dataset synthetik --out " + (root / "no").string()).text,
              HasSubstr("Did you mean \"synthetic\"?"));
}

// The network looks at single pixels: at full size each block of 2 x 2 has the answer of its mean.
TEST_F(PredictOutputs, AtFullSizeBlocksHaveTheirMeansAnswer) {
  run = make_run(2);
  ASSERT_EQ(predict_slides(root / "out", "--save maps --full-size --all-tiles --factor 2").code, 0);
  const cv::Mat slide_pixels = cv::imread(slide("one").string(), cv::IMREAD_COLOR);
  const cv::Mat map = cv::imread((root / "out/probabilities/glomerulus/one.png").string(), cv::IMREAD_UNCHANGED);
  int worst = 0;
  for (int y = 0; y < size.height; y += 2)
    for (int x = 0; x < size.width; x += 2) {
      int sum = 2;
      for (const auto& [u, v] : {std::pair{0, 0}, std::pair{1, 0}, std::pair{0, 1}, std::pair{1, 1}})
        sum += slide_pixels.at<cv::Vec3b>(y + v, x + u)[2];
      const auto wanted = static_cast<int>(std::lround(255 * expected(static_cast<std::uint8_t>(sum / 4))));
      for (const auto& [u, v] : {std::pair{0, 0}, std::pair{1, 1}})
        worst = std::max(worst, std::abs(wanted - map.at<std::uint8_t>(y + v, x + u)));
    }
  EXPECT_LE(worst, 1);
  const auto settings = nlohmann::json::parse(text(root / "out/predict.json"))["settings"];
  EXPECT_EQ(settings["windows"], 2);
  EXPECT_EQ(settings["factor"], 1);
}

/// Bytes of a map: 255 is 1.
double probability(const fs::path& map, int x, int y) {
  return cv::imread(map.string(), cv::IMREAD_UNCHANGED).at<std::uint8_t>(y, x) / 255.0;
}

// One run looks at the picture, the other at its half and says the opposite (fold 1).
TEST_F(PredictOutputs, RunsAreJoinedWhateverTheirSizes) {
  const fs::path other = make_run(2, 2);
  fs::remove_all(other / "fold-0");
  const std::string how = " --save maps,masks --all-tiles";
  ASSERT_EQ(predict_slides(root / "a", how).code, 0);
  const fs::path first = std::exchange(run, other);
  ASSERT_EQ(predict_slides(root / "b", how + " --fold 1").code, 0);
  run = first;
  const std::string with = " --with " + other.string();
  Outcome outcome = predict_slides(root / "mean", how + with + " --shares 3,1");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  outcome = predict_slides(root / "vote", how + with + " --join vote --shares 2,1");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const auto map = [&](const char* out) { return root / out / "probabilities/glomerulus/one.png"; };
  for (const auto& [x, y] : {std::pair{5, 7}, std::pair{100, 99}, std::pair{333, 401}, std::pair{699, 499}}) {
    const double a = probability(map("a"), x, y), b = probability(map("b"), x, y);
    EXPECT_NEAR(probability(map("mean"), x, y), (3 * a + b) / 4, 1.01 / 255) << x << ", " << y;
    if (std::abs(a - 0.5) > 0.01 && std::abs(b - 0.5) > 0.01) {
      EXPECT_NEAR(probability(map("vote"), x, y), (2 * (a > 0.5) + (b > 0.5)) / 3.0, 0.51 / 255) << x << ", " << y;
    }
  }
  EXPECT_TRUE(equal(mask_in(root / "vote", "one"), mask_in(root / "a", "one"))) << "two of three shares decide";
  EXPECT_FALSE(fs::exists(root / "mean/partial"));
  EXPECT_THAT(predict_slides(root / "mean", how + with + " --continue").text, HasSubstr("another shares"));
  EXPECT_THAT(predict_slides(root / "no", how + with + " --shares 1").text, HasSubstr("1 numbers for 2 runs"));
  for (const char* bad : {"1,nan", "1e308,1e308", "1,inf", "1,-1"})
    EXPECT_NE(predict_slides(root / "no", how + with + " --shares " + bad).code, 0) << bad;
  const fs::path file = other / "experiment.resolved.toml";
  std::string experiment = text(file);
  experiment.replace(experiment.find("glomerulus"), 10, "tubule");
  write_file_atomically(file, experiment);
  const Outcome other_classes = predict_slides(root / "no", how + with);
  EXPECT_EQ(other_classes.code, 2);
  EXPECT_THAT(other_classes.text, HasSubstr("its classes are \"tubule\", not \"glomerulus\""));
  experiment.replace(experiment.find("[\"tubule\"]"), 10, "[\"glomerulus\", \"tubule\"]");
  write_file_atomically(file, experiment);
  const Outcome more_classes = predict_slides(root / "no", how + with);
  EXPECT_EQ(more_classes.code, 2);
  EXPECT_THAT(more_classes.text, HasSubstr("\"glomerulus\""));
}

TEST_F(PredictOutputs, ObjectsOfOtherRulesDoNotMix) {
  ASSERT_EQ(predict_slides(root / "out", "--save masks,objects").code, 0);
  EXPECT_THAT(predict_slides(root / "out", "--save masks,objects --continue --least-area 5").text,
              HasSubstr("another least_area: 100 there, 5 now"));
  EXPECT_THAT(predict_slides(root / "out", "--save masks,objects --continue --maps tiff").text,
              HasSubstr("another maps: \"auto\" there"));
  const Outcome more = predict_slides(root / "out", "--save masks,objects,geojson --continue");
  EXPECT_EQ(more.code, 0) << more.text;
  EXPECT_THAT(more.text, HasSubstr("was begun without \"geojson\" in --save"));
  EXPECT_TRUE(fs::exists(root / "out/geojson/one.geojson"));
  const Outcome less = predict_slides(root / "out", "--save masks --continue");
  EXPECT_EQ(less.code, 1);
  EXPECT_THAT(less.text, HasSubstr("was begun with \"objects\", \"geojson\" in --save"));
  EXPECT_THAT(less.text, HasSubstr("Give --save masks,objects,geojson to continue"));
  fs::create_directories(root / "failed/masks/glomerulus");  // of a call that failed before anything was written
  EXPECT_EQ(predict_slides(root / "failed", "--save masks").code, 0);
}

TEST_F(PredictOutputs, AMapOfAnotherFormatDoesNotStay) {
  const fs::path out = root / "out", png = out / "probabilities/glomerulus/one.png",
                 tiff = out / "probabilities/glomerulus/one.tif";
  ASSERT_EQ(predict_slides(out, "--save maps").code, 0);
  EXPECT_TRUE(fs::exists(png) && !fs::exists(tiff));
  ASSERT_EQ(predict_slides(out, "--save maps --maps tiff --overwrite").code, 0);
  EXPECT_TRUE(fs::exists(tiff) && !fs::exists(png));
  // What a prediction left that nobody remembers: one map of each format, and the rest is made again.
  std::ofstream(png) << "stale";
  fs::remove(out / "pictures/one.json");
  ASSERT_EQ(predict_slides(out, "--save maps --maps tiff --continue").code, 0);
  EXPECT_TRUE(fs::exists(tiff) && !fs::exists(png));
}

// A network of another size, and one of another number of classes, than the run's experiment says.
TEST_F(PredictOutputs, WeightsOfAnotherModelAreToldByTheirDifferences) {
  write_tensors(run / "fold-0/checkpoints/step-7/weights.safetensors",
                {{"segmentation_head.0.weight", at::zeros({2, 3, 1, 1})},
                 {"segmentation_head.0.bias", at::zeros({2})},
                 {"decoder.extra.weight", at::zeros({4})}});
  const Outcome outcome = predict_slides(root / "no", "");
  EXPECT_EQ(outcome.code, 1);
  for (const char* said : {"weights.safetensors do not fit the model", "unexpected", "decoder.extra.weight  4",
                           "misshapen", "segmentation_head.0.weight  2x3x1x1, 1x3x1x1",
                           "the experiment describes (of a run: its experiment.resolved.toml)"})
    EXPECT_THAT(outcome.text, HasSubstr(said));
  EXPECT_FALSE(fs::exists(root / "no/predict.json"));
}

TEST_F(PredictOutputs, WhatIsAskedForWronglyIsSaid) {
  const std::string start = "predict " + run.string() + " --out " + (root / "no").string() + " ";
  const std::string one = "--slides " + slide("one").string() + " ";
  EXPECT_THAT(nephron(start).text, HasSubstr("--images DIR"));
  EXPECT_THAT(nephron(start + one + "--images " + (root / "images").string()).text, HasSubstr("exclude each other"));
  EXPECT_THAT(nephron(start + one + "--full-size --whole").text, HasSubstr("neither with --whole"));
  EXPECT_THAT(nephron(start + one + "--save mask").text, HasSubstr("mask"));
  EXPECT_THAT(nephron(start + one + "--save objects --threshold search").text, HasSubstr("needs \"maps\" in --save"));
  const Outcome twice = nephron(start + one + slide("one").string());
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.text, HasSubstr(slide("one").string() + " is named twice"));
  EXPECT_THAT(nephron(start + one + (root / "slides/../slides/one.tif").string()).text,
              HasSubstr("is named twice: " + slide("one").string() + " is the same file"));
  fs::create_directories(root / "others");
  fs::copy(slide("one"), root / "others/one.tif");
  EXPECT_THAT(nephron(start + one + (root / "others/one.tif").string()).text,
              HasSubstr("there are two pictures with the name \"one\""));
  EXPECT_FALSE(fs::exists(root / "no"));
}

}  // namespace
}  // namespace nephron::host
