#include <host/store/inventory.hpp>

#include <algorithm>
#include <array>

#include <nephron/error.hpp>

#include <host/store/digest.hpp>
#include <host/store/marker.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Links are no folders: what they lead to is not the store's.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.symlink_status().type() == fs::file_type::directory) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

/// None where nothing is ours.
std::optional<StoredEntry> entry_of(const fs::path& path) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(path))
    if (file.symlink_status().type() == fs::file_type::regular && is_store_file(file.path().filename().string()))
      files.push_back(file.path());
  if (files.empty()) return std::nullopt;
  std::sort(files.begin(), files.end());
  StoredEntry entry{SlideFolder(path), {}, {}, 0, {}};
  const auto noting = [&](const auto& read) {
    try {
      read();
    } catch (const Error& e) {
      entry.problems.emplace_back(e.what());
    }
  };
  if (fs::exists(entry.folder.picture_record()))
    noting([&] { entry.picture = PictureRecord::read(entry.folder.picture_record()); });
  else entry.problems.push_back(path.string() + " is unfinished: it has no slide.json");
  for (const fs::path& file : files) {
    std::error_code gone;
    const auto bytes = fs::file_size(file, gone);
    if (!gone) entry.bytes += static_cast<std::int64_t>(bytes);
    const std::string name = file.filename().string();
    if (name.starts_with("labels-") && name.ends_with(".json"))
      noting([&] { entry.labels.push_back(LabelsRecord::read(file)); });
  }
  return entry;
}

/// The digest of the tiles of a file. Tiles that are blank count as never written where `blank_counts_as_none`.
std::string digest_of(const MappedTiff& file, bool blank_counts_as_none) {
  TileDigests digests(file.pictures().size());
  for (std::size_t i = 0; i < file.pictures().size(); ++i) {
    const MappedTiff::Picture& p = file.pictures()[i];
    digests.resize(i, p.offsets.size());
    const auto bytes = static_cast<std::size_t>(tile_side * tile_side * p.channels);
    thread_pool().parallel_for(p.offsets.size(), [&](std::size_t tile) {
      if (interrupted()) throw Cancelled();
      const auto n = static_cast<std::int64_t>(tile);
      const std::uint8_t* const pixels = file.tile(i, n % p.across, n / p.across);
      if (blank_counts_as_none && std::all_of(pixels, pixels + bytes, [](std::uint8_t v) { return v == 0; })) return;
      digests.set(i, tile, pixels, bytes);
    });
  }
  return digests.hex();
}

std::vector<std::int64_t> counts_of(const MappedTiff& file, std::size_t picture, std::size_t classes) {
  const Size size = file.pictures()[picture].size;
  std::vector<std::int64_t> counts(classes);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(size.width));
  std::array<std::int64_t, 256> histogram{};
  for (std::int64_t y = 0; y < size.height; ++y) {
    file.read(picture, {0, y, size.width, 1}, {row.data(), size.width, 1, 1, Depth::u8, size.width});
    for (const std::uint8_t v : row) ++histogram[v];
  }
  for (std::size_t v = 0; v < histogram.size(); ++v)
    for (std::size_t c = 0; c < classes; ++c)
      if ((v >> c & 1U) != 0) counts[c] += histogram[v];
  return counts;
}

std::string source_problem(const FileStamp& stamp, const fs::path& store, bool contents) {
  if (stamp.path.empty()) return "";
  fs::path file = stamp.path;
  if (!fs::exists(file) && !stamp.relative.empty()) file = (store / stamp.relative).lexically_normal();  // both moved
  if (!fs::exists(file)) return "its source " + stamp.path.string() + " is gone";
  const FileStamp now = stamp_of(file, store);
  const bool may_be_equal = now.bytes == stamp.bytes && (now.mtime_ns == stamp.mtime_ns || !stamp.sha256.empty());
  if (!may_be_equal) return "its source " + file.string() + " has changed since";
  if ((contents || now.mtime_ns != stamp.mtime_ns) && !stamp.sha256.empty() && sha256_of(file) != stamp.sha256)
    return "the content of its source " + file.string() + " has changed since";
  return "";
}

}  // namespace

std::vector<StoredEntry> list_store(const fs::path& store) {
  if (!fs::is_directory(store))
    throw Error(store.string() + " is not a folder",
                "name the folder that data.store names, with DATASET-KEY/SLIDE below it");
  std::vector<StoredEntry> out;
  if (!is_store(store)) return out;
  for (const fs::path& dataset : folders_in(store))
    for (const fs::path& slide : folders_in(dataset))
      if (std::optional<StoredEntry> entry = entry_of(slide)) out.push_back(*std::move(entry));
  return out;
}

std::vector<std::string> verify_slide(const StoredEntry& entry, const VerifyRequest& request) {
  std::vector<std::string> out = entry.problems;
  const std::string name = entry.folder.path().string() + ": ";
  const fs::path store = fs::weakly_canonical(entry.folder.path().parent_path().parent_path());
  const auto noting = [&](const auto& check) {
    try {
      check();
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {
      out.emplace_back(e.what());
    }
  };
  const SlideLock lock(entry.folder, SlideLock::For::reading);
  if (entry.picture)
    noting([&] {
      const PictureRecord& record = *entry.picture;
      const MappedTiff file(entry.folder.picture());
      if (static_cast<std::int64_t>(file.bytes()) != record.bytes || file.pictures().size() != record.factors.size())
        out.push_back(name + "picture.tiff is not the file that slide.json tells of");
      else if (digest_of(file, false) != record.digest)
        out.push_back(name + "pixels of picture.tiff have changed since they were written");
      if (const std::string problem = source_problem(record.source, store, request.sources); !problem.empty())
        out.push_back(name + problem);
    });
  for (const LabelsRecord& record : entry.labels)
    noting([&] {
      for (const FileStamp& stamp : record.annotations)
        if (const std::string problem = source_problem(stamp, store, request.sources); !problem.empty())
          out.push_back(name + problem);
      if (!record.annotated) return;
      const fs::path path = entry.folder.labels(record.classes);
      const MappedTiff file(path);
      const LabelPictures pictures(file, path, record.size);
      if (digest_of(file, true) != record.digest)
        out.push_back(name + path.filename().string() + ": labels have changed since they were written");
      for (const auto& [factor, counts] : record.foreground) {
        const auto level = pictures.levels.find(factor);
        if (level == pictures.levels.end() || counts_of(file, level->second.bits, counts.size()) != counts)
          out.push_back(name + path.filename().string() + ": the counts of factor " + std::to_string(factor) +
                        " are wrong");
      }
    });
  return out;
}

}  // namespace nephron::host
