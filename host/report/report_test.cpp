#include <host/report/report.hpp>

#include <cmath>
#include <fstream>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/html/chart.hpp>
#include <host/html/html.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/scores.hpp>
#include <host/report/overlay.hpp>
#include <host/report/page_script.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Overlay, OutlinesInTheirColours) {
  Image picture({64, 48}, 3), mask({64, 48}, 1);
  for (int y = 10; y < 30; ++y) std::fill_n(mask.view().row<std::uint8_t>(y) + 10, 20, std::uint8_t{255});
  const Image found = outlined(picture, mask, Image());
  const std::uint8_t* const blue = found.view().row<std::uint8_t>(20) + 3 * 10;
  EXPECT_GT(blue[2], 150);
  EXPECT_LT(blue[0], 30);
  const Image both = outlined(picture, Image({64, 48}, 1), mask);
  EXPECT_LT(both.view().row<std::uint8_t>(20)[3 * 10 + 2], 30) << "the truth is black";
  EXPECT_EQ(shown_size({64, 48}, 32), (Size{32, 24}));
  EXPECT_EQ(shown_size({64, 48}, 640), (Size{64, 48})) << "nothing is enlarged";
  EXPECT_THROW(outlined(picture, Image({3, 3}, 1), Image()), Error);
  EXPECT_THROW(heated(picture, Image({3, 3}, 1)), Error);
}

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("nephron-report-" + std::to_string(::getpid()));
    run = root / "runs/unet/20260101-000000-abcdef";
    fs::create_directories(run / "fold-0");
    fs::create_directories(root / "images");
    fs::create_directories(root / "masks");
    put(run / "experiment.resolved.toml", "name = \"<script>alert(1)</script>\"\nclasses = [\"glomerulus\"]\n");
    put(run / "environment.json", R"({"device": "cpu", "versions": {"torch": "2 & 3"}})");
    put(run / "fold-0/metrics.jsonl",
        "{\"step\": 1, \"loss\": 0.7, \"lr\": 0.001}\n{\"step\": 2, \"loss\": 0.5, \"lr\": 0.0005}\n"
        "{\"step\": 2, \"epoch\": 0, \"val_loss\": 0.6, \"dice\": 0.8}\n");
    put(run / "fold-0/done.json",
        R"({"fold": 0, "steps": 2, "best_dice": 0.8125, "average_dice": 0.8375, "seconds": 61})");
  }
  void TearDown() override { fs::remove_all(root); }
  static void put(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

  void predict() const {
    const OutputFolder output(root / "out", {"glomerulus"});
    output.make({}, false);
    Scores scores;
    scores.classes = {"glomerulus"};
    for (const char* id : {"slide-1", "slide-2"}) {
      Image picture({40, 30}, 3), mask({40, 30}, 1);
      std::fill_n(mask.view().row<std::uint8_t>(9) + 5, 20, std::uint8_t{255});
      save_png(root / "images" / (std::string(id) + ".png"), picture.view());
      save_png(root / "masks" / (std::string(id) + ".png"), mask.view());
      save_png(output.mask(0, id), mask.view());
      save_png(output.probability(0, id), mask.view());
      put(output.picture(id), "{}");
      scores.pictures[id] = {{0.5}, {0.9321}, {0.93}};
    }
    scores.failures["slide-3"] = "is damaged & <b>lost</b>";
    write_scores(output.scores(), scores);
    put(output.facts(), "{\"images\": \"" + (root / "images").string() + "\", \"masks\": \"" +
                            (root / "masks").string() + "\", \"classes\": [\"glomerulus\"]}");
  }
  fs::path root, run;
};

TEST_F(ReportTest, HoldsEverythingAndRefersToNothing) {
  predict();
  const std::string page = report_html({run, {root / "out"}, 24, 200});
  for (const char* part : {"<!DOCTYPE html>", "Validation Dice", "Learning rate", "0.9321", "0.8125",
                           "Dice of averaged weights", "0.8375", "slide-2", "1 min 01 s", "slide-3", "2 &amp; 3"})
    EXPECT_THAT(page, HasSubstr(part)) << part;
  // The one script is ours, and no other may run.
  EXPECT_EQ(page.find("<script"), page.rfind("<script"));
  EXPECT_THAT(page, HasSubstr("<script>" + std::string(page_script) + "</script>"));
  EXPECT_THAT(page, HasSubstr("script-src 'sha256-"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(page, HasSubstr("is damaged &amp; &lt;b&gt;lost"));
  const std::string loaded = std::regex_replace(page, std::regex("placeholder=\"http://"), "");
  EXPECT_THAT(loaded, Not(HasSubstr("http://")));
  EXPECT_THAT(loaded, Not(HasSubstr("https://")));
  const std::regex source("(src|href)=\"([^\"]*)");
  int pictures = 0;
  for (std::sregex_iterator i(page.begin(), page.end(), source), end; i != end; ++i, ++pictures)
    EXPECT_THAT((*i)[2].str().substr(0, 23), "data:image/jpeg;base64,");
  EXPECT_EQ(pictures, 4);  // two a picture
  for (const char* tag : {"div", "table", "svg", "figure", "details", "tr"}) {
    const std::regex open("<" + std::string(tag) + "[ >]"), close("</" + std::string(tag) + ">");
    const auto count = [&](const std::regex& r) {
      return std::distance(std::sregex_iterator(page.begin(), page.end(), r), std::sregex_iterator());
    };
    EXPECT_EQ(count(open), count(close)) << tag;
  }
}

TEST_F(ReportTest, SlidesOfAFoldAreCountedAndADamagedListOfThemIsAnError) {
  EXPECT_THAT(report_html({run, {}, 24, 200}), HasSubstr("<td>–</td>"));
  put(run / "fold-0/slides.json", R"({"trained_on": [{"id": "a"}, {"id": "b"}], "held_out": [{"id": "c"}]})");
  EXPECT_THAT(report_html({run, {}, 24, 200}), HasSubstr("2 + 1"));
  for (const char* damaged : {R"({"trained_on": [{"id")", R"({"trained_on": [], "held_out": 3})", ""}) {
    put(run / "fold-0/slides.json", damaged);
    EXPECT_THAT(
        [&] {
          report_html({run, {}, 24, 200});
        },
        ::testing::ThrowsMessage<Error>(HasSubstr((run / "fold-0/slides.json").string())))
        << damaged;
  }
}

TEST_F(ReportTest, TrainingAloneAndFewerPictures) {
  EXPECT_THAT(report_html({run, {}, 24, 200}), Not(HasSubstr("<img")));
  predict();
  const std::string one = report_html({run, {root / "out"}, 1, 200});
  EXPECT_THAT(one, HasSubstr("The 1 worst of 2 pictures"));
}

TEST_F(ReportTest, APictureThatIsGoneIsSaid) {
  predict();
  put(root / "images/slide-2.png", "no longer a picture");
  const std::string page = report_html({run, {root / "out"}, 24, 200});
  EXPECT_THAT(page, HasSubstr("cannot read the picture"));
}

/// The rows of a table as texts of their cells.
std::vector<std::vector<std::string>> rows_of(const std::string& page, const std::string& after) {
  const std::size_t from = page.find("<table", page.find(after));
  const std::string table = page.substr(from, page.find("</table>", from) - from);
  std::vector<std::vector<std::string>> out;
  const std::regex row("<tr>([\\s\\S]*?)</tr>"), cell("<t[dh][^>]*>([\\s\\S]*?)</t[dh]>"), tag("<[^>]*>");
  for (std::sregex_iterator r(table.begin(), table.end(), row), end; r != end; ++r) {
    const std::string line = (*r)[1];
    out.emplace_back();
    for (std::sregex_iterator c(line.begin(), line.end(), cell); c != end; ++c)
      out.back().push_back(std::regex_replace((*c)[1].str(), tag, ""));
  }
  return out;
}

TEST_F(ReportTest, SlidesAgainstFoldsWithMeanAndDeviation) {
  const auto fold = [&](int k, const std::map<std::string, double>& dice) {
    const fs::path folder = root / ("out-" + std::to_string(k));
    fs::create_directories(folder);
    Scores scores;
    scores.classes = {"glomerulus"};
    for (const auto& [id, value] : dice) scores.pictures[id] = {{0.5}, {value}, {value}};
    write_scores(folder / "scores.json", scores);
    put(folder / "predict.json", "{\"images\": \"" + (root / "images").string() +
                                     "\", \"masks\": \"\", \"classes\": [\"glomerulus\"], \"settings\": {\"folds\": [" +
                                     std::to_string(k) + "]}}");
    return folder;
  };
  save_png(root / "images/a.png", Image({8, 8}, 3).view());
  const std::vector<fs::path> folders{fold(0, {{"a", 0.9}, {"b", 0.7}}), fold(3, {{"b", 0.5}, {"c", 0.6}})};
  const auto rows = rows_of(report_html({run, folders, 24, 200}), "Dice of each slide and fold");
  // Deviations are of the population, as numpy.std gives them.
  EXPECT_THAT(rows, ElementsAre(ElementsAre("slide", "fold 0", "fold 3", "mean", "deviation"),
                                ElementsAre("a", "0.9000", "", "0.9000", ""),
                                ElementsAre("b", "0.7000", "0.5000", "0.6000", "0.1000"),
                                ElementsAre("c", "", "0.6000", "0.6000", ""),
                                ElementsAre("mean", "0.8000", "0.5500", "0.7000", ""),
                                ElementsAre("standard deviation", "0.1000", "0.0500", "0.1414", "")));
}

TEST_F(ReportTest, SaysWhatIsMissing) {
  fs::create_directories(root / "nothing");
  EXPECT_THROW(report_html({root / "nothing", {}, 24, 200}), Error);
  EXPECT_THROW(report_html({run, {root / "nothing"}, 24, 200}), Error);
  put(run / "fold-0/done.json", "{torn");
  EXPECT_THAT([&] { report_html({run, {}, 24, 200}); }, ::testing::ThrowsMessage<Error>(HasSubstr("done.json")));
  fs::remove(run / "fold-0/done.json");
  EXPECT_THAT(report_html({run, {}, 24, 200}), HasSubstr("not finished"));
  put(run / "environment.json", "{torn");
  EXPECT_THAT([&] { report_html({run, {}, 24, 200}); }, ::testing::ThrowsMessage<Error>(HasSubstr("environment.json")));
}

// A prediction whose files disagree is refused with the file's name; arrays were read past their ends before.
TEST_F(ReportTest, APredictionIsReadWhole) {
  const auto refused = [&](const std::string& file, const std::string& text) {
    predict();
    put(root / "out" / file, text);
    EXPECT_THAT(
        [&] {
          report_html({run, {root / "out"}, 24, 200});
        },
        ::testing::ThrowsMessage<Error>(HasSubstr(file)))
        << text;
  };
  const std::string images = (root / "images").string();
  refused("predict.json", "{\"images\": \"" + images + "\", \"masks\": \"\", \"classes\": []}");
  refused("predict.json", "{\"images\": \"" + images + "\", \"masks\": \"\", \"classes\": [\"a\", \"a\"]}");
  refused("scores.json", R"({"classes": ["other"], "pictures": {}, "failures": {}})");
  refused("scores.json", R"({"classes": ["glomerulus"], "pictures": {"slide-1": {"threshold": {}, "dice": {},
      "dice_reduced": {}}}, "failures": {}})");
  refused("scores.json", R"({"classes": [], "pictures": {"slide-1": {"threshold": {}, "dice": {"glomerulus": 0.5},
      "dice_reduced": {}}}, "failures": {}})");
  refused("scores.json", R"({"classes": ["glomerulus"], "pictures": {"gone": {"threshold": {"glomerulus": 0.5},
      "dice": {"glomerulus": 0.5}, "dice_reduced": {"glomerulus": 0.5}}}, "failures": {}})");
}

}  // namespace
}  // namespace nephron::host
