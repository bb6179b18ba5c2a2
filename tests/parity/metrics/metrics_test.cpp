#include <cmath>
#include <map>
#include <sstream>

#include <host/metrics/slide_meter.hpp>

#include "../train/peer.hpp"

namespace nephron::host {
namespace {

constexpr int slides = 3;
constexpr std::int64_t band = 13;

ImageView plane(const at::Tensor& tensor, std::int64_t index, Depth depth) {
  const at::Tensor one = tensor.dim() == 3 ? tensor.select(0, index) : tensor;
  return {one.data_ptr(), one.size(1), one.size(0), 1, depth, one.stride(0) * std::int64_t(bytes_of(depth))};
}

class Metrics : public Peer {
 protected:
  void SetUp() override {
    Peer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    PluginSearch search;
    std::istringstream files(NEPHRON_PLUGIN_FILES);
    for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
    registry_ = std::make_unique<Registry>(search);
    peer_ = run("../metrics/metrics.py");
    std::vector<ComponentSpec> specs = metric_specs({"dice", "iou", "precision", "recall", "auprc", "calibration",
                                                     "brier", "centres", "detection", "panoptic", "average_precision"});
    Value tau(Value::Array{Value(1.0), Value(5.0)});
    specs.push_back({"boundary", Value(Value::Table{{"tau", std::move(tau), {}}}), {}});
    metrics_ = MetricSet(*registry_, specs);
  }

  SlideMeasures measure(int s) const {
    const std::string name = "s" + std::to_string(s) + ".";
    const at::Tensor &probability = peer_.at(name + "probability"), &truth = peer_.at(name + "truth");
    MeasuredSlide slide;
    slide.id = name;
    slide.size = {probability.size(2), probability.size(1)};
    slide.microns_per_pixel = 0.5;
    slide.classes = {"one", "two"};
    slide.thresholds = {0.5, 0.5};
    SlideMeter meter(metrics_, slide, {});
    for (std::int64_t y = 0; y < slide.size.height; y += band) {
      const Region part{0, y, slide.size.width, std::min(band, slide.size.height - y)};
      MeasuredRows rows;
      rows.y = y;
      for (const int c : {0, 1}) {
        rows.probability.push_back(plane(probability, c, Depth::f32).crop(part));
        rows.truth.push_back(plane(truth, c, Depth::u8).crop(part));
        rows.ignored.push_back(plane(peer_.at(name + "ignored"), 0, Depth::u8).crop(part));
      }
      meter.rows(rows);
    }
    return meter.finish();
  }

  /// Every value of `found` that the peer has under that name. Gives back how many.
  int compare(const std::string& prefix, const std::vector<MetricValue>& found) const {
    // torchmetrics computes in single precision; its average precision and ours differ by the pixels whose
    // probabilities lie closer than 1/65536.
    const std::map<std::string, double> tolerances{{"auprc", 1e-4}};
    int n = 0;
    for (const MetricValue& value : found) {
      const auto expected = peer_.find(prefix + value.name);
      if (expected == peer_.end()) continue;
      const auto tolerance = tolerances.find(value.name);
      EXPECT_NEAR(value.value, expected->second[value.class_index].item<double>(),
                  tolerance == tolerances.end() ? 2e-6 : tolerance->second)
          << prefix << value.name << " of class " << value.class_index;
      ++n;
    }
    return n;
  }

  std::unique_ptr<Registry> registry_;
  MetricSet metrics_;
  TensorMap peer_;
};

TEST_F(Metrics, EqualThePeers) {
  MeasurePool pool(metrics_, {"one", "two"}, {0.5, 0.5});
  for (int s = 0; s < slides; ++s) {
    const SlideMeasures measures = measure(s);
    pool.add(measures);
    std::vector<MetricValue> all;
    for (const auto& values : measures.values) all.insert(all.end(), values.begin(), values.end());
    EXPECT_EQ(compare("s" + std::to_string(s) + ".", all), 2 * 15) << "dice to brier 8, boundary 4, panoptic 3";
  }
  std::vector<MetricValue> pooled;
  for (const PooledValue& value : pool.values()) {
    pooled.push_back(value.value);
    if (value.value.name == "hd95") {
      EXPECT_NEAR(value.value.value, value.over_slides.mean, 1e-12) << "the mean over slides";
    }
  }
  EXPECT_EQ(compare("pool.", pooled), 2 * (8 + 4 + 3)) << "dice to brier, centres, average precision";
}

}  // namespace
}  // namespace nephron::host
