#include <host/metrics/slide_meter.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/csv.hpp>

#include <host/metrics/measure_tables.hpp>
#include <host/util/checked_json.hpp>
#include <tests/support/error_of.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

/// Pixels that are predicted, and found objects.
class CountsAll final : public Metric {
 public:
  class Part final : public Measurement {
   public:
    void rows(const MeasuredRows& rows) override {
      for (std::int64_t y = 0; y < rows.height; ++y)
        for (std::int64_t x = 0; x < rows.truth[0].width; ++x)
          for (std::size_t c = 0; c < 2; ++c) {
            pixels[c] += rows.predicted[c].row<const std::uint8_t>(y)[x];
            truth[c] += rows.truth[c].row<const std::uint8_t>(y)[x];
          }
    }
    void objects(const MeasuredObjects& o) override {
      for (const MeasuredObject& f : o.found) ++found[f.class_index];
    }
    void add(const Measurement& other) override {
      const auto& o = static_cast<const Part&>(other);
      for (std::size_t c = 0; c < 2; ++c) pixels[c] += o.pixels[c], truth[c] += o.truth[c], found[c] += o.found[c];
    }
    std::vector<MetricValue> values() const override {
      std::vector<MetricValue> out;
      for (int c = 0; c < 2; ++c) {
        const auto i = static_cast<std::size_t>(c);
        out.push_back({.name = "pixels", .class_index = c, .value = pixels[i]});
        out.push_back({.name = "truth",
                       .class_index = c,
                       .value = truth[i] > 0 ? truth[i] : MetricValue::undefined,
                       .over = PooledOver::slides});
        out.push_back({.name = "found", .class_index = c, .value = found[i], .over = PooledOver::objects});
      }
      return out;
    }
    double pixels[2] = {}, truth[2] = {}, found[2] = {};
  };
  std::uint32_t needs() const override { return MetricNeeds::rows | MetricNeeds::objects; }
  std::unique_ptr<Measurement> begin(const MeasuredSlide&) const override { return std::make_unique<Part>(); }
};

class Throws final : public Metric {
 public:
  std::unique_ptr<Measurement> begin(const MeasuredSlide&) const override { throw Error("not today"); }
};

constexpr Size size{40, 12};

MeasuredSlide slide_named(std::string id) {
  MeasuredSlide out;
  out.id = std::move(id);
  out.group = "set, one";
  out.size = size;
  out.microns_per_pixel = 0.5;
  out.classes = {"a", "b"};
  out.thresholds = {0.5, 0.7};
  return out;
}

/// Two squares of class a, one of which lies under ignored pixels for a half; class b is never above its threshold.
SlideMeasures measured(const MetricSet& metrics, const std::string& id, std::int64_t band, bool truth = true) {
  const Image p(size, 1, Depth::f32), q(size, 1, Depth::f32), t(size, 1), none(size, 1), ignored(size, 1);
  for (std::int64_t y = 2; y < 8; ++y)
    for (std::int64_t x = 0; x < 6; ++x) {
      p.view().row<float>(y)[x + 2] = 0.8F;
      p.view().row<float>(y)[x + 20] = 0.6F;
      q.view().row<float>(y)[x + 20] = 0.7F;
      if (truth) t.view().row<std::uint8_t>(y)[x + 3] = 255;
      if (x < 3) ignored.view().row<std::uint8_t>(y)[x + 20] = 1;
    }
  SlideMeter meter(metrics, slide_named(id), {}, true);
  for (std::int64_t y = 0; y < size.height; y += band) {
    const Region part{0, y, size.width, std::min(band, size.height - y)};
    MeasuredRows rows;
    rows.y = y;
    rows.probability = {p.view().crop(part), q.view().crop(part)};
    rows.truth = {t.view().crop(part), none.view().crop(part)};
    rows.ignored = {ignored.view().crop(part), ignored.view().crop(part)};
    meter.rows(rows);
  }
  return meter.finish();
}

MetricSet both_metrics() {
  MetricSet out;
  out.add("all", std::make_shared<CountsAll>());
  return out;
}

TEST(SlideMeter, ShowsMasksWithoutIgnoredPixels) {
  const MetricSet metrics = both_metrics();
  for (const std::int64_t band : {1, 5, 100}) {
    const SlideMeasures found = measured(metrics, "s", band);
    ASSERT_EQ(found.values.size(), 1U);
    std::vector<double> values;
    for (const MetricValue& v : found.values[0]) values.push_back(v.value);
    EXPECT_EQ(values[0], 36 + 18) << "pixels of class a";
    EXPECT_EQ(values[1], 36);
    EXPECT_EQ(values[2], 2);
    EXPECT_EQ(values[3], 0) << "0.7 is not above 0.7";
    EXPECT_EQ(found.objects.found.size(), 2U);
    EXPECT_EQ(found.objects.found[1].area, 18);
    EXPECT_FLOAT_EQ(static_cast<float>(found.objects.found[0].confidence), 0.8F);
    EXPECT_TRUE(found.objects.truth[0].centre_hits);
  }
}

TEST(SlideMeter, OfAnUnknownClassNothingCounts) {
  const MetricSet metrics = both_metrics();
  SlideMeter meter(metrics, slide_named("s"), {}, false, {true, false});
  const Image p(size, 1, Depth::f32), t(size, 1);
  std::fill_n(p.view().row<float>(3), size.width, 0.9F);
  std::fill_n(t.view().row<std::uint8_t>(3), size.width, std::uint8_t{1});
  MeasuredRows rows;
  rows.probability = {p.view(), p.view()};
  rows.truth = {t.view(), t.view()};
  meter.rows(rows);
  const SlideMeasures found = meter.finish();
  EXPECT_EQ(found.values[0][0].value, 40);
  EXPECT_TRUE(std::isnan(found.values[0][3].value)) << "pixels of class b";
  EXPECT_EQ(found.objects.found.size(), 1U);
  MeasurePool pool(metrics, {"a", "b"}, {0.5, 0.7});
  pool.add(found);
  EXPECT_EQ(pool.values()[3].slides, 0);
  EXPECT_TRUE(std::isnan(pool.values()[3].value.value)) << "what a metric says of nothing is no figure of a slide";
  EXPECT_EQ(pool.values()[0].value.value, 40);
}

TEST(SlideMeter, PoolsAsAValueSays) {
  const MetricSet metrics = both_metrics();
  MeasurePool pool(metrics, {"a", "b"}, {0.5, 0.7});
  pool.add(measured(metrics, "one", 4));
  pool.add(measured(metrics, "two", 4, false));
  const std::vector<PooledValue> values = pool.values();
  ASSERT_EQ(values.size(), 6U);
  EXPECT_EQ(values[0].value.value, 108) << "pixels of both";
  EXPECT_EQ(values[0].over_slides.mean, 54);
  EXPECT_EQ(values[0].slides, 2);
  EXPECT_EQ(values[1].value.value, 36) << "the mean of the one slide that has truth";
  EXPECT_EQ(values[1].slides, 1);
  EXPECT_TRUE(std::isnan(values[4].value.value)) << "class b has none anywhere";
  EXPECT_EQ(values[2].value.value, 4);
}

TEST(SlideMeter, NamesTheMetricThatThrows) {
  MetricSet metrics;
  metrics.add("bad", std::make_shared<Throws>());
  EXPECT_THAT(error_of([&] { SlideMeter(metrics, slide_named("s"), {}); }), HasSubstr("not today"));
  const MetricSet good = both_metrics();
  SlideMeter meter(good, slide_named("s"), {});
  MeasuredRows rows;
  const Image p(size, 1, Depth::f32), other({3, 3}, 1);
  rows.probability = {p.view(), p.view()};
  rows.truth = {other.view(), other.view()};
  EXPECT_THAT(error_of([&] { meter.rows(rows); }), HasSubstr("of another size"));
  rows.truth.pop_back();
  EXPECT_THAT(error_of([&] { meter.rows(rows); }), HasSubstr("one plane a class"));
}

TEST(MeasureTables, HaveALineAClassAndAnObject) {
  const MetricSet metrics = both_metrics();
  std::vector<SlideRow> rows;
  rows.push_back({measured(metrics, "one", 4), 2, "abc", ""});
  rows.push_back({measured(metrics, "say \"two\"", 4, false), -1, "", ""});
  const TableText slides = slide_table(rows);
  const CsvTable table = CsvTable::parse(slides.csv, "slides.csv");
  ASSERT_EQ(table.rows(), 4U);
  EXPECT_EQ(table.cell(0, table.column("dataset")), "set, one");
  EXPECT_EQ(table.cell(0, table.column("fold")), "2");
  EXPECT_EQ(table.cell(0, table.column("picture_sha256")), "abc");
  EXPECT_EQ(table.cell(2, table.column("slide")), "say \"two\"");
  EXPECT_EQ(table.number(0, table.column("pixels")), 54);
  EXPECT_EQ(table.number(2, table.column("truth")), std::nullopt) << "undefined";
  const JsonNode line = JsonNode::parse(slides.jsonl.substr(0, slides.jsonl.find('\n')), "line");
  EXPECT_EQ(line.at("class").text(), "a");
  EXPECT_EQ(line.at("threshold").number(), 0.5);

  const TableText objects = object_table(rows);
  const CsvTable each = CsvTable::parse(objects.csv, "objects.csv");
  ASSERT_EQ(each.rows(), 3U + 2U);
  EXPECT_EQ(each.cell(0, each.column("side")), "found");
  EXPECT_EQ(each.number(0, each.column("area_um2")), 9);
  EXPECT_EQ(each.number(0, each.column("iou")), 30.0 / 42);
  EXPECT_EQ(each.number(0, each.column("other")), 0);
  EXPECT_EQ(each.cell(2, each.column("side")), "true");
  EXPECT_EQ(each.number(4, each.column("other")), std::nullopt);
  EXPECT_THAT(object_table({}).csv, HasSubstr("slide,dataset,donor,fold,side")) << "a table without a line";
}

TEST(MeasureTables, AnObjectIsThatOfItsOwnClassThoughAnotherCoversItMore) {
  SlideRow row;
  row.measures.slide = slide_named("s");
  MeasuredObject a, b;
  b.class_index = 1;
  row.measures.objects = {{a, b}, {b}, {{0, 0, 90, 0.9}, {1, 0, 88, 0.88}}};
  std::vector<SlideRow> rows{row};
  const CsvTable own = CsvTable::parse(object_table(rows).csv, "objects.csv");
  EXPECT_EQ(own.cell(2, own.column("other_class")), "b");
  EXPECT_EQ(own.number(2, own.column("iou")), 0.88);
  rows[0].measures.objects.pairs[1].iou = 0.4;
  const CsvTable other = CsvTable::parse(object_table(rows).csv, "objects.csv");
  EXPECT_EQ(other.cell(2, other.column("other_class")), "a") << "taken for another";
}

}  // namespace
}  // namespace nephron::host
