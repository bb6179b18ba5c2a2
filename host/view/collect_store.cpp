#include <algorithm>
#include <map>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/store/inventory.hpp>
#include <host/store/mapped_tiff.hpp>
#include <host/view/collect_parts.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// The prepared reductions of a slide as levels of one file; those that do not divide evenly are left out.
class StoredPictures final : public SlideFile {
 public:
  StoredPictures(const PictureFolder& folder, const std::vector<Reduction>& reductions) {
    const StoreLock lock(folder, StoreLock::For::reading);
    for (const Reduction& r : reductions) {
      if (!files_.empty() && reductions.front().times_to(r) == 0) continue;
      MappedTiff file(folder.picture(r));
      if (file.pictures().size() != 1 || file.pictures()[0].channels != 3 || file.pictures()[0].depth != Depth::u8)
        throw Error(folder.picture(r).string() + " is not the picture that its record tells of",
                    "prepare the slide again");
      header_.levels.push_back({file.pictures()[0].size, r.value() / reductions.front().value()});
      files_.push_back(std::move(file));
    }
    header_.format = "prepared, reduced by " + reductions.front().str();
    header_.tile = {512, 512};
  }
  Size size() const noexcept override { return header_.levels.front().size; }
  const SlideHeader& header() const noexcept override { return header_; }
  void read(const Region& region, const ImageView& out) const override { read_level(0, region, out); }
  void read_level(int level, const Region& region, const ImageView& out) const override {
    files_.at(static_cast<std::size_t>(level)).read(0, region, out);
  }

 private:
  SlideHeader header_;
  std::vector<MappedTiff> files_;
};

/// The bits of prepared labels, by slide.
class StoredTruth final : public ViewLayer {
 public:
  StoredTruth() : ViewLayer("truth", Kind::truth) {}
  void add(const std::string& id, const fs::path& folder, const LabelsRecord& record) {
    places_.emplace(id, Place{folder, record});
  }
  bool empty() const noexcept { return places_.empty(); }
  bool knows(const std::string& id) const override { return places_.contains(id); }
  LabelSet labels(const std::string& id, Size, const Stop& stop) const override {
    const auto& [path, record] = places_.at(id);
    const LabelsFolder folder(path);
    const fs::path file = folder.labels(record.reduction);
    MappedTiff tiff;
    {
      const StoreLock lock(folder, StoreLock::For::reading);
      tiff = MappedTiff(file);
    }
    const std::size_t picture = LabelPictures(tiff, file, record.size, record.reduction).bits;
    LabelSet out;
    out.size = tiff.pictures()[picture].size;
    out.classes = record.classes;
    out.masks.resize(record.classes.size());
    constexpr std::int64_t strip_pixels = std::int64_t{1} << 24;
    const std::int64_t width = std::clamp<std::int64_t>(strip_pixels / out.size.height, 1, out.size.width);
    const Image strip({width, out.size.height}, 1, tiff.pictures()[picture].depth);
    for (std::int64_t x = 0; x < out.size.width; x += width) {
      if (stop()) throw Cancelled();
      const Region part{x, 0, std::min(width, out.size.width - x), out.size.height};
      const ImageView view = strip.view().crop({0, 0, part.width, part.height});
      tiff.read(picture, part, view);
      for (std::size_t c = 0; c < out.masks.size(); ++c)
        for (const Run& run : encode_rle(view, std::uint32_t{1} << c))
          out.masks[c].push_back({run.start + x * out.size.height, run.length});
    }
    for (Runs& mask : out.masks) mask = normalised(std::move(mask));
    return out;
  }

 private:
  struct Place {
    fs::path folder;
    LabelsRecord record;
  };
  std::map<std::string, Place> places_;
};

}  // namespace

void collect_store(const fs::path& path, Collecting& into) {
  const std::vector<StoredFolder> folders = list_store(path);
  std::map<std::string, std::string> id_of;  // a folder of pictures: what its slide is called
  const auto truth = std::make_shared<StoredTruth>();
  for (const StoredFolder& stored : folders) {
    if (stored.labels.empty()) continue;
    const LabelsRecord& record = stored.labels.front();
    id_of.emplace(record.picture, record.slide);
    if (record.annotated) truth->add(record.slide, stored.folder.path(), record);
    into.add_classes(record.classes);
  }
  for (const StoredFolder& stored : folders) {
    for (const std::string& problem : stored.problems) into.out.problems.push_back(problem);
    if (stored.pictures.empty()) continue;
    const PictureRecord& finest = stored.pictures.front();
    std::vector<Reduction> reductions;
    for (const PictureRecord& record : stored.pictures) reductions.push_back(record.reduction);
    const std::string name = stored.folder.path().filename().string();
    ViewSlide slide;
    slide.id = id_of.contains(name) ? id_of.at(name) : name;
    slide.place = stored.folder.path().string();
    slide.source = stored.folder.path();
    slide.mpp = finest.mpp * finest.reduction.value();
    slide.full = finest.size;
    slide.open = [folder = PictureFolder(stored.folder.path()), reductions] {
      return std::make_shared<const StoredPictures>(folder, reductions);
    };
    into.add(std::move(slide));
  }
  if (!truth->empty()) into.truths.push_back(truth);
}

}  // namespace nephron::host
