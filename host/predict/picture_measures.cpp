#include <host/predict/picture_measures.hpp>

#include <filesystem>
#include <utility>

#include <nephron/error.hpp>

#include <host/metrics/kept_measures.hpp>
#include <host/plugins/guard.hpp>
#include <host/predict/unmeasured_rows.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t rows_at_once = 64;

MeasuredRows shown(const UnmeasuredRows::Strip& strip, const std::vector<Image>& masks) {
  std::vector<ImageView> maps, truth;
  for (const Image& map : strip.maps) maps.push_back(map.view());
  for (const Image& mask : strip.truth.of_class) truth.push_back(mask.view());
  return measured_rows(strip.y, maps, truth, masks,
                       strip.truth.ignored.empty() ? ImageView() : strip.truth.ignored.view());
}

SlideMeasures measures_of(UnmeasuredRows& rows, SlideMeter& meter, const std::vector<double>& thresholds) {
  while (const std::optional<UnmeasuredRows::Strip> strip = rows.next(rows_at_once)) {
    if (interrupted()) throw Cancelled();
    std::vector<Image> masks;
    for (std::size_t c = 0; c < thresholds.size(); ++c) masks.push_back(above(strip->maps[c].view(), thresholds[c]));
    meter.rows(shown(*strip, masks));
  }
  return meter.finish();
}

}  // namespace

PictureMeasures::PictureMeasures(const PictureMetrics& metrics, const OutputFolder& output,
                                 const PredictSettings& settings, const std::vector<std::string>& classes,
                                 std::string group)
    : metrics_(metrics), output_(output), settings_(settings), classes_(classes), group_(std::move(group)) {}

/// Of a search, whether measures are those of its threshold is known once that is.
bool PictureMeasures::has(const std::string& id) const {
  if (settings_.search)
    return fs::exists(output_.measures(id)) || UnmeasuredRows::open(output_.unmeasured(id), classes_.size());
  return read_measures(output_.measures(id), metrics_.key(settings_.thresholds), metrics_.set).has_value();
}

/// False where there are none.
bool PictureMeasures::measured_of_rows(const std::string& id, const PictureScore& score,
                                       const std::vector<double>& thresholds) {
  std::optional<UnmeasuredRows> rows = UnmeasuredRows::open(output_.unmeasured(id), classes_.size());
  if (!rows) return false;
  const UnmeasuredPicture& picture = rows->picture();
  MeasuredSlide slide;
  slide.id = id, slide.group = group_, slide.size = picture.size;
  slide.microns_per_pixel = picture.mpp * picture.reduction.value();
  slide.classes = classes_, slide.thresholds = thresholds;
  SlideMeter meter(metrics_.set, std::move(slide), objects_at(picture.reduction, settings_.kept),
                   /*with_objects=*/true, picture.known);
  SlideRow row{measures_of(*rows, meter, thresholds), -1, score.picture, score.masks};
  if (metrics_.kept) write_measures(output_.measures(id), metrics_.key(thresholds), {std::move(row), {}}, metrics_.set);
  else take(id, std::move(row));
  output_.remove_unmeasured(id);  // last: it is measured now
  return true;
}

PictureMeasures::Measured PictureMeasures::measure(const std::vector<PictureFile>& pictures, const Scores& scores,
                                                   const std::vector<double>& thresholds) {
  Measured out;
  Progress progress("measuring", static_cast<std::int64_t>(pictures.size()));
  std::int64_t done = 0;
  for (const PictureFile& picture : pictures) {
    const auto score = scores.pictures.find(picture.id);
    try {
      if (interrupted()) throw Cancelled();
      if (score != scores.pictures.end() && !measured_of_rows(picture.id, score->second, thresholds) &&
          !here_.contains(picture.id) &&
          !read_measures(output_.measures(picture.id), metrics_.key(thresholds), metrics_.set))
        out.at_others.push_back(picture);
    } catch (const Cancelled&) {
      throw;
    } catch (const WriteError&) {
      throw;
    } catch (const std::exception& e) {
      out.failures[picture.id] = with_hint(e);
    }
    progress.update(++done, picture.id);
  }
  progress.finish();
  return out;
}

void PictureMeasures::add_up(const std::vector<PictureFile>& pictures, const std::vector<double>& thresholds,
                             Scores& scores) const {
  MeasurePool pool(metrics_.set, classes_, thresholds);
  std::vector<SlideRow> rows;
  for (const PictureFile& picture : pictures) {
    if (!scores.pictures.contains(picture.id)) continue;
    std::optional<KeptSlide> kept;
    if (const auto own = here_.find(picture.id); own != here_.end()) kept = KeptSlide{own->second, {}};
    else kept = read_measures(output_.measures(picture.id), metrics_.key(thresholds), metrics_.set);
    if (!kept) continue;
    pool.add(kept->row.measures);
    kept->row.measures.details.clear();
    std::vector<MetricValue>& values = scores.values_of[picture.id];
    for (const auto& metric : kept->row.measures.values) values.insert(values.end(), metric.begin(), metric.end());
    rows.push_back(std::move(kept->row));
  }
  scores.values = pool.values();
  const TableText slides = slide_table(rows), objects = object_table(rows);
  write_file_atomically(output_.table("slides.csv"), slides.csv);
  write_file_atomically(output_.table("slides.jsonl"), slides.jsonl);
  write_file_atomically(output_.table("objects.csv"), objects.csv);
  write_file_atomically(output_.table("objects.jsonl"), objects.jsonl);
}

}  // namespace nephron::host
