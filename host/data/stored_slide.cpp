#include <host/data/stored_slide.hpp>

#include <cstring>

#include <nephron/error.hpp>

#include <host/store/label_copy.hpp>

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

StoredSlide::StoredSlide(const LabelsFolder& folder, Place place) : place_(std::move(place)) {
  const StoreLock lock(folder, StoreLock::For::reading);  // record and file belong together
  const std::filesystem::path file = folder.record_file(place_.reduction);
  if (!std::filesystem::exists(file))
    throw Error(folder.path().string() + " is not prepared at reduction " + place_.reduction.str(),
                "nephron prepare does it");
  const LabelsRecord record = LabelsRecord::read(file);
  open_picture(folder.picture_of(record), record);
  annotated_ = record.annotated;
  if (annotated_) open_labels(folder.labels(place_.reduction), record);
}

void StoredSlide::open_picture(const PictureFolder& folder, const LabelsRecord& labels) {
  const StoreLock lock(folder, StoreLock::For::reading);
  const PictureRecord record = PictureRecord::read(folder.record_file(place_.reduction));
  const std::filesystem::path file = folder.picture(place_.reduction);
  picture_ = MappedTiff(file);
  picture_file_ = file;
  size_ = place_.reduction.size_of(record.size);
  const auto& pictures = picture_.pictures();
  if (record.reduction != place_.reduction || pictures.size() != 1 || pictures[0].size != size_ ||
      pictures[0].channels != 3 || static_cast<std::int64_t>(picture_.bytes()) != record.bytes)
    throw Error(file.string() + " is not the picture that its record tells of", "prepare the slide again");
  if (labels.size != record.size || labels.reduction != place_.reduction)
    throw Error(file.string() + " is not the picture of the slide's labels: one of them has another size",
                "prepare the slide again");
  if (record.mtime_ns != 0 && picture_.mtime_ns() != record.mtime_ns) touched_.push_back(file);
  digests_.picture = record.digest;
  read_tissue_ = [folder, record] { return folder.read_tissue(record); };
  read_colours_ = [folder, record] { return folder.colours(record); };
  place_.info.size = record.size;
  if (place_.info.mpp <= 0) place_.info.mpp = record.mpp;
  catalog_ = {place_.info.id, place_.group, size_, std::vector<std::int64_t>(place_.classes.size()), record.tissue};
}

void StoredSlide::open_labels(const std::filesystem::path& file, const LabelsRecord& record) {
  labels_ = MappedTiff(file);
  labels_file_ = file;
  label_pictures_.emplace(labels_, file, record.size, place_.reduction);
  if (record.classes != place_.classes || static_cast<std::int64_t>(labels_.bytes()) != record.bytes)
    throw Error(file.string() + " holds not the labels that its record tells of", "prepare the slide again");
  if (record.mtime_ns != 0 && labels_.mtime_ns() != record.mtime_ns) touched_.push_back(file);
  digests_.labels = record.digest;
  catalog_.foreground = record.foreground;
  keeps_ignored_ = record.ignored.has_value();
  ignored_ = record.ignored.value_or(0);
  for (const auto& [c, picture] : label_pictures_->soft) soft_classes_ |= 1U << c;
  const MappedTiff::Picture& blocks = labels_.pictures()[label_pictures_->presence];
  if (blocks.depth != nephron::label_depth(static_cast<int>(place_.classes.size()) + (keeps_ignored_ ? 1 : 0)))
    throw Error(file.string() + " holds labels of " + std::to_string(8 * bytes_of(blocks.depth)) + " bits for " +
                    std::to_string(place_.classes.size()) + " classes",
                "prepare the slide again");
  index_ = index_of(label_pictures_->presence);
}

LabelIndex StoredSlide::index_of(std::size_t picture) const {
  const MappedTiff::Picture& blocks = labels_.pictures()[picture];
  const Image stored(blocks.size, 1, blocks.depth);
  labels_.read(picture, {0, 0, blocks.size.width, blocks.size.height}, stored.view());
  std::vector<std::uint32_t> presence(static_cast<std::size_t>(blocks.size.area()));
  widen_labels(stored.view(), {presence.data(), blocks.size.width, blocks.size.height, 1, Depth::u32,
                               static_cast<std::ptrdiff_t>(4 * blocks.size.width)});
  static_assert(LabelIndex::block == presence_block);
  return {size_,
          std::move(presence),
          static_cast<int>(place_.classes.size()),
          {[this](const Region& r, std::uint32_t bits) { return labels_.any(label_pictures_->bits, r, bits); },
           [this](const Region& r) {
             Image out(r.size(), 1, labels_.pictures()[label_pictures_->bits].depth);
             labels_.read(label_pictures_->bits, r, out.view());
             return out;
           }}};
}

std::string StoredSlide::lost_file() const {
  if (picture_.lost()) return picture_file_.string();
  return labels_.lost() ? labels_file_.string() : std::string();
}

void StoredSlide::read(const Region& region, const ImageView& image, const ImageView& labels) const {
  if (!image.empty()) read_part(picture_, 0, size_, region, image, 255);
  if (labels.empty()) return;
  if (!annotated_) return fill_labels(labels, 0);
  const Region inside = region.clipped({0, 0, size_.width, size_.height});
  if (inside != region) fill_labels(labels, place_.ignore_outside ? 1U << place_.classes.size() : 0);
  if (inside.empty()) return;
  const ImageView part = labels.crop({inside.x - region.x, inside.y - region.y, inside.width, inside.height});
  const Depth depth = labels_.pictures()[label_pictures_->bits].depth;
  if (depth == part.depth) return labels_.read(label_pictures_->bits, inside, part);
  const Image narrow(inside.size(), 1, depth);
  labels_.read(label_pictures_->bits, inside, narrow.view());
  widen_labels(narrow.view(), part);
}

bool StoredSlide::any_label(const Region& region, std::uint32_t classes) const {
  return annotated_ && index_.any(region, classes);
}

std::int64_t StoredSlide::count(const Region& region, std::uint32_t classes) const {
  return annotated_ ? index_.count(region, classes) : 0;
}

std::int64_t StoredSlide::tissue(const Region& region) const {
  std::call_once(tissue_read_, [this] { tissue_ = TissueIndex(read_tissue_(), size_); });
  return tissue_.pixels(region);
}

const SlideColours* StoredSlide::colours() const {
  std::call_once(colours_read_, [this] { colours_ = read_colours_(); });
  return colours_ ? &*colours_ : nullptr;
}

std::optional<Pixel> StoredSlide::pixel(std::size_t class_index, Rng& rng) const {
  return annotated_ ? index_.draw(class_index, rng) : std::nullopt;
}

void StoredSlide::read_soft(int class_index, const Region& region, const ImageView& map) const {
  if ((soft_classes_ >> class_index & 1U) == 0) return PreparedSlide::read_soft(class_index, region, map);
  read_part(labels_, label_pictures_->soft.at(class_index), size_, region, map, 0);
}

}  // namespace nephron::host
