#include <host/data/stored_slide.hpp>

#include <algorithm>
#include <cstring>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// Fills what lies outside of the slide, and reads the rest.
void read_part(const MappedTiff& file, std::size_t picture, Size size, const Region& region, const ImageView& to,
               int fill) {
  const Region inside = region.clipped({0, 0, size.width, size.height});
  if (inside != region)
    for (std::int64_t y = 0; y < to.height; ++y)
      std::memset(to.row<std::uint8_t>(y), fill, static_cast<std::size_t>(to.width) * to.pixel_bytes());
  if (!inside.empty())
    file.read(picture, inside, to.crop({inside.x - region.x, inside.y - region.y, inside.width, inside.height}));
}

}  // namespace

StoredSlide::StoredSlide(const SlideFolder& folder, Place place) : place_(std::move(place)) {
  const SlideLock lock(folder, SlideLock::For::reading);  // records and files belong together
  const PictureRecord record = PictureRecord::read(folder.picture_record());
  const auto factor = std::find(record.factors.begin(), record.factors.end(), place_.factor);
  if (factor == record.factors.end())
    throw Error(folder.path().string() + " is not prepared at factor " + std::to_string(place_.factor),
                "nephron prepare does it");
  picture_ = MappedTiff(folder.picture());
  picture_level_ = static_cast<std::size_t>(factor - record.factors.begin());
  size_ = {record.size.width / place_.factor, record.size.height / place_.factor};
  const auto& pictures = picture_.pictures();
  if (pictures.size() != record.factors.size() || pictures[picture_level_].size != size_ ||
      pictures[picture_level_].channels != 3 || static_cast<std::int64_t>(picture_.bytes()) != record.bytes)
    throw Error(folder.picture().string() + " is not the picture that slide.json tells of", "prepare the slide again");
  digest_ = {record.factors, record.digest};
  place_.info.size = record.size;
  if (place_.info.mpp <= 0) place_.info.mpp = record.mpp;
  catalog_ = {place_.info.id, place_.group, size_, std::vector<std::int64_t>(place_.classes.size()),
              record.tissue.at(place_.factor)};
  open_labels(folder, record.size);
}

void StoredSlide::open_labels(const SlideFolder& folder, Size full) {
  const LabelsRecord record = LabelsRecord::read(folder.labels_record(place_.classes));
  annotated_ = record.annotated;
  if (!annotated_) return;
  const std::filesystem::path file = folder.labels(place_.classes);
  labels_ = MappedTiff(file);
  const LabelPictures pictures(labels_, file, full);
  const auto level = pictures.levels.find(place_.factor);
  const auto counts = record.foreground.find(place_.factor);
  if (level == pictures.levels.end() || counts == record.foreground.end() || record.size != full ||
      record.classes != place_.classes || static_cast<std::int64_t>(labels_.bytes()) != record.bytes)
    throw Error(file.string() + " holds not the labels that its record tells of", "prepare the slide again");
  label_level_ = level->second;
  catalog_.foreground = counts->second;
  for (const auto& [c, picture] : label_level_.soft) soft_classes_ |= static_cast<std::uint8_t>(1 << c);
  const Size blocks = labels_.pictures()[label_level_.presence].size;
  std::vector<std::uint8_t> presence(static_cast<std::size_t>(blocks.area()));
  labels_.read(label_level_.presence, {0, 0, blocks.width, blocks.height},
               {presence.data(), blocks.width, blocks.height, 1, Depth::u8, blocks.width});
  static_assert(LabelIndex::block == presence_block);
  index_ = LabelIndex(size_, std::move(presence), static_cast<int>(place_.classes.size()),
                      [this](const Region& r, std::uint8_t bits) { return labels_.any(label_level_.bits, r, bits); });
}

void StoredSlide::read(const Region& region, const ImageView& image, const ImageView& labels) const {
  if (!image.empty()) read_part(picture_, picture_level_, size_, region, image, 255);
  if (labels.empty()) return;
  if (annotated_) return read_part(labels_, label_level_.bits, size_, region, labels, 0);
  for (std::int64_t y = 0; y < labels.height; ++y)
    std::memset(labels.row<std::uint8_t>(y), 0, static_cast<std::size_t>(labels.width));
}

bool StoredSlide::any_label(const Region& region, std::uint8_t classes) const {
  return annotated_ && index_.any(region, classes);
}

std::optional<Pixel> StoredSlide::pixel(std::size_t class_index, Rng& rng) const {
  return annotated_ ? index_.draw(class_index, rng) : std::nullopt;
}

void StoredSlide::read_soft(int class_index, const Region& region, const ImageView& map) const {
  const auto found = label_level_.soft.find(class_index);
  if (found == label_level_.soft.end()) return PreparedSlide::read_soft(class_index, region, map);
  read_part(labels_, found->second, size_, region, map, 0);
}

}  // namespace nephron::host
