// Runs and predictions with damage in any of their files: a page, or an Error that names the file. NEPHRON_TRIES=20000
// makes a campaign of it.
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/scores.hpp>
#include <host/report/report.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <tests/support/campaign.hpp>
#include <tests/support/damaged.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

class DamagedFolders : public testing::Test {
 protected:
  void SetUp() override {
    set_log_level(Log::Level::error);  // pictures that are not shown are warned of
    root_ = fs::temp_directory_path() / ("nephron-damaged-folders-" + std::to_string(::getpid()));
    run_ = root_ / "runs/unet/20260101-000000-abcdef";
    for (const fs::path& folder : {run_ / "fold-0", root_ / "images"}) fs::create_directories(folder);
    put(run_ / "experiment.resolved.toml", "name = \"unet\"\nclasses = [\"a\", \"b\"]\n");
    put(run_ / "environment.json", R"({"started": "now", "host": "h", "device": "cpu", "folds": [0, 1],
        "versions": {"torch": "2"}, "plugins": [{"plugin": "p", "sha256": "00"}]})");
    put(run_ / "fold-0/metrics.jsonl",
        "{\"step\": 1, \"loss\": 0.7, \"lr\": 0.001}\n{\"step\": 2, \"epoch\": 0, \"val_loss\": 0.6, \"dice\": 0.8}\n");
    put(run_ / "fold-0/done.json", R"({"fold": 0, "steps": 2, "best_dice": 0.8125, "seconds": 61})");
    put(run_ / "fold-0/slides.json", R"({"trained_on": [{"id": "a", "dataset": "d", "donor": "", "source": "a.png"}],
        "held_out": [{"id": "b", "dataset": "d", "donor": "", "source": "b.png"}]})");
    const OutputFolder output(root_ / "out", classes_);
    output.make({}, false);
    Scores scores;
    scores.classes = classes_;
    const Image picture({24, 16}, 3), mask({24, 16}, 1);
    save_png(root_ / "images/s.png", picture.view());
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      save_png(output.mask(c, "s"), mask.view());
      save_png(output.probability(c, "s"), mask.view());
    }
    put(output.picture("s"), "{}");
    scores.pictures["s"] = {{0.5, 0.5}, {0.9, 0.8}, {0.9, 0.8}};
    scores.trained_on["s"] = {{0}, "file"};
    scores.failures["t"] = "is damaged";
    write_scores(output.scores(), scores);
    put(output.facts(), "{\"images\": \"" + (root_ / "images").string() +
                            "\", \"masks\": \"\", \"classes\": [\"a\", \"b\"], \"settings\": {\"folds\": [0], \"tta\": "
                            "[\"identity\"], \"overlap\": 1.5}}");
    write_validation();
    files_ = {run_ / "validation/scores.json",
              run_ / "validation/slides.jsonl",
              run_ / "validation/objects.jsonl",
              run_ / "environment.json",
              run_ / "fold-0/metrics.jsonl",
              run_ / "fold-0/done.json",
              run_ / "fold-0/slides.json",
              output.scores(),
              output.facts(),
              output.mask(1, "s"),
              output.probability(0, "s")};
    for (const fs::path& file : files_) sound_.push_back(read_file(file));
  }
  void TearDown() override { fs::remove_all(root_); }

  void write_validation() const {
    fs::create_directories(run_ / "validation");
    put(run_ / "validation/scores.json", R"({"classes": ["a", "b"], "metrics": ["dice"], "tta": ["identity"],
        "folds": [0], "checkpoint": "best", "precision": "fp32", "exclusive": false, "complete": true,
        "thresholds": {"a": 0.5, "b": 0.5}, "dice_by_threshold": {"a": {"best_threshold": 0.2,
        "at_best_threshold": {"mean": 0.7, "deviation": 0}, "at_each_slides_best": {"mean": 0.7, "deviation": 0},
        "at_0.5": {"mean": 0.6, "deviation": 0}, "at_other_folds_best": {"mean": 0.6, "deviation": 0},
        "thresholds": [0.2, 0.5], "mean_dice": [0.7, 0.6],
        "curves": [[0.7, 0.6]]}}, "values": [{"metric": "dice", "name": "dice", "class": "a", "value": 0.6,
        "pooled_over": "pixels", "slides": 1, "mean": 0.6, "deviation": null}], "curves": [{"metric": "calibration",
        "name": "reliability", "class": "a", "x": "p", "y": "share", "points": [[0.1, 0.2], [0.9, 0.8]]}],
        "failures": {"t": "is damaged"}})");
    put(run_ / "validation/slides.jsonl",
        "{\"slide\": \"b\", \"dataset\": \"d\", \"fold\": 0, \"class\": \"a\", \"width\": 40, \"height\": 30, \"mpp\": "
        "0.5, \"picture_sha256\": null, \"truth_sha256\": null, \"threshold\": 0.5, \"dice\": 0.6}\n");
    std::string objects;
    for (const char* side : {"found", "true"})
      objects +=
          "{\"slide\": \"b\", \"dataset\": \"d\", \"fold\": 0, \"side\": \"" + std::string(side) +
          "\", \"object\": 0, \"class\": \"a\", \"x\": 3, \"y\": 4, \"width\": 10, \"height\": 9, \"area_px\": "
          "80, \"diameter_um\": 5.5, \"confidence\": 0.9, \"iou\": 0.75, \"other\": 0, \"other_class\": \"a\"}\n";
    put(run_ / "validation/objects.jsonl", objects);
  }

  std::string page() const {
    ReportRequest request{run_, {root_ / "out"}, 24, 64};
    request.gallery = 0;  // the slides are nowhere
    return report_html(request);
  }

  /// "" where a page comes of it, or an Error that names a file.
  std::string try_one(std::int64_t i) const {
    const std::size_t n = static_cast<std::size_t>(i) % files_.size();
    Rng rng(5, "damage", 0, static_cast<std::uint64_t>(i));
    put(files_[n], damaged(sound_[n], json_damage(), rng));
    std::string problem;
    try {
      page();
    } catch (const Error& e) {
      const std::string said = e.what();
      const bool names_it = said.find(root_.string()) != std::string::npos ||
                            said.find("pictures of ") != std::string::npos;  // another folder, and it is named
      if (!names_it) problem = "no file is named: " + said;
    } catch (const std::exception& e) {
      problem = std::string("no Error: ") + e.what();
    }
    if (!problem.empty())
      problem += " (" + files_[n].filename().string() + ": " + read_file(files_[n]).substr(0, 300) + ")";
    put(files_[n], sound_[n]);
    return problem;
  }

  std::vector<std::string> classes_{"a", "b"};
  fs::path root_, run_;
  std::vector<fs::path> files_;
  std::vector<std::string> sound_;
};

TEST_F(DamagedFolders, GiveAPageOrAnErrorThatNamesTheFile) {
  ASSERT_NE(page().find("0.9000"), std::string::npos);
  ASSERT_NE(page().find("Reliability"), std::string::npos);
  EXPECT_EQ(campaign(0, tries(600), {}, [&](std::int64_t i) { return try_one(i); }), std::vector<std::string>());
}

}  // namespace
}  // namespace nephron::host
