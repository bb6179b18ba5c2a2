// Slides of a store and slides in memory are the same slides: windows, targets, weights, label look-ups, digests. What
// changes neither pixels nor labels prepares nothing again, and slides of one file share its picture.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/fingerprint.hpp>
#include <nephron/image_cv.hpp>

#include <host/config/components.hpp>
#include <host/data/folds.hpp>
#include <host/data/store_slides.hpp>
#include <host/slides/opener.hpp>
#include <host/store/inventory.hpp>
#include <host/synth/synth.hpp>
#include <host/util/files.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreFeedTest : public testing::Test {
 protected:
  StoreFeedTest() : folder_(fs::temp_directory_path() / ("nephron_store_feed_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    SynthRequest request;
    request.out = folder_ / "kaggle";
    request.slides = 3;
    request.size = {1203, 898};
    request.params = table({{"radius", 40}, {"glomeruli", 20}, {"donors", 2}});
    write_synthetic(request, registry_);
    experiment_.classes = {"healthy", "unhealthy"};
    experiment_.data.factor = 2;
    experiment_.data.factors = {4};
    experiment_.data.folds.count = 2;
    experiment_.datasets.clear();
    add("hubmap_kaggle", table({{"root", (folder_ / "kaggle").string()}, {"part", "train"}}));
  }
  ~StoreFeedTest() override { fs::remove_all(folder_); }

  DatasetConfig& add(const std::string& type, Value params) {
    DatasetConfig d;
    d.component = {type, std::move(params), {}};
    return experiment_.datasets.emplace_back(d);
  }

  /// Maps of low and of high probabilities, also where nothing exceeds one half for a whole tile: a gradient.
  void predict(const std::string& name, int most) {
    const fs::path out = folder_ / name;
    fs::create_directories(out / "pictures");
    fs::create_directories(out / "probabilities/healthy");
    std::ofstream(out / "predict.json") << R"({"classes": ["healthy"], "trained_on": []})";
    ReaderOpener opener(registry_);
    for (const auto& file : fs::directory_iterator(folder_ / "kaggle/train")) {
      if (file.path().extension() != ".tiff") continue;
      const auto slide = opener.open(file.path());
      const std::string id = file.path().stem().string();
      std::ofstream(out / "pictures" / (id + ".json")) << R"({"fingerprint": ")" << fingerprint(*slide) << "\"}";
      cv::Mat map(static_cast<int>(slide->size().height), static_cast<int>(slide->size().width), CV_8U);
      for (int y = 0; y < map.rows; ++y)
        for (int x = 0; x < map.cols; ++x)
          map.at<std::uint8_t>(y, x) = static_cast<std::uint8_t>((x * most) / map.cols);
      ASSERT_TRUE(cv::imwrite((out / "probabilities/healthy" / (id + ".png")).string(), map));
    }
  }
  void add_pseudo_labels(int folds) {
    Value::Array maps;
    for (int k = 0; k < folds; ++k) {
      predict("maps" + std::to_string(k), 100 + 50 * k);  // those of the first never exceed one half
      maps.emplace_back((folder_ / ("maps" + std::to_string(k))).string());
    }
    add("pseudo_labels", table({{"root", (folder_ / "kaggle/train").string()}, {"maps", Value(std::move(maps))}}));
    experiment_.datasets.back().hold_out = false;
  }

  PreparedData held() {
    experiment_.data.store.clear();
    return prepare(experiment_, registry_);
  }
  PreparedData stored() {
    experiment_.data.store = folder_ / "store";
    return prepare(experiment_, registry_);
  }
  StoreOutcome prepare_all() {
    experiment_.data.store = folder_ / "store";
    const Listing listing(experiment_, registry_);
    return prepare_store(listing, {});
  }
  std::vector<RawBatch> batches(const PreparedData& data, bool training) {
    FeedOptions options;
    for (std::size_t i = 0; i < data.slides.size(); ++i)
      if (data.slides[i]->annotated()) options.slides.push_back(i);
    options.batch = 4;
    options.seed = 5;
    options.training = training;
    Feed feed(experiment_, registry_, data, options);
    feed.start(1, 0, training ? 12 : 6);
    std::vector<RawBatch> out;
    while (auto batch = feed.next()) out.push_back(*batch);
    return out;
  }
  std::map<std::string, fs::file_time_type> pictures() const {
    std::map<std::string, fs::file_time_type> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "store/pictures"))
      if (entry.path().extension() == ".tiff") out[entry.path().string()] = entry.last_write_time();
    return out;
  }

  Registry registry_ = plugins();
  Experiment experiment_ = synthetic_experiment();
  fs::path folder_;
};

TEST_F(StoreFeedTest, AugmentationsAreToldTheColoursOfTheirSlide) {
  const PreparedData in_memory = held(), in_store = stored();
  ASSERT_EQ(in_memory.slides.size(), in_store.slides.size());
  for (std::size_t i = 0; i < in_store.slides.size(); ++i) {
    const SlideColours *a = in_memory.slides[i]->colours(), *b = in_store.slides[i]->colours();
    ASSERT_NE(a, nullptr);
    ASSERT_NE(b, nullptr);
    EXPECT_EQ(a->stains, b->stains);
    EXPECT_EQ(a->strength, b->strength);
    EXPECT_EQ(a->lab_mean, b->lab_mean);
    EXPECT_EQ(a->lab_deviation, b->lab_deviation);
    EXPECT_EQ(a->background, b->background);
  }
  FeedOptions options;
  options.slides = {0, 2};
  const Feed feed(experiment_, registry_, in_store, options);
  for (std::int64_t n = 0; n < 20; ++n) {
    const RawWindow window = feed.window(0, n);
    ASSERT_NE(colour_book(window.info), nullptr);
    EXPECT_EQ(colour_book(window.info)->size(), 2U) << "what is not trained on is no target";
    EXPECT_EQ(slide_colours(window.info), feed.slide_of(0, n).colours());
  }
}

TEST_F(StoreFeedTest, WindowsAndTargetsAreTheSameBytes) {
  add_pseudo_labels(2);
  const PreparedData memory = held(), store = stored();
  ASSERT_EQ(memory.slides.size(), store.slides.size());
  ASSERT_EQ(memory.slides.size(), 9U);
  std::set<int> soft;
  for (std::size_t i = 0; i < memory.slides.size(); ++i) {
    const PreparedSlide &a = *memory.slides[i], &b = *store.slides[i];
    EXPECT_EQ(a.info().id, b.info().id);
    EXPECT_EQ(a.info().mpp, b.info().mpp);
    EXPECT_EQ(a.catalog().tissue, b.catalog().tissue);
    EXPECT_EQ(a.catalog().foreground, b.catalog().foreground);
    EXPECT_EQ(a.digests().picture, b.digests().picture);
    EXPECT_EQ(a.digests().labels, b.digests().labels);
    EXPECT_EQ(a.digests().picture.size(), 64U);
    EXPECT_EQ(a.digests().labels.size(), a.annotated() ? 64U : 0U);
    ASSERT_EQ(a.soft_classes(), b.soft_classes());
    soft.insert(a.soft_classes());
    if (a.soft_classes() == 0) continue;
    const Region all{0, 0, a.size().width, a.size().height};
    const Image x(a.size(), 1), z(a.size(), 1);
    a.read_soft(0, all, x.view()), b.read_soft(0, all, z.view());
    EXPECT_EQ(cv::norm(as_mat(x.view()), as_mat(z.view()), cv::NORM_INF), 0) << a.info().id;
    EXPECT_GT(cv::countNonZero(as_mat(x.view())), 0);
  }
  EXPECT_EQ(soft.size(), 2U);
  for (const char* sampler : {"guided", "uniform", "grid"}) {
    experiment_.sampler.type = sampler;
    for (const bool training : {true, false}) {
      const auto a = batches(memory, training), b = batches(store, training);
      ASSERT_EQ(a.size(), b.size());
      ASSERT_FALSE(a.empty());
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].ids, b[i].ids);
        EXPECT_EQ(a[i].weights, b[i].weights);
        EXPECT_TRUE(a[i].images == b[i].images) << sampler << " batch " << i;
        EXPECT_TRUE(a[i].labels == b[i].labels) << sampler << " batch " << i;
      }
    }
  }
}

TEST_F(StoreFeedTest, FoldsOfPseudoLabelsShareOnePictureWithTheirDataset) {
  add_pseudo_labels(3);
  const StoreOutcome outcome = prepare_all();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.made, 3 + 9);
  EXPECT_EQ(outcome.pictures, 3);
  EXPECT_EQ(pictures().size(), 6U);  // two factors each
  EXPECT_EQ(prepare_all().kept, 12);
  std::set<std::string> digests;
  for (const auto& slide : stored().slides) digests.insert(slide->digests().picture);
  EXPECT_EQ(digests.size(), 3U);
}

TEST_F(StoreFeedTest, TargetsAndNamesOfClassesPrepareNoPictureAgain) {
  prepare_all();
  const auto before = pictures();
  Value::Array targets;
  targets.emplace_back(table({{"class", "healthy"}, {"any_of", Value::Array{"healthy", "unhealthy"}}}));
  experiment_.datasets[0].component.params.set("targets", Value(std::move(targets)));
  StoreOutcome outcome = prepare_all();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.pictures, 0);
  experiment_.datasets[0].component.params = table({{"root", (folder_ / "kaggle").string()}, {"part", "train"}});
  experiment_.classes = {"glomerulus", "sclerotic"};
  outcome = prepare_all();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.pictures, 0);
  EXPECT_EQ(outcome.made, 3);
  EXPECT_EQ(pictures(), before);
  // Another reduction leaves those that are there, and their digests.
  const std::string digest = stored().slides[0]->digests().picture;
  experiment_.data.factors = {4, 8};
  EXPECT_EQ(prepare_all().pictures, 3);
  for (const auto& [file, time] : before) EXPECT_EQ(pictures().at(file), time) << file;
  EXPECT_EQ(stored().slides[0]->digests().picture, digest);
}

// A run's experiment has its keys in another order and every default written out: the slides are the same.
TEST_F(StoreFeedTest, WrittenDefaultsAndTheOrderOfKeysPrepareNothingAgain) {
  const StoreOutcome first = prepare_all();
  EXPECT_EQ(first.made, 3);
  Value& params = experiment_.datasets[0].component.params;
  for (const FieldInfo& field : RegistryComponents(registry_).schema("dataset", "hubmap_kaggle").fields())
    if (!field.fallback.is(Value::Type::null) && params.find(field.name) == nullptr)
      params.set(field.name, field.fallback);
  std::reverse(params.table().begin(), params.table().end());
  const StoreOutcome again = prepare_all();
  EXPECT_THAT(again.problems, IsEmpty());
  EXPECT_EQ(again.made, 0);
  EXPECT_EQ(again.kept, 3);
}

// Slides of 0.9 um a pixel: twice that is factor 2, to the byte; anything else is an area mean of its own.
TEST_F(StoreFeedTest, SlidesAreBroughtToOneSizeOfAPixel) {
  const PreparedData by_factor = stored();
  const auto first = pictures();
  experiment_.data.factor = 1;
  experiment_.data.mpp = 1.8;
  const PreparedData by_mpp = stored();
  EXPECT_EQ(pictures(), first) << "the pictures of factor 2 are those";
  for (std::size_t i = 0; i < by_mpp.slides.size(); ++i) {
    EXPECT_EQ(by_mpp.slides[i]->reduction(), Reduction(2));
    EXPECT_EQ(by_mpp.slides[i]->digests().picture, by_factor.slides[i]->digests().picture);
    EXPECT_EQ(by_mpp.slides[i]->digests().labels, by_factor.slides[i]->digests().labels);
  }
  experiment_.datasets[0].component.params.set("mpp", 0.7331);  // the dataset knows better than the file
  const PreparedData memory = held(), store = stored();
  experiment_.data.mpp = 0, experiment_.data.factor = 1;
  const PreparedData full = held();
  for (std::size_t i = 0; i < store.slides.size(); ++i) {
    const PreparedSlide& slide = *store.slides[i];
    EXPECT_NEAR(slide.reduction().value(), 1.8 / 0.7331, 1e-11);  // of twelve digits
    EXPECT_EQ(slide.digests().picture, memory.slides[i]->digests().picture);
    EXPECT_EQ(slide.digests().labels, memory.slides[i]->digests().labels);
    const Size size = slide.size(), whole = full.slides[i]->size();
    EXPECT_EQ(size.width, static_cast<std::int64_t>(1203 / 1.8 * 0.7331));
    const Image image(size, 3), labels(size, 1), full_image(whole, 3), full_labels(whole, 1);
    slide.read({0, 0, size.width, size.height}, image.view(), labels.view());
    full.slides[i]->read({0, 0, whole.width, whole.height}, full_image.view(), full_labels.view());
    cv::Mat small, bits;
    const cv::Size to(static_cast<int>(size.width), static_cast<int>(size.height));
    cv::resize(as_mat(full_image.view()), small, to, 0, 0, cv::INTER_AREA);
    cv::resize(as_mat(full_labels.view()), bits, to, 0, 0, cv::INTER_NEAREST);
    EXPECT_EQ(cv::norm(small, as_mat(image.view()), cv::NORM_INF), 0);
    EXPECT_EQ(cv::norm(bits, as_mat(labels.view()), cv::NORM_INF), 0);
  }
  bool stated = false;
  for (const StoredFolder& folder : list_store(folder_ / "store"))
    for (const PictureRecord& record : folder.pictures)
      stated = stated || (record.reduction == store.slides[0]->reduction() && record.mpp > 0.89 && record.mpp < 0.91);
  EXPECT_TRUE(stated);
}

TEST_F(StoreFeedTest, SlidesOfUnknownResolutionAreRefused) {
  fs::create_directories(folder_ / "plain/images");
  cv::imwrite((folder_ / "plain/images/a.png").string(), cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(200)));
  experiment_.datasets.clear();
  add("image_folder", table({{"root", (folder_ / "plain").string()}}));
  experiment_.data.factor = 1;
  experiment_.data.mpp = 0.5;
  const auto said = [&](bool in_store) -> std::string {
    try {
      in_store ? stored() : held();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  for (const bool in_store : {true, false})
    EXPECT_THAT(said(in_store), testing::AllOf(HasSubstr("slide \"a\" does not say how large its pixels are"),
                                               HasSubstr("brought to 0.5 um a pixel"),
                                               HasSubstr("mpp = ... in the [[dataset]] \"image_folder\"")));
  experiment_.datasets[0].component.params.set("mpp", 0.7);
  for (const bool in_store : {true, false})
    EXPECT_THAT(said(in_store), HasSubstr("slide \"a\" has pixels of 0.7 um, larger than the 0.5 um"));
  experiment_.datasets[0].component.params.set("mpp", 0.25);
  EXPECT_EQ(stored().slides[0]->reduction(), Reduction(2));
}

TEST_F(StoreFeedTest, ARunSaysWhatItsSlidesHeldAndGoesOnWithNoOther) {
  const auto settle = [&](const PreparedData& data) {
    settle_fold_slides(folder_ / "fold-0/slides.json", experiment_, data, slides_of(data, 0));
  };
  const PreparedData data = stored();
  settle(data);
  const std::string text = read_file(folder_ / "fold-0/slides.json");
  for (const auto& slide : data.slides) {
    EXPECT_THAT(text, HasSubstr(slide->digests().picture));
    EXPECT_THAT(text, HasSubstr(slide->digests().labels));
  }
  settle(held());  // the same pixels, wherever they are
  std::string table = read_file(folder_ / "kaggle/train.csv");
  const std::size_t line = table.find('\n') + 1, comma = table.find(',', line);
  const std::string id = table.substr(line, comma - line);
  table.replace(comma + 1, table.find('\n', line) - comma - 1, "1 9");
  write_file_atomically(folder_ / "kaggle/train.csv", table);
  try {
    settle(stored());
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("with other pixels or labels then: \"" + id + "\""));
  }
}

}  // namespace
}  // namespace nephron::host
