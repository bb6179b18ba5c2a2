// Who trains on what, and what makes a fold's Dice better than it is.
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <nephron/error.hpp>
#include <nephron/fingerprint.hpp>

#include <host/data/folds.hpp>
#include <host/data/store_slides.hpp>
#include <host/slides/make_component.hpp>
#include <host/synth/synth.hpp>
#include <host/util/files.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FoldsTest : public testing::Test {
 protected:
  FoldsTest() : folder_(fs::temp_directory_path() / ("nephron_folds_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    SynthRequest request;
    request.out = folder_ / "kaggle";
    request.slides = 3;
    request.size = {320, 256};
    request.params = table({{"radius", 30}, {"glomeruli", 25}, {"donors", 2}});
    write_synthetic(request, registry_);
    experiment_.classes = {"healthy", "unhealthy"};
    experiment_.data.factor = 1;
    experiment_.data.folds.count = 3;
    experiment_.datasets.clear();
    add("hubmap_kaggle", table({{"root", (folder_ / "kaggle").string()}}));
  }
  ~FoldsTest() override { fs::remove_all(folder_); }

  DatasetConfig& add(const std::string& type, Value params) {
    DatasetConfig d;
    d.component = {type, std::move(params), {}};
    return experiment_.datasets.emplace_back(d);
  }
  std::vector<std::string> found(const std::vector<int>& which = {0, 1, 2}) {
    data_ = prepare(experiment_, registry_);
    return leaks(experiment_, data_, which);
  }
  /// What `nephron predict` writes of a slide: a map that is 200 / 255 everywhere.
  void predict(const fs::path& out, const SlideInfo& slide, const std::vector<std::string>& trained_on) {
    fs::create_directories(out / "pictures");
    std::string list;
    for (const auto& id : trained_on) list += (list.empty() ? "\"" : ", \"") + id + "\"";
    std::ofstream(out / "predict.json") << R"({"classes": ["healthy"], "trained_on": [)" << list << "]}";
    ReaderOpener opener(registry_);
    const auto reader = opener.open(slide.source);
    std::ofstream(out / "pictures" / (slide.id + ".json")) << R"({"fingerprint": ")" << fingerprint(*reader) << "\"}";
    const Size size = reader->size();
    fs::create_directories(out / "probabilities/healthy");
    const cv::Mat map(static_cast<int>(size.height), static_cast<int>(size.width), CV_8U, cv::Scalar(200));
    ASSERT_TRUE(cv::imwrite((out / "probabilities/healthy" / (slide.id + ".png")).string(), map));
  }

  Registry registry_ = plugins();
  Experiment experiment_ = synthetic_experiment();
  fs::path folder_;
  PreparedData data_;
};

TEST_F(FoldsTest, ADonorOnBothSidesIsFound) {
  // donor-0, donor-1, donor-0 in an order that the ids give
  EXPECT_THAT(found(), ElementsAre(AllOf(HasSubstr("donor \"donor-0\" stands on both sides of folds"),
                                         HasSubstr("data.folds.by = \"donor\""))));
  EXPECT_THAT(data_.folds, ElementsAre(0, 1, 2));
  experiment_.data.folds.by = "donor";
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(FoldsTest, ASlideThatIsThereTwiceIsFound) {
  experiment_.data.folds.by = "donor";
  fs::create_directories(folder_ / "portal");
  found();
  const fs::path source = data_.slides[0]->info().source;
  fs::copy_file(source, folder_ / "portal" / "VAN0001.ome.tif");
  add("hubmap_portal", table({{"root", (folder_ / "portal").string()}}));
  EXPECT_THAT(found(), ElementsAre(AllOf(HasSubstr("slide \"" + source.stem().string() + "\" of \"hubmap_kaggle\""),
                                         HasSubstr("slide \"VAN0001\" of \"hubmap_portal\" have equal pixels; one"))));
  std::ofstream(folder_ / "portal" / "VAN0001.json") << "[]";  // annotated: it is trained on and held out
  EXPECT_THAT(found(), ElementsAre(HasSubstr("trained on one and validated on the other")));
  experiment_.datasets[1].hold_out = false;
  EXPECT_THAT(found(), ElementsAre(HasSubstr("fold " + std::to_string(data_.folds[0]) + " is trained on one")));
  EXPECT_EQ(data_.folds.back(), -1);
}

// Every start of a training looks for duplicates: the store's records tell, and pixels are not read anew.
TEST_F(FoldsTest, DuplicatesInTheStoreAreFoundByItsRecords) {
  experiment_.data.folds.by = "donor";
  experiment_.data.store = folder_ / "store";
  experiment_.data.factors = {2};
  EXPECT_THAT(found(), IsEmpty());
  fs::create_directories(folder_ / "portal");
  fs::copy_file(data_.slides[0]->info().source, folder_ / "portal" / "VAN0001.ome.tif");
  add("hubmap_portal", table({{"root", (folder_ / "portal").string()}}));
  experiment_.data.factors.clear();  // what is prepared besides changes no digest
  EXPECT_THAT(found(), ElementsAre(HasSubstr("have equal pixels")));

  fs::path record;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "store"))
    if (entry.path().filename() == "picture-1.json" &&
        entry.path().parent_path().filename().string().starts_with("VAN0001"))
      record = entry.path();
  const std::string digest = data_.slides.back()->digests().picture;
  ASSERT_EQ(digest.size(), 64U);
  std::string text = read_file(record);
  text.replace(text.find(digest), 64, std::string(64, '0'));
  write_file_atomically(record, text);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(FoldsTest, TrainingKnowsOnlyItsSide) {
  found();
  for (int k = 0; k < 3; ++k) {
    const FoldSlides slides = slides_of(data_, k);
    EXPECT_EQ(slides.held_out.size(), 1U);
    EXPECT_EQ(slides.training.size(), 2U);
    settle_fold_slides(folder_ / ("fold-" + std::to_string(k)) / "slides.json", experiment_, data_, slides);
  }
  const auto one = trained_on(folder_, {1});
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->size(), 2U);
  EXPECT_EQ(std::find(one->begin(), one->end(), data_.slides[1]->info().id), one->end());
  EXPECT_EQ(trained_on(folder_, {0, 1, 2})->size(), 3U);
  EXPECT_FALSE(trained_on(folder_, {0, 7}).has_value());
  std::ofstream(folder_ / "fold-0" / "slides.json") << "{";
  EXPECT_THROW((void)trained_on(folder_, {0}), Error);
}

TEST_F(FoldsTest, PseudoLabelsStayOutOfValidationAndOfOtherFolds) {
  found();
  std::vector<std::string> ids;
  for (const auto& slide : data_.slides) ids.push_back(slide->info().id);
  // A slide of test/, which nobody has labelled, with maps of three networks.
  SlideInfo test;
  for (const auto& entry : fs::directory_iterator(folder_ / "kaggle" / "test")) test.source = entry.path();
  test.id = test.source.stem().string();
  Value::Array maps;
  for (std::size_t k = 0; k < 3; ++k) {
    predict(folder_ / std::to_string(k), test, {ids[(k + 1) % 3], ids[(k + 2) % 3]});
    maps.emplace_back((folder_ / std::to_string(k)).string());
  }
  add("pseudo_labels", table({{"root", (folder_ / "kaggle" / "test").string()}, {"maps", Value(maps)}}));
  found();
  ASSERT_EQ(data_.slides.size(), 6U) << testing::PrintToString(data_.problems);
  EXPECT_THAT(data_.folds, ElementsAre(0, 1, 2, -1, -1, -1));
  for (int k = 0; k < 3; ++k) {
    EXPECT_THAT(slides_of(data_, k).training, testing::SizeIs(3));
    EXPECT_EQ(slides_of(data_, k).training.back(), 3U + static_cast<std::size_t>(k));
    EXPECT_NO_THROW(require_unseen(data_, k));
  }
  EXPECT_EQ(data_.slides[3]->soft_classes(), 1U);
  EXPECT_EQ(data_.slides[3]->targets()[1].weight, 0);

  predict(folder_ / "1", test, {ids[1]});  // the network of fold 1 was trained on what fold 1 holds out
  try {
    require_unseen(data_, 1);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("trained on \"" + ids[1] + "\", which fold 1 is validated on"));
  }
  EXPECT_NO_THROW(require_unseen(data_, 0));
}

}  // namespace
}  // namespace nephron::host
