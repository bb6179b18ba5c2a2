#include <host/metrics/slide_meter.hpp>

#include <cmath>
#include <cstring>
#include <utility>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>

namespace nephron::host {

namespace {

std::shared_ptr<Measurement> begun(const MetricSet::Entry& entry, const MeasuredSlide& slide) {
  std::shared_ptr<Measurement> out = guarded(*entry.metric, "in begin()", [&] { return entry.metric->begin(slide); });
  if (out == nullptr) throw Error("metric \"" + entry.name + "\" begins with nothing: its begin() gave no measurement");
  return out;
}

std::vector<MetricValue> values_of(const MetricSet::Entry& entry, const Measurement& measurement) {
  return guarded(*entry.metric, "in values()", [&] { return measurement.values(); });
}

void require_plane(const ImageView& plane, Depth depth, Size size, const char* what) {
  if (plane.channels != 1 || plane.depth != depth || !(plane.size() == size))
    throw Error(std::string("rows are measured whose ") + what +
                " are of another size or type than their probabilities");
}

/// 1 where `wanted(x)` and the pixel is not ignored.
template <class Wanted>
void write_mask(const ImageView& ignored, std::int64_t y, std::int64_t width, std::uint8_t* out, const Wanted& wanted) {
  if (ignored.empty()) {
    for (std::int64_t x = 0; x < width; ++x) out[x] = wanted(x) ? 1 : 0;
    return;
  }
  const auto* const skip = ignored.row<const std::uint8_t>(y);
  for (std::int64_t x = 0; x < width; ++x)
    out[x] = static_cast<std::uint8_t>((wanted(x) ? 1 : 0) & (skip[x] == 0 ? 1 : 0));
}

ImageView top_rows(const Image& image, std::int64_t height) {
  return image.view().crop({0, 0, image.size().width, height});
}

}  // namespace

MeasuredRows measured_rows(std::int64_t y, std::span<const ImageView> probability, std::span<const ImageView> truth,
                           std::span<const Image> predicted, const ImageView& ignored) {
  MeasuredRows out;
  out.y = y;
  out.probability.assign(probability.begin(), probability.end());
  out.truth.assign(truth.begin(), truth.end());
  for (const Image& mask : predicted) out.predicted.push_back(mask.view());
  if (!ignored.empty()) out.ignored.assign(probability.size(), ignored);
  return out;
}

SlideMeter::SlideMeter(const MetricSet& metrics, MeasuredSlide slide, const ObjectOptions& objects, bool with_objects,
                       std::vector<bool> known)
    : metrics_(metrics), slide_(std::move(slide)), known_(std::move(known)) {
  known_.resize(slide_.classes.size(), true);
  const std::uint32_t needs = metrics.needs();
  need_rows_ = (needs & MetricNeeds::rows) != 0;
  need_objects_ = with_objects || (needs & MetricNeeds::objects) != 0;
  for (const MetricSet::Entry& entry : metrics.entries()) measurements_.push_back(begun(entry, slide_));
  if (need_objects_) objects_.resize(slide_.classes.size(), ObjectComparison(objects));
}

/// What is ignored of a class; an empty view: nothing.
ImageView SlideMeter::ignored_of(const MeasuredRows& rows, std::size_t c) {
  if (known_[c]) return rows.ignored.empty() ? ImageView() : rows.ignored[c];
  const Size size = rows.probability[0].size();
  if (nothing_known_.size().width != size.width || nothing_known_.size().height < size.height) {
    nothing_known_ = Image(size, 1);
    std::memset(nothing_known_.view().data, 1, static_cast<std::size_t>(size.area()));
  }
  return top_rows(nothing_known_, size.height);
}

void SlideMeter::take_masks(const MeasuredRows& rows) {
  const std::size_t classes = slide_.classes.size();
  if (rows.probability.size() != classes || rows.truth.size() != classes ||
      (!rows.predicted.empty() && rows.predicted.size() != classes) ||
      (!rows.ignored.empty() && rows.ignored.size() != classes))
    throw Error("rows are measured that have not one plane a class");
  const Size size = rows.probability[0].size();
  predicted_.resize(classes), truth_.resize(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    require_plane(rows.probability[c], Depth::f32, size, "probabilities");
    require_plane(rows.truth[c], Depth::u8, size, "true masks");
    if (!rows.predicted.empty()) require_plane(rows.predicted[c], Depth::u8, size, "predicted masks");
    const ImageView ignored = ignored_of(rows, c);
    if (!ignored.empty()) require_plane(ignored, Depth::u8, size, "ignored pixels");
    for (Image* mask : {&predicted_[c], &truth_[c]})
      if (mask->size().width != size.width || mask->size().height < size.height) *mask = Image(size, 1);
    const auto above = static_cast<float>(slide_.thresholds.at(c));  // in the precision of the map, as predict does
    for (std::int64_t y = 0; y < size.height; ++y) {
      const auto* const t = rows.truth[c].row<const std::uint8_t>(y);
      write_mask(ignored, y, size.width, truth_[c].view().row<std::uint8_t>(y),
                 [t](std::int64_t x) { return t[x] != 0; });
      auto* const out = predicted_[c].view().row<std::uint8_t>(y);
      if (rows.predicted.empty()) {
        const auto* const p = rows.probability[c].row<const float>(y);
        write_mask(ignored, y, size.width, out, [p, above](std::int64_t x) { return p[x] > above; });
      } else {
        const auto* const p = rows.predicted[c].row<const std::uint8_t>(y);
        write_mask(ignored, y, size.width, out, [p](std::int64_t x) { return p[x] != 0; });
      }
    }
  }
}

void SlideMeter::rows(const MeasuredRows& rows) {
  if (rows.probability.empty() || rows.probability[0].empty()) return;
  take_masks(rows);
  MeasuredRows shown = rows;
  shown.height = rows.probability[0].height;
  shown.predicted.clear(), shown.truth.clear(), shown.ignored.clear();
  const bool ignoring = !rows.ignored.empty() || !nothing_known_.empty();
  if (ignoring && none_ignored_.size() != rows.probability[0].size())
    none_ignored_ = Image(rows.probability[0].size(), 1);
  for (std::size_t c = 0; c < slide_.classes.size(); ++c) {
    shown.predicted.push_back(top_rows(predicted_[c], shown.height));
    shown.truth.push_back(top_rows(truth_[c], shown.height));
    const ImageView ignored = ignored_of(rows, c);
    if (ignoring) shown.ignored.push_back(ignored.empty() ? none_ignored_.view() : ignored);
    if (need_objects_) objects_[c].rows(rows.y, shown.predicted[c], shown.truth[c], rows.probability[c]);
  }
  if (!need_rows_) return;
  for (std::size_t i = 0; i < measurements_.size(); ++i) {
    const Metric& metric = *metrics_.entries()[i].metric;
    if ((metric.needs() & MetricNeeds::rows) != 0)
      guarded(
          metric, [&] { return "in rows() of slide \"" + slide_.id + "\""; }, [&] { measurements_[i]->rows(shown); });
  }
}

SlideMeasures SlideMeter::finish() {
  SlideMeasures out;
  if (need_objects_) {
    std::vector<ComparedObjects> compared;
    for (ObjectComparison& c : objects_) compared.push_back(c.finish());
    out.objects = measured_objects(compared);
  }
  for (std::size_t i = 0; i < measurements_.size(); ++i) {
    const MetricSet::Entry& entry = metrics_.entries()[i];
    if ((entry.metric->needs() & MetricNeeds::objects) != 0)
      guarded(
          *entry.metric, [&] { return "in objects() of slide \"" + slide_.id + "\""; },
          [&] { measurements_[i]->objects(out.objects); });
    out.values.push_back(values_of(entry, *measurements_[i]));
    for (MetricValue& value : out.values.back())
      if (value.class_index >= 0 && !known_.at(static_cast<std::size_t>(value.class_index)))
        value.value = MetricValue::undefined;
    out.details.push_back(std::move(measurements_[i]));
  }
  out.slide = std::move(slide_);
  return out;
}

MeasurePool::MeasurePool(const MetricSet& metrics, std::vector<std::string> classes, std::vector<double> thresholds)
    : metrics_(metrics) {
  MeasuredSlide all;
  all.classes = std::move(classes);
  all.thresholds = std::move(thresholds);
  for (const MetricSet::Entry& entry : metrics.entries()) {
    sums_.push_back(begun(entry, all));
    of_slides_.emplace_back(values_of(entry, *sums_.back()).size());
  }
}

void MeasurePool::add(const SlideMeasures& slide) {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    guarded(*metrics_.entries()[i].metric, "in add()", [&] { sums_[i]->add(*slide.details[i]); });
    for (std::size_t v = 0; v < of_slides_[i].size() && v < slide.values[i].size(); ++v)
      if (!std::isnan(slide.values[i][v].value)) of_slides_[i][v].push_back(slide.values[i][v].value);
  }
}

std::vector<PooledValue> MeasurePool::values() const {
  std::vector<PooledValue> out;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const MetricSet::Entry& entry = metrics_.entries()[i];
    const std::vector<MetricValue> pooled = values_of(entry, *sums_[i]);
    for (std::size_t v = 0; v < pooled.size(); ++v) {
      const std::vector<double>& each = of_slides_[i][v];
      PooledValue value{entry.name, pooled[v], spread_of(each), static_cast<std::int64_t>(each.size())};
      // Of no slide there is nothing to pool: what a metric says of nothing ("one") is no figure of theirs.
      if (each.empty()) value.value.value = MetricValue::undefined;
      else if (value.value.over == PooledOver::slides) value.value.value = value.over_slides.mean;
      out.push_back(std::move(value));
    }
  }
  return out;
}

std::vector<PooledCurve> MeasurePool::curves() const {
  std::vector<PooledCurve> out;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const auto* const has = dynamic_cast<const HasCurves*>(sums_[i].get());
    if (has == nullptr) continue;
    const MetricSet::Entry& entry = metrics_.entries()[i];
    for (MetricCurve& curve : guarded(*entry.metric, "in curves()", [&] { return has->curves(); }))
      out.push_back({entry.name, std::move(curve)});
  }
  return out;
}

}  // namespace nephron::host
