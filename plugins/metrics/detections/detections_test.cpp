#include <tests/support/metric_fixture.hpp>

namespace nephron::host {
namespace {

class Detections : public MetricTest {
 protected:
  /// Objects of one class or two, and pairs with an IoU.
  static MeasuredObjects objects(std::vector<double> confidences, std::size_t truths, std::vector<ObjectPair> pairs) {
    MeasuredObjects out;
    for (const double confidence : confidences) {
      MeasuredObject o;
      o.area = 90, o.confidence = confidence;
      out.found.push_back(o);
    }
    out.truth.resize(truths);
    for (MeasuredObject& o : out.truth) o.area = 100;
    out.pairs = std::move(pairs);
    return out;
  }
  std::map<std::string, double> of(const std::string& metric, const MeasuredObjects& shown_objects) {
    const auto made = make(metric);
    const auto measurement = made->begin(slide({100, 100}));
    measurement->objects(shown_objects);
    return values(*measurement);
  }
};

TEST_F(Detections, OneToOne) {
  const MeasuredObjects o = objects({0.9, 0.8, 0.7}, 2, {{0, 0, 1, 0.8}, {1, 0, 1, 0.6}, {2, 1, 1, 0.4}});
  const auto detection = of("detection", o);
  EXPECT_DOUBLE_EQ(detection.at("object_recall@0.5"), 0.5);
  EXPECT_DOUBLE_EQ(detection.at("object_precision@0.5"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(detection.at("object_f1@0.5"), 2.0 / 5);
  const auto panoptic = of("panoptic", o);
  EXPECT_DOUBLE_EQ(panoptic.at("sq"), 0.8);
  EXPECT_DOUBLE_EQ(panoptic.at("rq"), 2.0 / 5);
  EXPECT_DOUBLE_EQ(panoptic.at("pq"), panoptic.at("sq") * panoptic.at("rq"));
}

// The reference counts a true object twice that is hit twice.
TEST_F(Detections, CentresAsTheReferenceCounts) {
  MeasuredObjects o = objects({0.9, 0.8, 0.7}, 2, {});
  o.found[0].centre_hits = o.found[1].centre_hits = true;
  o.truth[0].centre_hits = true;
  const auto centres = of("centres", o);
  EXPECT_DOUBLE_EQ(centres.at("centre_recall"), 1) << "TP 2, FN 0";
  EXPECT_DOUBLE_EQ(centres.at("centre_precision"), 0.5) << "FP = 3 - 1";
  EXPECT_DOUBLE_EQ(centres.at("centre_accuracy"), 0.5);
}

TEST_F(Detections, PrecisionIsInterpolated) {
  // By confidence: hit, miss, hit, of two: precision 1 up to a recall of 0.5, 2/3 up to 1.
  const MeasuredObjects o = objects({0.9, 0.8, 0.7}, 2, {{0, 0, 1, 0.8}, {2, 1, 1, 0.55}});
  const auto ap = of("average_precision", o);
  EXPECT_NEAR(ap.at("ap@0.5"), (51 * 1 + 50 * 2.0 / 3) / 101, 1e-12);
  EXPECT_NEAR(ap.at("ap@0.75"), 51.0 / 101, 1e-12);
}

TEST_F(Detections, CountsAndSizes) {
  const auto counts = of("counts", objects({0.9, 0.8, 0.7}, 2, {{0, 0, 1, 0.8}}));
  EXPECT_EQ(counts.at("objects_found"), 3);
  EXPECT_EQ(counts.at("count_bias"), 1);
  EXPECT_EQ(counts.at("count_error"), 1);
  EXPECT_DOUBLE_EQ(counts.at("size_bias"), -0.1);
  EXPECT_DOUBLE_EQ(counts.at("size_error"), 0.1);
  const auto metric = make("counts");
  const auto sum = metric->begin(slide({}));
  for (const std::size_t truths : {1, 4}) {
    const auto one = metric->begin(slide({}));
    one->objects(objects({0.9, 0.8}, truths, {}));
    sum->add(*one);
  }
  EXPECT_DOUBLE_EQ(values(*sum).at("count_bias"), -0.5) << "1 and -2, over slides";
  EXPECT_DOUBLE_EQ(values(*sum).at("count_error"), 1.5);
}

TEST_F(Detections, ClassesAreConfused) {
  MeasuredObjects o = objects({0.9, 0.8}, 3, {{0, 0, 1, 0.8}, {1, 1, 1, 0.7}});
  o.found[1].class_index = 1;
  const auto metric = make("confusion");
  MeasuredSlide two = slide({});
  two.classes = {"healthy", "un healthy"};
  const auto measurement = metric->begin(two);
  measurement->objects(o);
  const auto all = measurement->values();
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[1].name, "as_un_healthy");
  EXPECT_DOUBLE_EQ(all[0].value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(all[1].value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(all[2].value, 1.0 / 3) << "as nothing";
  EXPECT_TRUE(std::isnan(all[3].value)) << "no true object of the second class";
}

TEST_F(Detections, NothingToDivideBy) {
  for (const char* metric : {"detection", "panoptic", "centres", "average_precision"})
    for (const auto& [name, value] : of(metric, {})) EXPECT_TRUE(std::isnan(value)) << name;
  EXPECT_EQ(of("detection", objects({}, 2, {})).at("object_recall@0.5"), 0);
  EXPECT_EQ(of("average_precision", objects({0.5}, 2, {})).at("ap@0.5"), 0);
}

}  // namespace
}  // namespace nephron::host
