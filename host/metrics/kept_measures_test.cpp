// What is kept of a measured slide is read as it was, or measured anew: nothing in between.
#include <host/metrics/kept_measures.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <nephron/kept_measurement.hpp>

#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <tests/support/damaged.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using ::testing::ElementsAre;

/// A number a class.
class Sums final : public Measurement, public KeptMeasurement {
 public:
  explicit Sums(std::size_t classes) : of_class(classes) {}
  void add(const Measurement& other) override {
    for (std::size_t c = 0; c < of_class.size(); ++c) of_class[c] += static_cast<const Sums&>(other).of_class[c];
  }
  std::vector<double> kept() const override { return of_class; }
  void restore(std::span<const double> kept) override {
    KeptNumbers numbers(kept);
    for (double& sum : of_class) sum = numbers.next();
    numbers.finish();
  }
  std::vector<MetricValue> values() const override {
    std::vector<MetricValue> out;
    for (std::size_t c = 0; c < of_class.size(); ++c)
      out.push_back({.name = "sum", .class_index = static_cast<int>(c), .value = of_class[c]});
    return out;
  }
  std::vector<double> of_class;
};

class Sum final : public Metric {
 public:
  std::unique_ptr<Measurement> begin(const MeasuredSlide& slide) const override {
    return std::make_unique<Sums>(slide.classes.size());
  }
};

KeptSlide slide() {
  KeptSlide out;
  SlideMeasures& m = out.row.measures;
  m.slide.id = "s, \"1\"", m.slide.group = "set", m.slide.size = {400, 300}, m.slide.microns_per_pixel = 0.25;
  m.slide.classes = {"a", "b"}, m.slide.thresholds = {0.5, 1.0 / 3};
  const auto sums = std::make_shared<Sums>(2);
  sums->of_class = {0.1 + 0.2, 1e300};
  m.values = {sums->values()};
  m.details = {sums};
  MeasuredObject object;
  object.class_index = 1, object.box = {3, 4, 50, 60}, object.area = 2000, object.centroid = {20.25, 31.125};
  object.confidence = 0.75;
  m.objects.found = {object, object}, m.objects.truth = {object};
  m.objects.pairs = {{1, 0, 1500, 0.6}};
  out.row.fold = 2, out.row.picture = "p", out.row.truth = "t";
  out.curves = {{0.25, 0.5}, {}};
  return out;
}

class KeptMeasures : public testing::Test {
 protected:
  void SetUp() override {
    set_log_level(Log::Level::error);  // what is damaged is warned of
    metrics_.add("sum", std::make_shared<Sum>());
    write_measures(file_, "key", slide(), metrics_);
  }
  std::optional<KeptSlide> read() const { return read_measures(file_, "key", metrics_); }

  ScratchFolder scratch_{"kept-measures"};
  std::filesystem::path file_ = scratch_.path() / "measures/s.json";
  MetricSet metrics_;
};

TEST_F(KeptMeasures, AreReadAsTheyWere) {
  const std::optional<KeptSlide> is = read();
  ASSERT_TRUE(is);
  const KeptSlide was = slide();
  EXPECT_EQ(is->row.measures.slide.id, was.row.measures.slide.id);
  EXPECT_EQ(is->row.measures.slide.thresholds, was.row.measures.slide.thresholds);
  EXPECT_EQ(is->curves, was.curves);
  EXPECT_EQ(is->row.fold, 2);
  ASSERT_EQ(is->row.measures.objects.pairs.size(), 1U);
  EXPECT_EQ(is->row.measures.objects.pairs[0].found, 1U);
  EXPECT_EQ(is->row.measures.objects.found[1].centroid.y, 31.125);
  const auto& sums = dynamic_cast<const Sums&>(*is->row.measures.details.at(0));
  EXPECT_THAT(sums.of_class, ElementsAre(0.1 + 0.2, 1e300));
  EXPECT_FALSE(read_measures(file_, "another key", metrics_));
}

// One class less, a curve of another length: sound JSON, and sums of the others would be taken from beyond their end.
TEST_F(KeptMeasures, OfOtherValuesAreNotTaken) {
  const auto sound = nlohmann::ordered_json::parse(read_file(file_));
  const auto refused = [&](const char* key, nlohmann::ordered_json value) {
    auto other = sound;
    if (std::string(key) == "classes") other["slide"]["classes"] = other["slide"]["thresholds"] = std::move(value);
    else other[key] = std::move(value);
    write_file_atomically(file_, other.dump());
    EXPECT_FALSE(read()) << key;
  };
  refused("classes", nlohmann::ordered_json::array());
  refused("curves", {{0.5}, {0.1, 0.2, 0.3}});
  refused("found", nlohmann::ordered_json::array());
  refused("picture", "another");
  refused("sha256", "");
  auto without = sound;
  without.erase("sha256");
  write_file_atomically(file_, without.dump());
  EXPECT_FALSE(read()) << "of an earlier version";
  write_file_atomically(file_, sound.dump(2));
  EXPECT_TRUE(read()) << "in another layout";
}

TEST_F(KeptMeasures, DamagedOnesAreMeasuredAnew) {
  const std::string sound = read_file(file_);
  int taken = 0;
  const Outcomes all = read_damaged(600, {sound}, json_damage(), testing::HasSubstr(""), [&](const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    taken += read() ? 1 : 0;
  });
  EXPECT_EQ(all.refused, 0) << "a damaged file is no error";
  EXPECT_LT(taken, 30) << "but for blanks";
}

}  // namespace
}  // namespace nephron::host
