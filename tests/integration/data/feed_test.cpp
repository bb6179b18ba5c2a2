#include <atomic>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/data/memory_slide.hpp>
#include <host/feed/augmenter.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

class FeedTest : public testing::Test {
 protected:
  FeedTest() : registry_(plugins()), experiment_(synthetic_experiment()) {}

  const PreparedData& data() {
    if (data_.slides.empty()) data_ = prepare(experiment_, registry_);
    return data_;
  }
  FeedOptions options(int workers = 1) {
    FeedOptions o;
    o.slides = all_slides(data());
    o.batch = 4;
    o.workers = workers;
    o.seed = 11;
    return o;
  }
  std::vector<RawBatch> take(Feed& feed) {
    std::vector<RawBatch> out;
    while (auto batch = feed.next()) {
      out.push_back(*batch);
      feed.recycle(std::move(batch));
    }
    return out;
  }
  std::vector<RawBatch> run(const FeedOptions& o, std::uint64_t epoch, std::int64_t first, std::int64_t n) {
    Feed feed(experiment_, registry_, data(), o);
    feed.start(epoch, first, n);
    return take(feed);
  }

  Registry registry_;
  Experiment experiment_;
  PreparedData data_;
};

void expect_equal(const RawBatch& a, const RawBatch& b) {
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.windows, b.windows);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_TRUE(a.images == b.images);
  EXPECT_TRUE(a.labels == b.labels);
}

TEST_F(FeedTest, BytesDoNotDependOnTheNumberOfWorkers) {
  const auto one = run(options(1), 2, 0, 7);
  ASSERT_EQ(one.size(), 7U);
  for (const int workers : {2, 5}) {
    const auto several = run(options(workers), 2, 0, 7);
    ASSERT_EQ(several.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) expect_equal(one[i], several[i]);
  }
}

TEST_F(FeedTest, AResumeGoesOnAsTheUnbrokenStream) {
  const auto whole = run(options(2), 1, 0, 9);
  const auto rest = run(options(3), 1, 4, 5);
  ASSERT_EQ(rest.size(), 5U);
  for (std::size_t i = 0; i < rest.size(); ++i) expect_equal(whole[i + 4], rest[i]);
}

TEST_F(FeedTest, SeedAndEpochChangeTheSamples) {
  const auto a = run(options(), 0, 0, 1), b = run(options(), 1, 0, 1);
  FeedOptions other = options();
  other.seed = 12;
  const auto c = run(other, 0, 0, 1);
  EXPECT_FALSE(a[0].images == b[0].images);
  EXPECT_FALSE(a[0].images == c[0].images);
}

TEST_F(FeedTest, ASampleAloneEqualsItsPlaceInTheBatch) {
  Feed feed(experiment_, registry_, data(), options(2));
  feed.start(3, 2, 1);
  const auto batch = feed.next();
  Image image({64, 64}, 3);
  Sample sample;
  feed.sample(3, 2 * 4 + 1, image.view(), sample);
  EXPECT_EQ(sample.id, batch->ids[1]);
  const std::size_t bytes = 64 * 64 * 3;
  EXPECT_TRUE(
      std::equal(batch->images.begin() + bytes, batch->images.begin() + 2 * bytes, image.view().row<std::uint8_t>(0)));
  EXPECT_TRUE(std::equal(sample.labels.begin(), sample.labels.end(), batch->labels.begin() + 64 * 64 * 2));
}

/// Slides whose right half is ignored, above what the annotation says, in memory.
PreparedData half_ignored(const Experiment& e, const PreparedData& data) {
  PreparedData out = data;
  for (auto& slide : out.slides) {
    const Size size = slide->size();
    MemorySlide::Parts parts;
    parts.info = slide->info();
    parts.group = slide->catalog().group;
    parts.classes = static_cast<int>(e.classes.size());
    parts.annotated = true;
    parts.image = Image(size, 3), parts.labels = Image(size, 1);
    parts.targets = slide->targets();
    slide->read({0, 0, size.width, size.height}, parts.image.view(), parts.labels.view());
    for (std::int64_t y = 0; y < size.height; ++y) {
      for (std::int64_t x = size.width / 2; x < size.width; ++x) {  // black, so that it can be seen where it went
        parts.labels.view().row<std::uint8_t>(y)[x] = 4;
        std::fill_n(parts.image.view().row<std::uint8_t>(y) + 3 * x, 3, std::uint8_t{0});
      }
    }
    slide = std::make_shared<MemorySlide>(std::move(parts));
  }
  return out;
}

TEST_F(FeedTest, IgnoredPixelsAreMovedAsThePictureIsAndHaveNoTarget) {
  experiment_.augmentations = {augmentation("flip"), augmentation("shift_scale_rotate")};
  experiment_.sampler = {"uniform", Value(Value::Table{}), {}};
  data_ = half_ignored(experiment_, data());
  std::int64_t ignoring = 0, right = 0, all = 0;
  for (const RawBatch& b : run(options(2), 0, 0, 20)) {
    const auto pixels = static_cast<std::size_t>(b.side * b.side);
    ASSERT_EQ(b.ignored.size(), static_cast<std::size_t>(b.count) * pixels);
    for (std::size_t i = 0; i < static_cast<std::size_t>(b.count); ++i) {
      bool any = false;
      for (std::size_t p = 0; p < pixels; ++p) {
        const auto* rgb = &b.images[(i * pixels + p) * 3];
        const bool ignored = b.ignored[i * pixels + p] != 0;
        any = any || ignored;
        ++all, right += ignored == (rgb[0] + rgb[1] + rgb[2] < 150) ? 1 : 0;
        for (std::size_t c = 0; c < 2 && ignored; ++c) ASSERT_EQ(b.labels[(i * 2 + c) * pixels + p], 0);
      }
      ASSERT_EQ(b.ignoring[i] != 0, any);
      ignoring += any ? 1 : 0;
    }
  }
  EXPECT_GT(ignoring, 20);
  EXPECT_LT(ignoring, 80);
  EXPECT_GT(static_cast<double>(right), 0.97 * static_cast<double>(all));  // edges are interpolated
}

// The tenth of twelve classes is learnt as the first of two is.
TEST_F(FeedTest, ManyClassesAreCutAsFewAre) {
  const auto few = run(options(2), 0, 0, 5);
  experiment_.classes.clear();
  for (int c = 0; c < 12; ++c) experiment_.classes.push_back("class " + std::to_string(c));
  experiment_.datasets[0].component.params.set("healthy_class", "class 9");
  experiment_.datasets[0].component.params.set("sclerotic_class", "class 3");
  experiment_.sampler.params.set("weigh_by", Value::Array{"class 9"});
  data_ = {};
  const auto many = run(options(2), 0, 0, 5);
  ASSERT_EQ(few.size(), many.size());
  for (std::size_t n = 0; n < few.size(); ++n) {
    ASSERT_EQ(few[n].ids, many[n].ids);
    EXPECT_TRUE(few[n].images == many[n].images);
    const auto pixels = static_cast<std::size_t>(few[n].side * few[n].side);
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t c = 0; c < 12; ++c) {
        const auto plane = many[n].labels.begin() + static_cast<std::ptrdiff_t>((12 * i + c) * pixels);
        if (c != 9 && c != 3) {
          EXPECT_EQ(std::count(plane, plane + static_cast<std::ptrdiff_t>(pixels), 0),
                    static_cast<std::ptrdiff_t>(pixels));
        } else {
          EXPECT_TRUE(std::equal(plane, plane + static_cast<std::ptrdiff_t>(pixels),
                                 few[n].labels.begin() + static_cast<std::ptrdiff_t>((2 * i + (c == 3)) * pixels)));
        }
      }
  }
}

TEST_F(FeedTest, NothingIsIgnoredUnlessSomebodySaysSo) {
  for (const RawBatch& b : run(options(1), 0, 0, 2)) {
    EXPECT_TRUE(b.ignored.empty());
    EXPECT_TRUE(b.ignoring.empty());
  }
}

TEST_F(FeedTest, WhatLiesBeyondTheSlideMayBeIgnored) {
  experiment_.datasets[0].component.params.set("size",
                                               Value::Array{100, 90});  // 50 x 45 at the factor: less than a tile
  experiment_.data.window = 1;
  experiment_.augmentations.clear();
  const auto plain = run(options(1), 0, 0, 2);
  experiment_.data.ignore_outside = true;
  data_ = {};
  const auto ignoring = run(options(1), 0, 0, 2);
  ASSERT_EQ(plain.size(), ignoring.size());
  for (std::size_t n = 0; n < plain.size(); ++n) {
    EXPECT_TRUE(plain[n].images == ignoring[n].images);
    EXPECT_TRUE(plain[n].labels == ignoring[n].labels);
    const RawBatch& b = ignoring[n];
    for (std::size_t i = 0; i < static_cast<std::size_t>(b.count); ++i)
      EXPECT_EQ(std::count(b.ignored.begin() + static_cast<std::ptrdiff_t>(i * 64 * 64),
                           b.ignored.begin() + static_cast<std::ptrdiff_t>((i + 1) * 64 * 64), 1),
                64 * 64 - 50 * 45);
  }
}

TEST_F(FeedTest, StartDropsWhatWasUnderWay) {
  Feed feed(experiment_, registry_, data(), options(3));
  feed.start(0, 0, 1000);
  feed.next();
  feed.start(5, 3, 2);
  const auto now = take(feed);
  const auto expected = run(options(), 5, 3, 2);
  ASSERT_EQ(now.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) expect_equal(now[i], expected[i]);
  EXPECT_EQ(feed.next(), nullptr);
}

/// Windows of an earlier epoch come again, augmented anew; everything else is as ever.
TEST_F(FeedTest, WindowsComeAgainAtTheirShare) {
  const auto repeats = std::make_shared<Repeats>(Repeats{0.25, {{0, 2}, {0, 7}, {0, 3}}});
  const auto with_repeats = [&](int workers, std::int64_t first, std::int64_t n) {
    Feed feed(experiment_, registry_, data(), options(workers));
    feed.start(3, first, n, repeats);
    return take(feed);
  };
  const auto before = run(options(), 0, 0, 2), plain = run(options(), 3, 0, 9), again = with_repeats(1, 0, 9);
  ASSERT_EQ(again.size(), 9U);
  const std::size_t bytes = 64 * 64 * 3;
  const auto picture = [&](const RawBatch& b, std::size_t i) {
    const auto* const p = b.images.data() + i * bytes;
    return std::vector<std::uint8_t>(p, p + bytes);
  };
  std::set<std::vector<std::uint8_t>> pictures;
  for (std::size_t n = 0; n < again.size(); ++n) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(again[n].windows[i], (SampleNumber{3, static_cast<std::int64_t>(4 * n + i)}));
      EXPECT_EQ(picture(again[n], i), picture(plain[n], i));
    }
    const SampleNumber window = repeats->windows[n % 3];
    EXPECT_EQ(again[n].windows[3], window);
    const auto& drawn = before[static_cast<std::size_t>(window.index) / 4];
    EXPECT_EQ(again[n].ids[3], drawn.ids[static_cast<std::size_t>(window.index) % 4]);
    pictures.insert(picture(again[n], 3));
  }
  EXPECT_EQ(pictures.size(), 9U) << "each time with other augmentations";
  for (const int workers : {2, 5}) {
    const auto several = with_repeats(workers, 0, 9), rest = with_repeats(workers, 4, 5);
    ASSERT_EQ(several.size() + rest.size(), 14U);
    for (std::size_t i = 0; i < several.size(); ++i) expect_equal(again[i], several[i]);
    for (std::size_t i = 0; i < rest.size(); ++i) expect_equal(again[i + 4], rest[i]);
  }
}

TEST_F(FeedTest, ABusyFeedMayBeStartedAnewAndDestroyed) {
  for (int round = 0; round < 12; ++round) {
    Feed feed(experiment_, registry_, data(), options(3));
    feed.start(0, 0, 1000);
    if (round % 3 > 0) feed.recycle(feed.next());
    if (round % 3 > 1) feed.start(1, 5, 1000, std::make_shared<Repeats>(Repeats{0.5, {{0, 1}}}));
    feed.waited();
  }
}

// The picture is the label: whatever is done to one is seen on the other.
TEST_F(FeedTest, LabelsAndImageMoveTogether) {
  experiment_.augmentations = {augmentation("flip"), augmentation("shift_scale_rotate")};
  experiment_.data.factor = 1;
  DatasetConfig& d = experiment_.datasets[0];
  d.component.params.set("glomeruli", 20);
  d.component.params.set("sclerotic", 1.0);
  d.component.params.set("stain", 0.0);
  // Sclerotic glomeruli are pink and even; everything around them is not: within labels green is far from glass.
  double inside = 0, n_inside = 0;
  std::int64_t glass_inside = 0;
  for (const RawBatch& b : run(options(2), 0, 0, 10)) {
    const auto pixels = static_cast<std::size_t>(b.side * b.side);
    for (std::size_t i = 0; i < static_cast<std::size_t>(b.count); ++i)
      for (std::size_t p = 0; p < pixels; ++p) {
        if (b.labels[(i * 2 + 1) * pixels + p] == 0) continue;
        const auto* rgb = &b.images[(i * pixels + p) * 3];
        inside += rgb[1];
        ++n_inside;
        glass_inside += rgb[1] > 215;
      }
  }
  ASSERT_GT(n_inside, 5000);
  EXPECT_LT(inside / n_inside, 165);
  EXPECT_LT(static_cast<double>(glass_inside), 0.01 * n_inside);
}

TEST_F(FeedTest, ValidationWalksTheGridOnceWithoutAugmentation) {
  FeedOptions o = options(2);
  o.training = false;
  Feed feed(experiment_, registry_, data(), o);
  EXPECT_EQ(feed.count(), 3 * 5 * 4);  // slides of 300 x 256 in tiles of 64
  feed.start(0, 0, 1000);
  std::set<std::string> ids;
  std::int64_t samples = 0;
  while (auto b = feed.next()) {
    samples += b->count;
    ids.insert(b->ids.begin(), b->ids.end());
    for (std::int64_t i = 0; i < b->count; ++i) {
      const std::string& id = b->ids[static_cast<std::size_t>(i)];
      const auto space = id.find(' '), comma = id.find(',');
      const Region r{std::stol(id.substr(space + 1)), std::stol(id.substr(comma + 1)), 64, 64};
      Image image(r.size(), 3);
      for (const auto& slide : data().slides)
        if (slide->info().id == id.substr(0, space)) slide->read(r, image.view(), {});
      EXPECT_TRUE(std::equal(image.view().row<std::uint8_t>(0), image.view().row<std::uint8_t>(0) + 64 * 64 * 3,
                             b->images.begin() + i * 64 * 64 * 3));
    }
  }
  EXPECT_EQ(samples, feed.count());
  EXPECT_EQ(static_cast<std::int64_t>(ids.size()), feed.count());
}

/// A slide whose disk fails, at once or after some reads, until it is mended.
class BrokenSlide final : public PreparedSlide {
 public:
  explicit BrokenSlide(std::shared_ptr<const PreparedSlide> whole, int good_reads = 0)
      : good_reads_(good_reads), whole_(std::move(whole)) {}
  void mend() { good_reads_ = 1 << 30; }
  const SlideInfo& info() const noexcept override { return whole_->info(); }
  std::size_t dataset() const noexcept override { return 0; }
  Size size() const noexcept override { return whole_->size(); }
  bool annotated() const noexcept override { return true; }
  void read(const Region& region, const ImageView& image, const ImageView& labels) const override {
    if (good_reads_-- <= 0) throw Error("the disk is gone");
    whole_->read(region, image, labels);
  }
  bool any_label(const Region& region, std::uint32_t classes) const override {
    return whole_->any_label(region, classes);
  }
  std::optional<Pixel> pixel(std::size_t c, Rng& rng) const override { return whole_->pixel(c, rng); }
  std::int64_t count(const Region& r, std::uint32_t classes) const override { return whole_->count(r, classes); }
  std::int64_t tissue(const Region& r) const override { return whole_->tissue(r); }
  const std::vector<Region>& objects(std::size_t c) const override { return whole_->objects(c); }
  const CatalogSlide& catalog() const noexcept override { return whole_->catalog(); }
  const std::vector<ChannelRule>& targets() const noexcept override { return whole_->targets(); }

 private:
  mutable std::atomic<int> good_reads_;
  std::shared_ptr<const PreparedSlide> whole_;
};

TEST_F(FeedTest, AWorkersErrorReachesNextAgainAndAgainAndAFreshStartGoesOn) {
  data();
  const auto good = data_.slides[0];
  data_.slides = {std::make_shared<BrokenSlide>(good)};
  Feed feed(experiment_, registry_, data_, options(3));
  feed.start(0, 0, 5);
  for (int i = 0; i < 2; ++i) {
    try {
      feed.next();
      ADD_FAILURE() << "no error";
    } catch (const Error& e) {
      EXPECT_THAT(e.what(),
                  testing::MatchesRegex("the disk is gone \\(while the sample \"synthetic-00 -?[0-9]+,-?[0-9]+\" "
                                        "was made\\)"));
    }
  }
  feed.start(0, 0, 0);
  EXPECT_EQ(feed.next(), nullptr);
}

TEST_F(FeedTest, AnErrorAmongGoodSamplesComesInItsTurn) {
  data();
  const auto broken = std::make_shared<BrokenSlide>(data_.slides[0], 20);
  data_.slides = {broken};
  const auto until_it_breaks = [&](Feed& feed) {
    std::int64_t good = 0;
    try {
      while (auto batch = feed.next()) {
        EXPECT_EQ(batch->first, 4 * good++);
        feed.recycle(std::move(batch));
      }
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr("the disk is gone (while the sample"));
      return good;
    }
    return std::int64_t{-1};
  };
  Feed feed(experiment_, registry_, data_, options(4));
  feed.start(2, 0, 1000);
  const std::int64_t good = until_it_breaks(feed);
  EXPECT_GE(good, 0);
  EXPECT_LE(good, 5);
  broken->mend();
  feed.start(2, 0, 6);  // workers may still be busy with the stream that broke
  const auto now = take(feed), expected = run(options(1), 2, 0, 6);
  ASSERT_EQ(now.size(), 6U);
  for (std::size_t i = 0; i < now.size(); ++i) expect_equal(now[i], expected[i]);
}

TEST_F(FeedTest, SlidesOfNoUseAreRefused) {
  FeedOptions o = options();
  o.slides = {};
  EXPECT_THROW(Feed(experiment_, registry_, data(), o), Error);
  o.slides = {17};
  EXPECT_THROW(Feed(experiment_, registry_, data(), o), Error);
  o = options();
  o.workers = 0;
  EXPECT_THROW(Feed(experiment_, registry_, data(), o), Error);
}

TEST_F(FeedTest, AugmentationsAreToldTheirSample) {
  const FeedOptions o = options();
  const Registry with_told = plugins({NEPHRON_TOLD});
  experiment_.augmentations = {augmentation("test-told")};
  const Feed feed(experiment_, with_told, data(), o);
  Image image({experiment_.data.tile, experiment_.data.tile}, 3);
  for (std::int64_t i = 0; i < 8; ++i) {
    Sample sample;
    feed.sample(0, i, image.view(), sample, /*augmented=*/false);
    const std::string id = sample.id;  // "slide x,y"
    const PreparedSlide& slide = feed.slide_of(0, i);
    try {
      feed.sample(0, i, image.view(), sample);
      FAIL() << "no error";
    } catch (const Error& e) {  // the window is 1.5 tiles of 64 px; slides of 0.9 um are reduced by 2
      EXPECT_THAT(e.what(), testing::HasSubstr("told " + id + " of " + slide.catalog().group + ", 96 x 96 px of " +
                                               std::to_string(1.8) + " um"));
    }
  }
}

TEST_F(FeedTest, CombinatorsKeepTheirProbabilities) {
  const Augmenter augmenter(
      {combinator("one_of",
                  {augmentation("gaussian_blur", Value(Value::Table{}), 3), augmentation("brightness_contrast")}, 0.5)},
      registry_, 1);
  int blurred = 0, brightened = 0, nothing = 0;
  constexpr int n = 4000;
  for (std::uint64_t i = 0; i < n; ++i) {
    RecordedPlan plan({96, 96});
    augmenter.draw(0, i, {.size = plan.picture(), .slide = "slide", .group = "group"}, plan);
    if (plan.steps().empty()) ++nothing;
    else if (std::holds_alternative<SeparableStep>(plan.steps()[0])) ++blurred;
    else ++brightened;
  }
  EXPECT_NEAR(nothing, n / 2, 130);  // four standard deviations
  EXPECT_NEAR(blurred, n * 3 / 8, 125);
  EXPECT_NEAR(brightened, n / 8, 85);
}

TEST_F(FeedTest, SomeOfTakesEachPairAlikeAndInOrder) {
  AugmentationConfig two = combinator(
      "some_of", {augmentation("gaussian_blur"), augmentation("brightness_contrast"), augmentation("hed_jitter")});
  two.component.params = table({{"count", 2}});
  const Augmenter augmenter({two}, registry_, 1);
  std::map<std::vector<std::string>, int> pairs;
  constexpr int n = 3000;
  for (std::uint64_t i = 0; i < n; ++i) {
    RecordedPlan plan({96, 96});
    std::vector<std::string> applied;
    augmenter.draw(0, i, {.size = plan.picture(), .slide = "slide", .group = "group"}, plan, &applied);
    ++pairs[applied];
  }
  const std::vector<std::vector<std::string>> expected{
      {"gaussian_blur", "brightness_contrast"}, {"gaussian_blur", "hed_jitter"}, {"brightness_contrast", "hed_jitter"}};
  EXPECT_EQ(pairs.size(), expected.size());
  for (const auto& pair : expected) EXPECT_NEAR(pairs[pair], n / 3, 104) << pair[0] << ", " << pair[1];
}

}  // namespace
}  // namespace nephron::host
