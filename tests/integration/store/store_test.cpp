// Preparing in this process: what the store holds equals what memory holds, and what went wrong is told.
#include <random>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>

#include <host/data/label_source.hpp>
#include <host/data/stored_slide.hpp>
#include <host/feed/catalog.hpp>
#include <host/store/inventory.hpp>
#include <host/store/marker.hpp>
#include <host/util/command_output.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/thread_pool.hpp>

#include "store_fixture.hpp"

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using StoreTest = StoreFixture;

void expect_equal(const PreparedSlide& a, const PreparedSlide& b, std::mt19937& random) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.info().id, b.info().id);
  EXPECT_EQ(a.annotated(), b.annotated());
  EXPECT_EQ(a.catalog().foreground, b.catalog().foreground);
  EXPECT_EQ(a.catalog().group, b.catalog().group);
  EXPECT_EQ(a.catalog().tissue, b.catalog().tissue);
  EXPECT_EQ(a.digests().picture, b.digests().picture);
  EXPECT_EQ(a.digests().labels, b.digests().labels);
  EXPECT_EQ(a.soft_classes(), b.soft_classes());
  ASSERT_EQ(a.label_depth(), b.label_depth());
  const auto random_region = [&](std::int64_t most) {
    const auto side = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n + 80)) - 40;
    };
    return Region{side(a.size().width), side(a.size().height), 1 + static_cast<std::int64_t>(random()) % most,
                  1 + static_cast<std::int64_t>(random()) % most};
  };
  for (int n = 0; n < 60; ++n) {
    const Region r = n == 0 ? Region{0, 0, a.size().width, a.size().height} : random_region(200);
    const Image image[2] = {Image(r.size(), 3), Image(r.size(), 3)},
                labels[2] = {Image(r.size(), 1, a.label_depth()), Image(r.size(), 1, a.label_depth())};
    a.read(r, image[0].view(), a.annotated() ? labels[0].view() : ImageView{});
    b.read(r, image[1].view(), b.annotated() ? labels[1].view() : ImageView{});
    ASSERT_EQ(cv::norm(as_mat(image[0].view()), as_mat(image[1].view()), cv::NORM_INF), 0);
    ASSERT_EQ(cv::norm(as_mat(labels[0].view()), as_mat(labels[1].view()), cv::NORM_INF), 0);
  }
  for (int n = 0; n < 500; ++n) {
    const Region r = random_region(n % 2 == 0 ? 25 : 200);
    ASSERT_EQ(a.tissue(r), b.tissue(r));
  }
  EXPECT_EQ(a.ignores(), b.ignores());
  if (!a.annotated()) return;
  for (std::size_t c = 0; c < a.catalog().foreground.size(); ++c) {
    EXPECT_EQ(a.objects(c), b.objects(c));
    EXPECT_EQ(a.objects(c).empty(), a.catalog().foreground[c] == 0);
  }
  for (int n = 0; n < 2000; ++n) {
    const Region r = random_region(n % 2 == 0 ? 25 : 200);
    const auto bits = static_cast<std::uint32_t>(1 + random() % 3) << random() % a.catalog().foreground.size();
    ASSERT_EQ(a.any_label(r, bits), b.any_label(r, bits));
    ASSERT_EQ(a.count(r, bits), b.count(r, bits));
    ASSERT_EQ(a.count(r, bits) > 0, a.any_label(r, bits));
  }
}

TEST_F(StoreTest, HoldsWhatMemoryHolds) {
  write_pair("even", 1360, 1104);
  write_pair("odd", 1343, 1117);
  write_pair("small", 61, 47);
  write_pair("unlabelled", 200, 300, false);
  std::mt19937 random(1);
  for (const int factor : {2, 4, 1, 3}) {
    experiment_.data.factor = factor;
    experiment_.data.store = store_;
    const PreparedData stored = prepare(experiment_, registry_);
    experiment_.data.store.clear();
    const PreparedData held = prepare(experiment_, registry_);
    ASSERT_EQ(stored.slides.size(), 4U);
    EXPECT_THAT(stored.problems, IsEmpty());
    for (std::size_t i = 0; i < 4; ++i) expect_equal(*held.slides[i], *stored.slides[i], random);
    EXPECT_EQ(held.folds, stored.folds);
  }
}

TEST_F(StoreTest, KeepsWhatIsIgnored) {
  write_pair("a", 700, 610);
  write_pair("b", 640, 500);
  Value values{Value::Table{}};
  values.set("healthy", 1);
  values.set("unsure", 2);
  experiment_.datasets[0].component.params.set("values", std::move(values));
  experiment_.datasets[0].component.params.set("ignore", Value::Array{"unsure"});
  std::mt19937 random(3);
  for (const bool outside : {false, true}) {
    experiment_.data.ignore_outside = outside;
    experiment_.data.store = store_;
    const PreparedData stored = prepare(experiment_, registry_);
    experiment_.data.store.clear();
    const PreparedData held = prepare(experiment_, registry_);
    ASSERT_EQ(stored.slides.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      expect_equal(*held.slides[i], *stored.slides[i], random);
      EXPECT_GT(stored.slides[i]->ignored(), 500);
      EXPECT_EQ(stored.slides[i]->ignored(), held.slides[i]->ignored());
      EXPECT_TRUE(stored.slides[i]->ignores());
      Image labels({40, 40}, 1);
      stored.slides[i]->read({-10, -10, 40, 40}, {}, labels.view());
      EXPECT_EQ(labels.view().row<std::uint8_t>(0)[0], outside ? 4 : 0);
    }
  }
  Value plain{Value::Table{}};
  plain.set("healthy", 1);
  plain.set("sclerotic", 2);
  experiment_.data.ignore_outside = false;
  experiment_.data.store = store_;
  experiment_.datasets[0].component.params.set("values", std::move(plain));
  experiment_.datasets[0].component.params.set("ignore", Value::Array{});
  for (const auto& slide : prepare(experiment_, registry_).slides) EXPECT_FALSE(slide->ignores());
}

TEST_F(StoreTest, KeepsManyClasses) {
  for (const int classes : {8, 12, 24}) {
    experiment_.classes.clear();
    Value values{Value::Table{}};
    for (int c = 0; c < classes; ++c) {
      experiment_.classes.push_back("class " + std::to_string(c));
      values.set(experiment_.classes.back(), c + 1);
    }
    values.set("unsure", 200);
    experiment_.datasets[0].component.params.set("values", std::move(values));
    experiment_.datasets[0].component.params.set("ignore", Value::Array{"unsure"});
    const int sides[] = {640 + classes, 530};
    write_pair("a", sides[0], sides[1]);
    cv::Mat labels(sides[1], sides[0], CV_8U, cv::Scalar(0));
    for (int c = 0; c <= classes; ++c)
      cv::circle(labels, {20 + 24 * (c % 25), 60 + 90 * (c % 5)}, 19, c == classes ? 200 : c + 1, -1);
    cv::imwrite((root_ / "masks/a.png").string(), labels);
    std::mt19937 random(4);
    experiment_.data.store = store_;
    const PreparedData stored = prepare(experiment_, registry_);
    experiment_.data.store.clear();
    const PreparedData held = prepare(experiment_, registry_);
    ASSERT_EQ(stored.slides.size(), 1U);
    EXPECT_EQ(stored.slides[0]->label_depth(), classes == 24 ? Depth::u32 : Depth::u16);
    expect_equal(*held.slides[0], *stored.slides[0], random);
    for (int c = 0; c < classes; ++c) {
      EXPECT_GT(stored.slides[0]->catalog().foreground[static_cast<std::size_t>(c)], 0) << c;
      Rng rng(5, "pixel");
      const auto pixel = stored.slides[0]->pixel(static_cast<std::size_t>(c), rng);
      ASSERT_TRUE(pixel.has_value());
      EXPECT_EQ(labels.at<std::uint8_t>(static_cast<int>(2 * pixel->y), static_cast<int>(2 * pixel->x)), c + 1);
    }
    EXPECT_GT(stored.slides[0]->ignored(), 0);
    const Image wider({50, 40}, 1, Depth::u32), own({50, 40}, 1, stored.slides[0]->label_depth());
    stored.slides[0]->read({-9, 11, 50, 40}, {}, wider.view());
    stored.slides[0]->read({-9, 11, 50, 40}, {}, own.view());
    with_label_type(own.view().depth, [&](auto zero) {
      for (std::int64_t y = 0; y < 40; ++y)
        for (std::int64_t x = 0; x < 50; ++x)
          ASSERT_EQ(own.view().row<decltype(zero)>(y)[x], wider.view().row<std::uint32_t>(y)[x]);
    });
  }
}

TEST_F(StoreTest, SyntheticSlidesWithoutAFileAreKeptToo) {
  Value params{Value::Table{}};
  params.set("slides", 2);
  params.set("size", Value::Array{900, 700});
  params.set("radius", 50);
  experiment_.datasets[0].component = {"synthetic", params, {}};
  const PreparedData stored = prepare(experiment_, registry_);
  experiment_.data.store.clear();
  const PreparedData held = prepare(experiment_, registry_);
  std::mt19937 random(2);
  for (std::size_t i = 0; i < 2; ++i) expect_equal(*held.slides[i], *stored.slides[i], random);
  experiment_.data.store = store_;
  EXPECT_EQ(prepare_all().kept, 2);
}

TEST_F(StoreTest, ASecondStartMakesNothing) {
  write_pair("a", 300, 200);
  write_pair("b", 300, 200);
  EXPECT_EQ(prepare_all().made, 2);
  const auto before = contents();
  const StoreOutcome again = prepare_all({{}, 0, true});
  EXPECT_EQ(again.made, 0);
  EXPECT_EQ(again.kept, 2);
  EXPECT_EQ(contents(), before);
  experiment_.data.factors = {8};  // grows; what was there stays
  EXPECT_EQ(prepare_all().made, 2);
  EXPECT_THAT(picture_of("a").reductions(), ElementsAre(2, 4, 8));
  EXPECT_THAT(labels_of("a").reductions(), ElementsAre(2, 4, 8));
  const auto grown = contents();
  for (const auto& [name, bytes] : before) EXPECT_EQ(grown.at(name), bytes) << name;
  experiment_.data.factors = {};
  EXPECT_EQ(prepare_all().made, 0);
}

TEST_F(StoreTest, ChangedSourcesAreNoticed) {
  write_pair("a", 300, 200);
  write_pair("b", 300, 200);
  prepare_all();
  write_pair("a", 302, 200);
  EXPECT_EQ(prepare_all().made, 1);
  // Content alone, size and time as before: noticed by its hash.
  const fs::path file = root_ / "images/b.png";
  const auto time = fs::last_write_time(file);
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
  fs::last_write_time(file, time);
  EXPECT_EQ(prepare_all().made, 0);
  StoreRequest verify;
  verify.verify = true;
  const StoreOutcome outcome = prepare_all(verify);
  EXPECT_EQ(outcome.made + static_cast<int>(outcome.problems.size()), 1);  // the picture may be broken now
}

TEST_F(StoreTest, ChangedAnnotationsMakeLabelsAnewAndLeaveThePicture) {
  write_pair("a", 300, 200);
  prepare_all();
  const fs::path picture = picture_of("a").picture(2);
  const auto picture_time = fs::last_write_time(picture);
  cv::imwrite((root_ / "masks/a.png").string(), cv::Mat(200, 300, CV_8U, cv::Scalar(1)));
  EXPECT_EQ(prepare_all().made, 1);
  EXPECT_EQ(fs::last_write_time(picture), picture_time);
  EXPECT_THAT(prepare(experiment_, registry_).slides[0]->catalog().foreground, ElementsAre(150 * 100, 0));
  fs::remove(root_ / "masks/a.png");
  EXPECT_EQ(prepare_all().made, 1);
  EXPECT_FALSE(prepare(experiment_, registry_).slides[0]->annotated());
}

TEST_F(StoreTest, TwoListsOfClassesShareOnePicture) {
  write_pair("a", 300, 200);
  prepare_all();
  experiment_.classes = {"sclerotic", "healthy"};
  const auto swapped = prepare(experiment_, registry_).slides[0]->catalog().foreground;
  experiment_.classes = {"healthy", "sclerotic"};
  EXPECT_EQ(prepare_all().made, 0);
  const auto counts = prepare(experiment_, registry_).slides[0]->catalog().foreground;
  EXPECT_THAT(swapped, ElementsAre(counts[1], counts[0]));
  EXPECT_EQ(folders("pictures", "a").size(), 1U);
  EXPECT_EQ(folders("labels", "a").size(), 2U);
}

TEST_F(StoreTest, ASlideThatFailsIsNamedAndTheRestGoOn) {
  write_pair("good", 300, 200);
  write_pair("bad", 300, 200);
  write_pair("tiny", 1, 200);
  std::ofstream(root_ / "images/bad.png") << "no picture";
  const StoreOutcome outcome = prepare_all();
  EXPECT_EQ(outcome.made, 1);
  ASSERT_EQ(outcome.problems.size(), 2U);
  EXPECT_THAT(outcome.problems[0], testing::AllOf(HasSubstr("slide \"bad\""), HasSubstr("bad.png")));
  EXPECT_THAT(outcome.problems[1],
              testing::AllOf(HasSubstr("slide \"tiny\""), HasSubstr("nothing left after reduction by 2")));
  EXPECT_THROW(prepare(experiment_, registry_), Error);  // more than the share that may be lost
  experiment_.data.most_lost = 1;
  const PreparedData data = prepare(experiment_, registry_);
  ASSERT_EQ(data.slides.size(), 1U);
  EXPECT_EQ(data.slides[0]->info().id, "good");
  EXPECT_EQ(data.problems.size(), 2U);
  StoreRequest unknown;
  unknown.only = {"god"};
  try {
    prepare_all(unknown);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("no slide \"god\""));
    EXPECT_THAT(e.hint(), HasSubstr("good"));
  }
}

TEST_F(StoreTest, DamagedFilesAreMadeAnew) {
  write_pair("a", 700, 600);
  prepare_all();
  const auto good = contents();
  for (const auto& [name, bytes] : good) {
    const fs::path file = store_ / name;
    if (file.filename() == store_marker) continue;
    std::ofstream(file, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
    EXPECT_EQ(prepare_all().made, 1) << name;
    EXPECT_EQ(contents(), good) << name;
    fs::remove(file);
    EXPECT_EQ(prepare_all().made, 1) << name;
    EXPECT_EQ(contents(), good) << name;
  }
}

TEST_F(StoreTest, ATissueThatIsAnotherIsNoticedAndMadeAnew) {
  write_pair("a", 700, 600);
  prepare_all();
  const auto good = contents();
  const PictureFolder folder = picture_of("a");
  const fs::path file = folder.tissue(2);
  const auto black = [&] {
    cv::imwrite(file.string(), cv::Mat::zeros(cv::imread(file.string(), cv::IMREAD_GRAYSCALE).size(), CV_8U));
  };
  const auto problems = [&] {
    std::vector<std::string> out;
    for (const StoredFolder& stored : list_store(store_))
      for (const std::string& problem : verify_folder(stored, {})) out.push_back(problem);
    return out;
  };
  EXPECT_THAT(problems(), IsEmpty());
  black();
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("tissue-2.png is not the tissue that its record tells of")));
  EXPECT_EQ(prepare_all().made, 1);
  EXPECT_EQ(contents(), good);
  // A pipe is not waited for.
  fs::remove(file);
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  EXPECT_THAT(problems(), testing::SizeIs(1));
  fs::remove(file);
  EXPECT_EQ(prepare_all().made, 1);
  // The record of an earlier nephron has no digest of it: it tells how much tissue there is.
  PictureRecord record = *folder.record(2);
  record.tissue_digest.clear();
  write_file_atomically(folder.record_file(2), record.to_json());
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(prepare_all().kept, 1);
  black();
  EXPECT_THAT(problems(), testing::SizeIs(1));
  EXPECT_EQ(prepare_all().made, 1);
  EXPECT_EQ(contents(), good);
}

// A file whose size is right and whose places are wrong is refused when it is opened, by name; never read.
TEST_F(StoreTest, WrongDirectoriesAreRefusedWhenSlidesAreOpened) {
  write_pair("a", 700, 600);
  prepare_all();
  const Listing listing(experiment_, registry_);
  StoredSlide::Place place{
      listing.slides()[0].info, 0, "g", experiment_.classes, listing.targets(listing.slides()[0]), 2};
  std::mt19937 random(7);
  int refused = 0;
  for (const fs::path& file : {picture_of("a").picture(2), labels_of("a").labels(2)}) {
    const std::string good = read_file(file);
    for (int n = 0; n < 150; ++n) {
      std::string bad = good;
      const std::size_t tail = 250 + random() % 300;  // the directories are at the end
      for (int k = 0; k < 3; ++k) bad[bad.size() - 1 - random() % tail] = static_cast<char>(random());
      std::ofstream(file, std::ios::binary) << bad;
      try {
        const StoredSlide slide(labels_of("a"), place);
        const Image image(slide.size(), 3), labels(slide.size(), 1);
        slide.read({0, 0, slide.size().width, slide.size().height}, image.view(), labels.view());
        slide.any_label({0, 0, 100, 100}, 3);
      } catch (const Error& e) {
        ++refused;
        EXPECT_THAT(e.what(), HasSubstr(file.filename().string()));
      }
    }
    std::ofstream(file, std::ios::binary) << good;
  }
  EXPECT_GT(refused, 50);
}

TEST_F(StoreTest, AReadOnlyStoreServesWhatItHas) {
  write_pair("a", 300, 200);
  prepare_all();
  const fs::path picture = picture_of("a").path(), labels = labels_of("a").path();
  const auto lock = [&](bool locked) {
    const auto may = locked ? fs::perms::owner_read | fs::perms::owner_exec : fs::perms::owner_all;
    for (const fs::path& p : {picture, labels, picture.parent_path(), labels.parent_path(), store_})
      fs::permissions(p, may);
  };
  lock(true);
  EXPECT_EQ(prepare(experiment_, registry_).slides.size(), 1U);
  if (geteuid() != 0) {  // root may write anywhere
    write_pair("b", 300, 200);
    const StoreOutcome outcome = prepare_all();
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_THAT(outcome.problems[0],
                testing::AllOf(HasSubstr("slide \"b\""), HasSubstr("cannot make the folder"), HasSubstr("data.store")));
  }
  lock(false);
}

TEST_F(StoreTest, AStoreThatCannotBeMadeIsSaid) {
  write_pair("a", 300, 200);
  std::ofstream(root_ / "file") << "no folder";
  experiment_.data.store = root_ / "file" / "store";
  try {
    prepare_all();
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("cannot make the folder"));
    EXPECT_THAT(e.hint(), HasSubstr("data.store"));
  }
}

// A limit on the size of files is what a full disk looks like, without one.
TEST_F(StoreTest, AFullDiskCostsOnlyTheSlideThatDidNotFit) {
  write_pair("a", 300, 200);
  write_pair("z", 2600, 2500);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = old;
  small.rlim_cur = 4 << 20;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const StoreOutcome outcome = prepare_all();
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(outcome.made, 1);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0],
              testing::AllOf(HasSubstr("slide \"z\""), HasSubstr("cannot write"), HasSubstr("File too large")));
  for (const auto& [name, bytes] : contents())
    EXPECT_THAT(name, testing::Not(HasSubstr(".part."))) << "nothing half-written stays";
  EXPECT_EQ(prepare_all().made, 1);
}

TEST_F(StoreTest, ThreadsThatPrepareOneSlideDoItOnce) {
  write_pair("a", 1400, 1300);
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { made += prepare_all().made; });
  for (auto& t : threads) t.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(prepare(experiment_, registry_).slides.size(), 1U);
}

TEST_F(StoreTest, CtrlCKeepsWhatIsDone) {
  write_pair("a", 300, 200);
  prepare_all();
  write_pair("b", 300, 200);
  set_interrupted(true);
  EXPECT_THROW(prepare_all(), Cancelled);
  set_interrupted(false);
  const StoreOutcome outcome = prepare_all();
  EXPECT_EQ(outcome.kept, 1);
  EXPECT_EQ(outcome.made, 1);
}

TEST_F(StoreTest, TissueIsFoundAndCanBeLookedAt) {
  cv::Mat image(1024, 2048, CV_8UC3, cv::Scalar::all(240));
  image.colRange(0, 512).setTo(cv::Scalar(150, 60, 190));  // a quarter, BGR
  cv::imwrite((root_ / "images/a.png").string(), image);
  const PreparedData data = prepare(experiment_, registry_);
  EXPECT_EQ(data.slides[0]->catalog().tissue, 1024 * 512 / 4);
  for (const int factor : {2, 4}) {
    const cv::Mat mask = cv::imread(picture_of("a").tissue(factor).string(), cv::IMREAD_GRAYSCALE);
    const int width = 2048 / factor;  // a pixel a pixel
    EXPECT_EQ(mask.cols, width);
    EXPECT_EQ(cv::countNonZero(mask.colRange(0, width / 4)), width / 4 * 1024 / factor);
    EXPECT_EQ(cv::countNonZero(mask.colRange(width / 4, width)), 0);
  }
}

TEST_F(StoreTest, AStoreThatLostItsMarkerIsAcceptedAndMarked) {
  write_pair("a", 300, 200);
  prepare_all();
  fs::remove(store_ / store_marker);
  EXPECT_EQ(prepare_all().kept, 1);
  EXPECT_FALSE(fs::exists(store_ / store_marker)) << "what is up to date is not written";
  write_pair("b", 300, 200);
  EXPECT_EQ(prepare_all().made, 1);
  EXPECT_TRUE(fs::exists(store_ / store_marker));
}

TEST_F(StoreTest, AFolderOfOtherThingsIsNoStore) {
  write_pair("a", 300, 200);
  fs::create_directories(store_ / "holiday/beach");
  std::ofstream(store_ / "holiday/beach/one.jpg") << "a photograph";
  const auto before = contents();
  try {
    prepare(experiment_, registry_);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr("is no store of slides"), HasSubstr("holiday/beach/one.jpg")));
    EXPECT_THAT(e.hint(), HasSubstr("data.store"));
  }
  EXPECT_THROW(list_store(store_), Error);
  EXPECT_EQ(contents(), before);
  // A record of another program makes it none, whatever else is there.
  fs::rename(store_ / "holiday/beach/one.jpg", store_ / "holiday/beach/slide.json");
  EXPECT_THROW(prepare_all(), Error);
}

// Probabilities that exceed one half nowhere near set no bit, and are labels all the same.
TEST_F(StoreTest, LowProbabilitiesAreKept) {
  fs::create_directories(root_);
  const Size full{1400, 1100};
  const auto painter = std::make_shared<LabelPainter>(full, 2);
  Image map(full, 1, Depth::f32);
  for (std::int64_t y = 0; y < full.height; ++y)
    for (std::int64_t x = 0; x < full.width; ++x)
      map.view().row<float>(y)[x] = static_cast<float>((x + y) % 100) / 255.0F;
  painter->probability(1, {0, 0, full.width, full.height}, map.view());
  const LabelSource source = source_of(painter);
  const fs::path file = root_ / "labels.tiff";
  const WrittenLabels written = write_labels(file, source, full, 0, 2, {"a", "b"}, thread_pool());
  const WrittenLabels digested = digest_labels(source, full, 2, {"a", "b"}, thread_pool());
  EXPECT_EQ(written.digest, digested.digest);
  EXPECT_EQ(written.foreground, digested.foreground);
  const MappedTiff tiff(file);
  const LabelPictures pictures(tiff, file, full, 2);
  const Size size{700, 550};
  const Image stored(size, 1), painted(size, 1);
  tiff.read(pictures.soft.at(1), {0, 0, 700, 550}, stored.view());
  painter->paint_soft(1, 2, {0, 0, 700, 550}, painted.view());
  EXPECT_EQ(cv::norm(as_mat(stored.view()), as_mat(painted.view()), cv::NORM_INF), 0);
  EXPECT_GT(cv::countNonZero(as_mat(stored.view())), 300000);
}

}  // namespace
}  // namespace nephron::host
