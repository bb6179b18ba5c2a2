#include <host/metrics/bench_metrics.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/metrics/object_comparison.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace {

Image read_mask(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const std::int64_t side = std::llround(std::sqrt(static_cast<double>(bytes.size())));
  if (side < 1 || side * side != static_cast<std::int64_t>(bytes.size()))
    throw Error(file.string() + " has " + std::to_string(bytes.size()) + " bytes; expected those of a square mask");
  Image mask({side, side}, 1);
  std::memcpy(mask.view().data, bytes.data(), bytes.size());
  return mask;
}

Image probability_of(const Image& levels) {
  Image out(levels.size(), 1, Depth::f32);
  for (std::int64_t y = 0; y < levels.size().height; ++y)
    for (std::int64_t x = 0; x < levels.size().width; ++x)
      out.view().row<float>(y)[x] = static_cast<float>(levels.view().row<std::uint8_t>(y)[x]) / 255;
  return out;
}

struct Result {
  double compare_s = 0, matching_s = 0;
  double dice = 0, confidence_sum = 0;
  std::size_t truths = 0, found = 0, matched = 0, hits = 0, covered = 0;
  double seconds() const { return compare_s + matching_s; }
};

Result measure(const Image& found, const Image& truth, const Image& probability, std::int64_t least_area) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); };
  Result out;
  const auto start = Clock::now();
  ObjectComparison comparison({.least_area = least_area});
  comparison.rows(0, found.view(), truth.view(), probability.view());
  const ComparedObjects compared = comparison.finish();
  out.compare_s = since(start);
  const auto middle = Clock::now();
  const MeasuredObjects objects = measured_objects({&compared, 1});
  out.matched = matched_by_iou(objects, 0.5).size();
  out.matching_s = since(middle);
  out.dice = compared.overlap.dice();
  out.truths = objects.truth.size(), out.found = objects.found.size();
  for (const MeasuredObject& o : objects.found) out.hits += o.centre_hits ? 1 : 0, out.confidence_sum += o.confidence;
  for (const MeasuredObject& o : objects.truth) out.covered += o.centre_hits ? 1 : 0;
  return out;
}

}  // namespace

std::string bench_metrics(const BenchMetricsRequest& request) {
  const Image truth = read_mask(request.truth), found = read_mask(request.found);
  if (!(truth.size() == found.size())) throw Error("the two masks differ in size");
  const Image probability = probability_of(found);
  Result best;
  for (int i = 0; i < std::max(1, request.repeats); ++i) {
    const Result r = measure(found, truth, probability, request.least_area);
    if (i == 0 || r.seconds() < best.seconds()) best = r;
  }
  return nlohmann::ordered_json{{"job", "metrics"},
                                {"seconds", best.seconds()},
                                {"size", truth.size().width},
                                {"dice_and_components_s", best.compare_s},
                                {"matching_s", best.matching_s},
                                {"dice", best.dice},
                                {"truths", best.truths},
                                {"found", best.found},
                                {"tp", best.hits},
                                {"fp", best.found - best.covered},
                                {"fn", best.truths - best.hits},
                                {"matched", best.matched},
                                {"confidence_sum", best.confidence_sum}}
      .dump();
}

}  // namespace nephron::host
