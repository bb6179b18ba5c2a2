#include <host/store/inventory.hpp>

#include <algorithm>

#include <nephron/error.hpp>

#include <host/store/bit_counts.hpp>
#include <host/store/content_hash.hpp>
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
std::optional<StoredFolder> folder_at(const fs::path& path) {
  std::vector<fs::path> files;
  std::vector<std::string> others;
  for (const auto& file : fs::directory_iterator(path)) {
    const std::string name = file.path().filename().string();
    if (!is_store_file(name)) continue;
    if (file.symlink_status().type() == fs::file_type::regular) files.push_back(file.path());
    else if (is_record_file(name)) others.push_back(file.path().string() + " is no plain file, and no record");
  }
  if (files.empty()) return std::nullopt;
  std::sort(files.begin(), files.end());
  std::sort(others.begin(), others.end());
  StoredFolder out{StoreFolder(path), {}, {}, false, 0, std::move(others)};
  for (const fs::path& file : files) {
    std::error_code gone;
    const auto bytes = fs::file_size(file, gone);
    if (!gone) out.bytes += static_cast<std::int64_t>(bytes);
    const std::string name = file.filename().string();
    if (!is_record_file(name)) continue;
    try {
      if (name == "slide.json") out.earlier = is_record_of_version_1(read_file(file, std::size_t{1} << 24));
      else if (name.starts_with("picture-")) out.pictures.push_back(PictureRecord::read(file));
      else out.labels.push_back(LabelsRecord::read(file));
    } catch (const Error& e) {
      out.problems.emplace_back(e.what());
    }
  }
  std::sort(out.pictures.begin(), out.pictures.end(),
            [](const auto& a, const auto& b) { return a.reduction < b.reduction; });
  std::sort(out.labels.begin(), out.labels.end(),
            [](const auto& a, const auto& b) { return a.reduction < b.reduction; });
  if (!out.has_record() && out.problems.empty())
    out.problems.push_back(path.string() + " is unfinished: it has no record");
  return out;
}

/// The digest of the tiles of a file. Tiles that are blank count as never written where `blank_counts_as_none`.
std::string digest_of(const MappedTiff& file, bool blank_counts_as_none) {
  std::vector<Size> sizes;
  for (const MappedTiff::Picture& p : file.pictures()) sizes.push_back(p.size);
  TileDigests digests(sizes);
  for (std::size_t i = 0; i < file.pictures().size(); ++i) {
    const MappedTiff::Picture& p = file.pictures()[i];
    const auto bytes = static_cast<std::size_t>(tile_side * tile_side * p.pixel_bytes());
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

BitCounts counts_of(const MappedTiff& file, std::size_t picture) {
  const Size size = file.pictures()[picture].size;
  BitCounts counts;
  const Image row({size.width, 1}, 1, file.pictures()[picture].depth);
  for (std::int64_t y = 0; y < size.height; ++y) {
    file.read(picture, {0, y, size.width, 1}, row.view());
    counts.add(row.view());
  }
  return counts;
}

std::string source_problem(const FileStamp& stamp, const fs::path& store) {
  if (stamp.path.empty()) return "";
  fs::path file = stamp.path;
  if (!fs::exists(file) && !stamp.relative.empty()) file = (store / stamp.relative).lexically_normal();  // both moved
  if (!fs::exists(file)) return "its source " + stamp.path.string() + " is gone";
  const FileStamp now = stamp_of(file, store);
  const bool may_be_equal = now.bytes == stamp.bytes && (now.mtime_ns == stamp.mtime_ns || !stamp.content.empty());
  if (!may_be_equal) return "its source " + file.string() + " has changed since";
  if (!stamp.content.empty() && content_hash_of(file) != stamp.content)
    return "the content of its source " + file.string() + " has changed since";
  return "";
}

/// What is wrong with a folder, and the times of files whose pixels are those of their records.
struct Found {
  std::vector<std::string> problems;
  FileTimes sound;
};

void verify_picture(const PictureFolder& folder, const PictureRecord& record, bool sources, Found& out) {
  const std::string name = folder.path().string() + ": ";
  const fs::path path = folder.picture(record.reduction);
  const MappedTiff file(path);
  const bool told = static_cast<std::int64_t>(file.bytes()) == record.bytes && file.pictures().size() == 1 &&
                    file.pictures()[0].channels == 3 &&
                    file.pictures()[0].size == record.reduction.size_of(record.size);
  if (!told) out.problems.push_back(name + path.filename().string() + " is not the file that its record tells of");
  else if (digest_of(file, false) != record.digest)
    out.problems.push_back(name + "pixels of " + path.filename().string() + " have changed since they were written");
  else out.sound[record.reduction] = file.mtime_ns();
  if (!folder.holds_tissue(record))
    out.problems.push_back(name + folder.tissue(record.reduction).filename().string() +
                           " is not the tissue that its record tells of");
  if (!sources) return;
  if (const std::string problem = source_problem(record.source, folder.store()); !problem.empty())
    out.problems.push_back(name + problem);
}

void verify_labels(const LabelsFolder& folder, const LabelsRecord& record, bool sources, Found& out) {
  const std::string name = folder.path().string() + ": ";
  for (const FileStamp& stamp : sources ? record.annotations : std::vector<FileStamp>())
    if (const std::string problem = source_problem(stamp, folder.store()); !problem.empty())
      out.problems.push_back(name + problem);
  if (!record.annotated) return;
  const fs::path path = folder.labels(record.reduction);
  const MappedTiff file(path);
  const LabelPictures pictures(file, path, record.size, record.reduction);
  if (digest_of(file, true) != record.digest)
    out.problems.push_back(name + path.filename().string() + ": labels have changed since they were written");
  else out.sound[record.reduction] = file.mtime_ns();
  const BitCounts counts = counts_of(file, pictures.bits);
  const std::size_t classes = record.classes.size();
  if (counts.of_first(classes) != record.foreground || (record.ignored && counts.of(classes) != *record.ignored))
    out.problems.push_back(name + path.filename().string() + ": the counts of its record are wrong");
}

}  // namespace

std::vector<StoredFolder> list_store(const fs::path& store) {
  if (!fs::is_directory(store))
    throw Error(store.string() + " is not a folder",
                "name the folder that data.store names, with pictures/ and labels/ below it");
  std::vector<StoredFolder> out;
  if (!is_store(store)) return out;
  for (const fs::path& part : folders_in(store))
    for (const fs::path& folder : folders_in(part))
      if (std::optional<StoredFolder> found = folder_at(folder)) out.push_back(*std::move(found));
  return out;
}

std::vector<std::string> verify_folder(const StoredFolder& stored, const FolderChecks& request) {
  Found pictures{stored.problems, {}}, labels;
  const fs::path path = fs::weakly_canonical(stored.folder.path());
  const auto noting = [&](Found& out, const auto& check) {
    try {
      check(out);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {
      out.problems.emplace_back(e.what());
    }
  };
  {
    const StoreLock lock(stored.folder, StoreLock::For::reading);
    for (const PictureRecord& record : stored.pictures)
      noting(pictures, [&](Found& out) { verify_picture(PictureFolder(path), record, request.sources, out); });
    for (const LabelsRecord& record : stored.labels)
      noting(labels, [&](Found& out) { verify_labels(LabelsFolder(path), record, request.sources, out); });
  }
  PictureFolder(path).note_times(pictures.sound);
  LabelsFolder(path).note_times(labels.sound);
  std::vector<std::string> out = std::move(pictures.problems);
  out.insert(out.end(), labels.problems.begin(), labels.problems.end());
  return out;
}

}  // namespace nephron::host
