// What `nephron predict` reads: masks by the coding of a dataset, slides in bands; and who may write beside whom.
#include <opencv2/imgcodecs.hpp>

#include <nephron/image_cv.hpp>

#include <host/pictures/png.hpp>
#include <host/predict/output_lock.hpp>
#include <host/predict/predict.hpp>
#include <host/predict/truth.hpp>
#include <tests/integration/predict/predict_fixture.hpp>
#include <tests/support/pixel_bytes.hpp>

namespace nephron::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The fixture's own predict() runs the program.
std::int64_t predict_all(const PredictRequest& request) { return predict(request).predicted; }

/// Two datasets that read masks: 7 is a glomerulus in one, 9 in the other, whose masks are called otherwise.
class CodedMasks : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    for (const char* folder : {"sevens", "nines"})
      for (const char* part : {"images", "masks"}) fs::create_directories(root / folder / part);
    use("[[dataset]]\ntype = \"image_folder\"\nname = \"sevens\"\nroot = \"" + (root / "sevens").string() +
        "\"\nvalues = { glomerulus = 7 }\nignore_unknown = true\n" +
        "[[dataset]]\ntype = \"image_folder\"\nname = \"nines\"\nroot = \"" + (root / "nines").string() +
        "\"\nvalues = { glomerulus = 9 }\nignore_unknown = true\nmask_suffix = \"_m\"\n");
    for (const char* id : {"a", "b", "c"}) recode(id);
  }
  /// Puts these datasets in place of the run's.
  void use(const std::string& datasets) const {
    const fs::path file = run / "experiment.resolved.toml";
    std::string text = read_file(file);
    const std::size_t from = text.find("[[dataset]]");
    text.replace(from, text.find("[sampler]") - from, datasets);
    write_file_atomically(file, text);
  }
  /// What the network says becomes 7, and 9 in a mask of the other name; what it does not say the other way round.
  void recode(const std::string& id) const {
    const Image truth = read_mask(root / "masks" / (id + ".png"));
    Image sevens(truth.size(), 1), nines(truth.size(), 1);
    for (std::int64_t y = 0; y < truth.size().height; ++y)
      for (std::int64_t x = 0; x < truth.size().width; ++x) {
        const bool is = truth.view().row<std::uint8_t>(y)[x] != 0;
        sevens.view().row<std::uint8_t>(y)[x] = is ? 7 : 9;
        nines.view().row<std::uint8_t>(y)[x] = is ? 9 : 7;
      }
    save_png(root / "masks" / (id + ".png"), sevens.view());
    save_png(root / "masks" / (id + "_m.png"), nines.view());
  }
  double mean_dice() const {
    return nlohmann::json::parse(read_file(root / "out/scores.json"))["mean"]["dice"]["glomerulus"].get<double>();
  }
};

TEST_F(CodedMasks, AreReadAsTheNamedDatasetCodesThem) {
  for (const char* name : {"sevens", "nines"}) {
    const Outcome outcome = predict(masks() + "--overwrite --device cpu --masks-as " + name);
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_NEAR(mean_dice(), 1, 1e-9) << name;
    const Image compared = read_mask(output("truth", "a")), predicted = read_mask(output("masks", "a"));
    EXPECT_EQ(dice_of(compared, predicted), 1) << "what was compared with is kept";
  }
  // Plainly read, whatever is not black is foreground: everything here.
  ASSERT_EQ(predict(masks() + "--overwrite --device cpu --masks-as plain").code, 0);
  EXPECT_LT(mean_dice(), 0.9);
  EXPECT_FALSE(fs::exists(output("truth", "a"))) << "of another coding";
}

// The network says nothing of 5, and a dataset may say that nobody knows what it is.
TEST_F(CodedMasks, IgnoredPixelsAreLeftOutOfTheFigures) {
  for (const char* id : {"a", "b", "c"}) {
    Image mask = read_grey_png(root / "masks" / (std::string(id) + ".png"));
    const Size size = mask.size();
    for (std::int64_t y = 0; y < size.height; ++y)  // half of the truth becomes its opposite
      for (std::int64_t x = 0; x < size.width / 2; ++x) {
        std::uint8_t& v = mask.view().row<std::uint8_t>(y)[x];
        v = v == 7 ? 9 : 5;
      }
    save_png(root / "masks" / (std::string(id) + ".png"), mask.view());
  }
  const auto dataset = [&](const std::string& values, const std::string& more) {
    use("[[dataset]]\ntype = \"image_folder\"\nname = \"sevens\"\nroot = \"" + (root / "sevens").string() +
        "\"\nvalues = { " + values + " }\n" + more);
  };
  dataset("glomerulus = [5, 7]", "ignore_unknown = true\n");
  ASSERT_EQ(predict(masks() + "--overwrite --device cpu").code, 0);
  EXPECT_LT(mean_dice(), 0.9);
  EXPECT_FALSE(fs::exists(root / "out/ignored/a.png"));
  // Of the left half nothing is known; on the right 9 is background.
  for (const char* id : {"a", "b", "c"}) {
    Image mask = read_grey_png(root / "masks" / (std::string(id) + ".png"));
    for (std::int64_t y = 0; y < mask.size().height; ++y)
      for (std::int64_t x = 0; x < mask.size().width / 2; ++x) mask.view().row<std::uint8_t>(y)[x] = 5;
    save_png(root / "masks" / (std::string(id) + ".png"), mask.view());
  }
  dataset("glomerulus = 7, unsure = 5", "ignore = [\"unsure\"]\nignore_unknown = true\n");
  for (const char* threshold : {"", "--threshold search "}) {
    const Outcome outcome = predict(masks() + "--overwrite --device cpu " + threshold);
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_NEAR(mean_dice(), 1, 1e-9) << threshold;
    const Image ignored = read_mask(root / "out/ignored/a.png");
    EXPECT_EQ(ignored.view().row<std::uint8_t>(3)[0], 255);
    EXPECT_EQ(ignored.view().row<std::uint8_t>(3)[ignored.size().width - 1], 0);
  }
}

TEST_F(CodedMasks, WhereSeveralCodingsFitOneMustBeNamed) {
  const Outcome several = predict(masks() + "--device cpu");
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.text,
              AllOf(HasSubstr("\"sevens\", \"nines\""), HasSubstr("--masks-as NAME"), HasSubstr("--masks-as plain")));
  const Outcome unknown = predict(masks() + "--device cpu --masks-as eights");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.text, AllOf(HasSubstr("no dataset \"eights\" that reads masks"),
                                  HasSubstr("\"sevens\", \"nines\" or \"plain\"")));
  EXPECT_EQ(predict("--masks-as sevens").code, 2) << "without --masks it means nothing";
  EXPECT_FALSE(fs::exists(root / "out/scores.json"));
}

TEST_F(CodedMasks, AMaskThatHasNoClassInThatCodingIsTold) {
  Image other({16, 16}, 1);
  std::fill_n(other.view().row<std::uint8_t>(3), 8, std::uint8_t{200});
  save_png(root / "masks/b.png", other.view());
  const Outcome outcome = predict(masks() + "--device cpu --masks-as sevens");
  EXPECT_THAT(outcome.text, AllOf(HasSubstr((root / "masks/b.png").string() + " is not black, and has no pixel"),
                                  HasSubstr("--masks-as plain")));
}

TEST_F(Predict, APictureInBandsIsThatInOnePiece) {
  for (const char* id : {"a", "b", "c"}) fs::remove(root / "images" / (std::string(id) + ".png"));
  Image pixels({203, 331}, 3);
  for (std::int64_t y = 0; y < 331; ++y)
    for (std::int64_t x = 0; x < 3 * 203; ++x)
      pixels.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>((x * 7 + y * 13 + x * y / 5) % 256);
  ASSERT_TRUE(cv::imwrite((root / "images/slide.tif").string(), as_mat(pixels.view())));
  PredictRequest request;
  request.images = root / "images";
  request.device = "cpu";
  request.plugins = {NEPHRON_TIFF, NEPHRON_SYNTHETIC, NEPHRON_UNIFORM, NEPHRON_GRID, NEPHRON_BCE};
  for (const int factor : {1, 3}) {
    request.run = factor == 1 ? run : make_run(factor);
    const auto maps = [&](const char* name, std::int64_t held_bytes) {
      request.out = root / (name + std::to_string(factor));
      request.held_bytes = held_bytes;
      EXPECT_EQ(predict_all(request), 1);
      return read_file(request.out / "probabilities/glomerulus/slide.png") +
             read_file(request.out / "masks/glomerulus/slide.png");
    };
    EXPECT_EQ(maps("bands", 0), maps("whole", PredictRequest().held_bytes)) << factor;
  }
}

TEST_F(Predict, ARunOfAGivenSizeOfAPixelBringsEachPictureToIt) {
  const fs::path by_factor = make_run(2), by_mpp = make_run(4);
  std::string text = read_file(by_mpp / "experiment.resolved.toml");
  text.replace(text.find("factor = 4"), 10, "mpp = 1.0");
  write_file_atomically(by_mpp / "experiment.resolved.toml", text);
  const Outcome unknown = predict("--device cpu", by_mpp);  // a PNG says nothing of its pixels
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.text, AllOf(HasSubstr("does not say how large its pixels are"), HasSubstr("1 um a pixel"),
                                  HasSubstr("--mpp M")));
  const auto result = [&](const std::string& more, const fs::path& which) {
    const Outcome outcome = predict(masks() + "--device cpu --overwrite " + more, which);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    std::string all = pixel_bytes(output("probabilities", "a")) + pixel_bytes(output("masks", "c"));
    const auto scores = nlohmann::json::parse(read_file(root / "out/scores.json"));
    for (const char* what : {"picture", "masks"}) {
      const std::string digest = scores["pictures"]["a"]["digests"][what];
      EXPECT_EQ(digest.size(), 64U);
      all += digest;
    }
    return all;
  };
  const std::string expected = result("", by_factor);
  EXPECT_EQ(result("--mpp 0.5", by_mpp), expected);
  EXPECT_EQ(result("--factor 2", by_mpp), expected);
  EXPECT_NE(result("--mpp 0.4", by_mpp), expected);
  EXPECT_EQ(predict("--device cpu --overwrite --mpp 2", by_mpp).code, 1) << "pictures are not enlarged";
  EXPECT_EQ(predict("--device cpu --overwrite --mpp 0.5", by_factor).code, 2) << "it would mean nothing";
}

TEST_F(Predict, OnePredictionAtATimeWritesIntoAFolder) {
  {
    const OutputLock held(root / "out");
    const Outcome second = predict("--device cpu");
    EXPECT_EQ(second.code, 1);
    EXPECT_THAT(second.text, AllOf(HasSubstr("a prediction is being written into " + (root / "out").string() +
                                             " by process " + std::to_string(::getpid()) + " on "),
                                   HasSubstr("two predictions in one folder would mix")));
    EXPECT_FALSE(fs::exists(root / "out/predict.json"));
  }
  const Outcome after = predict("--device cpu");
  EXPECT_EQ(after.code, 0) << after.text;
}

}  // namespace
}  // namespace nephron::host
