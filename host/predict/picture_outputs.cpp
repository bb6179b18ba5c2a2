#include <host/predict/picture_outputs.hpp>

#include <algorithm>
#include <utility>

#include <host/predict/map_file.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/tiling/most_likely.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t rows_at_once = 64;

}  // namespace

PictureOutputs::PictureOutputs(const OutputFolder& output, const Kept& kept, const MaskRule& rule,
                               std::vector<std::string> classes, OutputPicture picture)
    : output_(output), kept_(kept), rule_(rule), classes_(std::move(classes)), picture_(std::move(picture)) {}

PictureOutputs::~PictureOutputs() = default;

void PictureOutputs::begin(Size size, int classes) {
  const auto count = static_cast<std::size_t>(classes);
  enlarged_.emplace(size, picture_.size, count, rows_at_once,
                    [this](std::int64_t y, std::span<const ImageView> maps) { full_rows(y, maps); });
  const auto png = [&](const std::filesystem::path& file) {
    std::filesystem::create_directories(file.parent_path());
    return std::make_unique<PngRows>(file, picture_.size, Depth::u8, PngOptions{});
  };
  const auto& [id, file_name, full, mpp, truth, reduction] = picture_;
  if (truth != nullptr) {
    full_.emplace(count, rule_.search);
    reduced_.emplace(count, rule_.search);
    if (truth->ignores()) ignored_ = png(output_.ignored(id));
  }
  if (!rule_.search) masks_.emplace(output_, kept_, classes_, ObjectPicture{id, file_name, full, mpp});
  for (std::size_t c = 0; c < count; ++c) {
    if (kept_.maps) maps_.push_back(std::make_unique<MapFile>(output_, kept_, c, id, full, mpp));
    if (rule_.search) levels_.push_back(png(output_.levels(c, id)));
    if (truth != nullptr && truth->coded()) truth_.push_back(png(output_.truth(c, id)));
  }
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
  for (const ImageView& map : maps) out.push_back(rule_.search ? levels_of(map) : above(map, rule_.threshold));
  return out;
}

void PictureOutputs::rows(std::int64_t y, std::span<const ImageView> classes) {
  if (reduced_) {
    const std::int64_t height = classes.front().height;
    reduced_->add(picture_.truth->rows(picture_.reduction, y, height), decided(classes));
  }
  enlarged_->add(classes);
}

void PictureOutputs::full_rows(std::int64_t y, std::span<const ImageView> maps) {
  const std::vector<Image> masks = decided(maps);
  if (full_) {
    const TruthFolder::Masks truth = picture_.truth->rows(1, y, maps.front().height);
    full_->add(truth, masks);
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

std::optional<PictureScore> PictureOutputs::finish() {
  for (const auto& map : maps_) map->finish();
  for (const auto& levels : levels_) levels->finish();
  if (masks_) masks_->finish();
  for (const auto& truth : truth_) truth->finish();
  if (ignored_ != nullptr) ignored_->finish();
  if (!full_) return std::nullopt;
  PictureScore score;
  score.threshold.assign(picture_.truth->classes(), rule_.threshold);
  score.dice = full_->dice(), score.dice_reduced = reduced_->dice();
  score.curve = full_->curves(), score.curve_reduced = reduced_->curves();
  return score;
}

}  // namespace nephron::host
