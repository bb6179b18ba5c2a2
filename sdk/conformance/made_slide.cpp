#include <algorithm>

#include <nephron/rng.hpp>

#include <conformance/made_slide.hpp>

namespace nephron::conformance {

namespace {

constexpr std::size_t classes = 2;
constexpr std::int64_t cell = 16;

/// In its cell of the slide, away from the others.
Region square_in(std::int64_t cx, std::int64_t cy, Rng& rng) {
  const std::int64_t x = rng.integer(2, 5), y = rng.integer(2, 5);
  return {cx * cell + x, cy * cell + y, rng.integer(3, cell - 2 - x), rng.integer(3, cell - 2 - y)};
}

bool holds(const Region& box, const Region& other) {
  const std::int64_t x = other.x + other.width / 2, y = other.y + other.height / 2;
  return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
}

std::vector<MeasuredObject> objects_of(const std::vector<MadeSlide::Square>& squares,
                                       const std::vector<MadeSlide::Square>& others, bool found) {
  std::vector<MeasuredObject> out;
  for (const MadeSlide::Square& s : squares) {
    MeasuredObject object;
    object.class_index = s.class_index;
    object.box = s.box;
    object.area = s.box.size().area();
    object.centroid = {static_cast<double>(2 * s.box.x + s.box.width - 1) / 2,
                       static_cast<double>(2 * s.box.y + s.box.height - 1) / 2};
    object.confidence = object.mean_probability = found ? s.confidence : 1;
    object.centre_hits = std::any_of(others.begin(), others.end(), [&](const MadeSlide::Square& o) {
      return o.class_index == s.class_index && holds(o.box, s.box);
    });
    out.push_back(object);
  }
  return out;
}

}  // namespace

MadeSlide::MadeSlide(Wish wish) : wish_(wish) {
  for (std::size_t c = 0; c < classes; ++c) {
    probability_.emplace_back(wish.size, 1, Depth::f32);
    predicted_.emplace_back(wish.size, 1);
    true_.emplace_back(wish.size, 1);
  }
  ignored_ = Image(wish.size, 1);
  Rng rng(wish.seed, "check/metric");
  // The last row of cells holds nothing but ignored pixels.
  for (std::int64_t cy = 0; cy + 1 < wish.size.height / cell; ++cy)
    for (std::int64_t cx = 0; cx < wish.size.width / cell; ++cx) {
      const auto c = static_cast<std::size_t>(rng.integer(0, classes - 1));
      const Region box = square_in(cx, cy, rng);
      const Region near{box.x + rng.integer(-1, 1), box.y + rng.integer(-1, 1), box.width, box.height};
      const bool missed = rng.chance(0.2), made_up = rng.chance(0.2), mistaken = rng.chance(0.1);
      const auto confidence = static_cast<float>(rng.uniform(0.6, 0.95));
      if (wish.truth && !made_up) truth_.push_back({c, box});
      if (wish.prediction && !missed) found_.push_back({mistaken ? 1 - c : c, near, confidence});
    }
  if (wish.perfect) found_ = truth_;
  draw(truth_, true_);
  draw(found_, predicted_);
  for (std::size_t c = 0; c < classes; ++c)
    for (std::int64_t y = 0; y < wish.size.height; ++y)
      for (std::int64_t x = 0; x < wish.size.width; ++x) {
        const bool known = y < wish.size.height / cell * cell - cell || wish.size.height < 2 * cell;
        ignored_.view().row<std::uint8_t>(y)[x] = known ? 0 : 1;
        float& p = probability_[c].view().row<float>(y)[x];
        if (!known) p = wish.ignored;
        else if (wish.perfect) p = predicted_[c].view().row<std::uint8_t>(y)[x];
        else p = static_cast<float>(rng.uniform(0.05, 0.4));
      }
  if (wish.perfect) return;
  for (const Square& s : found_)
    for (std::int64_t y = s.box.y; y < s.box.y + s.box.height; ++y)
      std::fill_n(probability_[s.class_index].view().row<float>(y) + s.box.x, s.box.width, s.confidence);
  move_probabilities();
}

void MadeSlide::move_probabilities() {
  constexpr double usual = 0.5;
  if (!wish_.redrawn && wish_.threshold == usual) return;
  Rng rng(wish_.seed, "check/metric/redrawn");
  for (const Image& plane : probability_)
    for (std::int64_t y = 0; y < wish_.size.height; ++y)
      for (std::int64_t x = 0; x < wish_.size.width; ++x) {
        float& p = plane.view().row<float>(y)[x];
        const bool above = p > usual;
        if (wish_.redrawn) p = static_cast<float>(above ? rng.uniform(0.55, 0.98) : rng.uniform(0.02, 0.45));
        p = static_cast<float>(above ? 1 - (1 - p) * (1 - wish_.threshold) / (1 - usual) : p * wish_.threshold / usual);
      }
}

void MadeSlide::draw(const std::vector<Square>& squares, const std::vector<Image>& planes) const {
  for (const Square& s : squares)
    for (std::int64_t y = s.box.y; y < s.box.y + s.box.height; ++y)
      std::fill_n(planes[s.class_index].view().row<std::uint8_t>(y) + s.box.x, s.box.width, std::uint8_t{1});
}

MeasuredSlide MadeSlide::slide() const {
  MeasuredSlide out;
  out.id = "slide" + std::to_string(wish_.seed);
  out.group = "made";
  out.size = wish_.size;
  out.microns_per_pixel = 0.5;
  out.classes = {"one", "two"};
  out.thresholds = {wish_.threshold, wish_.threshold};
  return out;
}

MeasuredObjects MadeSlide::objects() const {
  MeasuredObjects out;
  out.found = objects_of(found_, truth_, true);
  out.truth = objects_of(truth_, found_, false);
  for (std::size_t f = 0; f < found_.size(); ++f)
    for (std::size_t t = 0; t < truth_.size(); ++t) {
      const std::int64_t common = found_[f].box.clipped(truth_[t].box).size().area();
      if (common > 0)
        out.pairs.push_back(
            {f, t, common,
             static_cast<double>(common) / static_cast<double>(out.found[f].area + out.truth[t].area - common)});
    }
  return out;
}

void MadeSlide::show(const Metric& metric, Measurement& measurement, std::int64_t band) const {
  const std::uint32_t needs = metric.needs();
  for (std::int64_t y = 0; y < wish_.size.height && (needs & MetricNeeds::rows) != 0; y += band) {
    const Region rows{0, y, wish_.size.width, std::min(band, wish_.size.height - y)};
    MeasuredRows shown;
    shown.y = y;
    shown.height = rows.height;
    for (std::size_t c = 0; c < classes; ++c) {
      shown.probability.push_back(probability_[c].view().crop(rows));
      shown.predicted.push_back(predicted_[c].view().crop(rows));
      shown.truth.push_back(true_[c].view().crop(rows));
      shown.ignored.push_back(ignored_.view().crop(rows));
    }
    measurement.rows(shown);
  }
  if ((needs & MetricNeeds::objects) != 0) measurement.objects(objects());
}

std::vector<MetricValue> MadeSlide::measured(const Metric& metric, std::int64_t band) const {
  const auto measurement = metric.begin(slide());
  show(metric, *measurement, band);
  return measurement->values();
}

}  // namespace nephron::conformance
