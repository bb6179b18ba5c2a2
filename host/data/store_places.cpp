#include <host/data/store_places.hpp>

#include <algorithm>

#include <nephron/file_pixels.hpp>
#include <nephron/reader.hpp>

#include <host/config/components.hpp>
#include <host/config/show.hpp>
#include <host/slides/opener.hpp>
#include <host/store/content_hash.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string name_and_version(const ComponentInfo& component) { return component.name + " " + component.version; }

/// "reader tiff": readers and datasets may have one name.
std::string giver(std::string_view kind, const std::string& name) { return std::string(kind) + " " + name; }

/// The version of a reader or dataset that is there now.
std::string version_of(const Registry& registry, const std::string& component) {
  for (const ComponentInfo& c : registry.components())
    if (giver(c.kind, c.name) == component) return c.version;
  return "";
}

fs::path pictures_of(const fs::path& store) { return store / "pictures"; }

/// The folder of another place whose picture was made of this very file before it was moved, or none.
std::optional<fs::path> moved_picture(const fs::path& store, const std::string& name, const FileStamp& source,
                                      const std::string& component) {
  std::error_code failed;
  std::string hash;
  std::vector<fs::path> folders;
  for (fs::directory_iterator it(pictures_of(store), failed), end; !failed && it != end; it.increment(failed))
    if (it->path().filename().string().starts_with(name + "-")) folders.push_back(it->path());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& path : folders) {
    const PictureFolder folder(path);
    for (const Reduction& r : folder.reductions()) {
      const auto record = folder.record(r);
      if (!record || record->source.bytes != source.bytes || record->source.content.empty() ||
          !record->reader.starts_with(component + " ") || fs::exists(record->source.path))
        continue;
      if (hash.empty()) hash = content_hash_of(source.path);
      if (record->source.content == hash) return path;
    }
  }
  return std::nullopt;
}

/// Whether the pixels are those of the source alone.
bool of_its_source(const SlideReader& slide, const fs::path& source, const std::optional<OpenedBy>& by) {
  if (source.empty()) return false;
  if (!by) return dynamic_cast<const FilePixels*>(&slide) != nullptr;
  std::error_code failed;
  return fs::equivalent(by->file, source, failed) && !failed;
}

/// What tells a dataset's slide from another's: a run's experiment, which has every default written out, means the
/// same.
std::string key_of(const Listing& listing, const DatasetConfig& config, const std::string& slide) {
  return config.component.type + "\n" +
         params_key(Dataset::kind, config.component, RegistryComponents(listing.registry())) + "\n" + slide;
}

}  // namespace

LabelsPlace labels_place(const Listing& listing, const Listing::Entry& entry) {
  const Experiment& e = listing.experiment();
  const DatasetConfig& config = e.datasets[entry.dataset];
  std::string key = key_of(listing, config, entry.info.id);
  for (const std::string& name : e.classes) (key += '\n') += name;
  LabelsWish wish;
  wish.dataset = listing.dataset_name(entry.dataset);
  wish.slide = entry.info.id;
  wish.plugin = name_and_version(listing.component(entry.dataset));
  wish.annotations = entry.info.annotations;
  wish.classes = e.classes;
  wish.reductions = wanted_reductions(e.data, listing.reduction(entry), entry.info.size);
  wish.annotated = guarded(listing.origin(entry, "annotating"),
                           [&] { return listing.datasets()[entry.dataset]->annotated(entry.info); });
  return {LabelsFolder(e.data.store / "labels" / (store_name(entry.info.id) + "-" + short_key(key))), std::move(wish)};
}

PictureWish picture_wish(const Listing& listing, const Listing::Entry& entry) {
  return {entry.info.source, wanted_reductions(listing.experiment().data, listing.reduction(entry), entry.info.size),
          [&listing](const std::string& component) { return version_of(listing.registry(), component); }};
}

PicturePlace picture_place(const Listing& listing, const Listing::Entry& entry, const SlideReader& slide) {
  const fs::path& store = listing.experiment().data.store;
  const DatasetConfig& config = listing.experiment().datasets[entry.dataset];
  const ComponentInfo& dataset = listing.component(entry.dataset);
  const std::optional<OpenedBy> by = opened_by(slide);
  const bool of_file = of_its_source(slide, entry.info.source, by), of_host = of_file && by.has_value();
  const std::string component = of_host ? giver(Reader::kind, by->reader) : giver(Dataset::kind, dataset.name);
  const std::string reader = component + " " + (of_host ? by->version : dataset.version);
  if (!of_file) {
    const std::string key = key_of(listing, config, entry.info.id);
    return {PictureFolder(pictures_of(store) / (store_name(entry.info.id) + "-" + short_key(key))), reader};
  }
  const FileStamp source = stamp_of(entry.info.source, store);
  const std::string name = store_name(source.path.stem().string());
  PictureFolder folder(pictures_of(store) / (name + "-" + short_key(source.relative.string() + "\n" + component)));
  if (folder.reductions().empty())
    if (const auto moved = moved_picture(store, name, source, component)) folder = PictureFolder(*moved);
  return {std::move(folder), reader, of_file};
}

std::optional<PictureFolder> known_picture(const LabelsPlace& place) {
  for (const Reduction& r : place.wish.reductions)
    if (const auto record = place.folder.record(r)) return place.folder.picture_of(*record);
  return std::nullopt;
}

}  // namespace nephron::host
