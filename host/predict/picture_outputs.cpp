#include <host/predict/picture_outputs.hpp>

#include <algorithm>
#include <utility>

#include <host/predict/map_file.hpp>
#include <host/predict/picture_metrics.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/tiling/most_likely.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t rows_at_once = 64;

}  // namespace

PictureOutputs::PictureOutputs(const OutputFolder& output, const Kept& kept, const MaskRule& rule,
                               std::vector<std::string> classes, OutputPicture picture, const MetricSet* metrics)
    : output_(output),
      kept_(kept),
      rule_(rule),
      classes_(std::move(classes)),
      picture_(std::move(picture)),
      metrics_(metrics) {}

PictureOutputs::~PictureOutputs() = default;

void PictureOutputs::begin(Size size, int planes) {
  const std::size_t count = classes_.size();
  enlarged_.emplace(size, picture_.size, static_cast<std::size_t>(planes), rows_at_once,
                    [this](std::int64_t y, std::span<const ImageView> maps) { full_rows(y, maps); });
  const auto png = [&](const std::filesystem::path& file) {
    make_folder(file.parent_path());
    return std::make_unique<PngRows>(file, picture_.size, Depth::u8, PngOptions{});
  };
  const auto& [id, file_name, full, mpp, truth, reduction, group] = picture_;
  const auto map_file = [&](std::filesystem::path as_png, std::filesystem::path as_tiff) {
    return std::make_unique<MapFile>(std::move(as_png), std::move(as_tiff), kept_, picture_.size, picture_.mpp);
  };
  if (truth != nullptr) {
    begin_comparison(size);
    if (truth->ignores()) ignored_ = png(output_.ignored(id));
  }
  if (!rule_.search) masks_.emplace(output_, kept_, classes_, ObjectPicture{id, file_name, full, mpp});
  for (std::size_t c = 0; c < count; ++c) {
    if (kept_.maps) maps_.push_back(map_file(output_.probability(c, id), output_.probability_tiff(c, id)));
    if (rule_.search) levels_.push_back(png(output_.levels(c, id)));
    if (truth != nullptr && truth->coded()) truth_.push_back(png(output_.truth(c, id)));
  }
  for (const std::string& flip : kept_.flips)
    for (std::size_t c = 0; c < count; ++c)
      of_flips_.push_back(map_file(output_.of_flip(flip, c, id, ".png"), output_.of_flip(flip, c, id, ".tif")));
}

void PictureOutputs::begin_comparison(Size level) {
  full_.emplace(picture_.truth->known(), rule_.search);
  reduced_.emplace(picture_.truth->known(), rule_.search);
  truth_digest_.emplace(*picture_.truth);
  if (metrics_ == nullptr) return;
  const PictureTruth& truth = *picture_.truth;
  if (rule_.search) {
    unmeasured_.emplace(output_.unmeasured(picture_.id),
                        UnmeasuredPicture{level, picture_.reduction, picture_.mpp, truth.known(), truth.ignores()});
    return;
  }
  MeasuredSlide slide;
  slide.id = picture_.id, slide.group = picture_.group, slide.size = level;
  slide.microns_per_pixel = picture_.mpp * picture_.reduction.value();
  slide.classes = classes_;
  slide.thresholds = rule_.thresholds;
  meter_.emplace(*metrics_, std::move(slide), objects_at(picture_.reduction, kept_), /*with_objects=*/true,
                 truth.known());
}

void PictureOutputs::write_truth(const TruthFolder::Masks& rows) {
  for (std::size_t c = 0; c < truth_.size(); ++c) truth_[c]->write(rows.of_class[c].view());
  if (ignored_ != nullptr) ignored_->write(rows.ignored.view());
}

std::vector<Image> PictureOutputs::decided(std::span<const ImageView> maps) const {
  std::vector<Image> out;
  if (rule_.exclusive) {
    const auto copy_of = [&](std::size_t c) {
      Image map(maps[c].size(), 1, Depth::f32);
      copy(maps[c], map.view());
      return map;
    };
    const MostLikely likeliest(maps.size(), maps.front().size(), copy_of);
    for (std::size_t c = 0; c < maps.size(); ++c) out.push_back(likeliest.mask(c));
    return out;
  }
  for (std::size_t c = 0; c < maps.size(); ++c)
    out.push_back(rule_.search ? levels_of(maps[c]) : above(maps[c], rule_.thresholds.at(c)));
  return out;
}

void PictureOutputs::rows(std::int64_t y, std::span<const ImageView> planes) {
  if (reduced_) {
    const std::span<const ImageView> maps = planes.first(classes_.size());
    const TruthFolder::Masks truth = picture_.truth->rows(picture_.reduction, y, maps.front().height);
    const std::vector<Image> masks = decided(maps);
    reduced_->add(truth, masks);
    if (unmeasured_) unmeasured_->add(maps, truth);
    if (meter_) {
      std::vector<ImageView> views;
      for (const Image& mask : truth.of_class) views.push_back(mask.view());
      meter_->rows(measured_rows(y, maps, views, masks, truth.ignored.empty() ? ImageView() : truth.ignored.view()));
    }
  }
  enlarged_->add(planes);
}

void PictureOutputs::full_rows(std::int64_t y, std::span<const ImageView> planes) {
  const std::span<const ImageView> maps = planes.first(classes_.size());
  for (std::size_t i = 0; i < of_flips_.size(); ++i) of_flips_[i]->write(planes[maps.size() + i]);
  const std::vector<Image> masks = decided(maps);
  if (full_) {
    const TruthFolder::Masks truth = picture_.truth->rows(1, y, maps.front().height);
    full_->add(truth, masks);
    truth_digest_->add(truth);
    write_truth(truth);
  }
  for (std::size_t c = 0; c < maps.size(); ++c) {
    if (!maps_.empty()) maps_[c]->write(maps[c]);
    if (rule_.search) levels_[c]->write(masks[c].view());
  }
  if (!masks_) return;
  std::vector<ImageView> views;
  for (const Image& mask : masks) views.push_back(mask.view());
  masks_->rows(y, views, maps);
}

std::optional<ComparedPicture> PictureOutputs::finish(const std::string& origin) {
  for (const auto* files : {&maps_, &of_flips_})
    for (const auto& map : *files) map->finish(origin);
  for (const auto& levels : levels_) levels->finish(origin);
  if (masks_) masks_->finish(origin);
  for (const auto& truth : truth_) truth->finish();
  if (ignored_ != nullptr) ignored_->finish();
  if (!full_) return std::nullopt;
  ComparedPicture out;
  PictureScore& score = out.score;
  score.threshold = rule_.thresholds;
  score.dice = full_->dice(), score.dice_reduced = reduced_->dice();
  score.curve = full_->curves(), score.curve_reduced = reduced_->curves();
  score.masks = truth_digest_->hex();
  if (meter_) out.measures = meter_->finish();
  if (unmeasured_) unmeasured_->finish();
  return out;
}

}  // namespace nephron::host
