#include <host/store/picture_folder.hpp>

#include <algorithm>
#include <future>
#include <map>

#include <host/pictures/png.hpp>
#include <host/store/colours.hpp>
#include <host/store/content_hash.hpp>
#include <host/store/mapped_tiff.hpp>
#include <host/store/no_record.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::optional<SlideColours> measured(const fs::path& picture, const Tissue& tissue) {
  const MappedTiff file(picture);
  return measure_colours(file.pictures().at(0).size, tissue,
                         [&](const Region& region, const ImageView& out) { file.read(0, region, out); });
}

/// "reader tiff" of "reader tiff 1.0.0".
std::string component_of(const std::string& reader) { return reader.substr(0, reader.rfind(' ')); }

}  // namespace

std::string PictureFolder::why_stale(const PictureWish& wish, Reduction reduction, Compare compare) const {
  const auto known = record(reduction);
  if (!known) return why_no_record(record_file(reduction), reduction);
  if (std::string why = changed(known->source, wish.source, compare); !why.empty()) return why;
  if (wish.version) {
    const std::string component = component_of(known->reader), version = wish.version(component);
    if (!version.empty() && known->reader != component + " " + version) return "it was read by " + known->reader;
  }
  std::error_code failed;
  if (static_cast<std::int64_t>(fs::file_size(picture(reduction), failed)) != known->bytes)
    return picture(reduction).filename().string() + " is damaged or missing";
  if (!holds_tissue(*known)) return tissue(reduction).filename().string() + " is damaged or missing";
  return "";
}

bool PictureFolder::holds_tissue(const PictureRecord& record) const try {
  const fs::path file = tissue(record.reduction);
  if (!fs::is_regular_file(file)) return false;
  if (!record.tissue_digest.empty()) return sha256_of(file) == record.tissue_digest;
  read_tissue(record);
  return true;
} catch (const std::exception&) {
  return false;
}

Tissue PictureFolder::read_tissue(const PictureRecord& record) const {
  const fs::path file = tissue(record.reduction);
  Tissue out{record.tissue_block, record.tissue_threshold, read_grey_png(file)};
  const Size level = record.reduction.size_of(record.size);
  const std::int64_t block = out.block;
  if (out.mask.size() != Size{(level.width + block - 1) / block, (level.height + block - 1) / block} ||
      out.pixels(level) != record.tissue)
    throw Error(file.string() + " is not the tissue that its record tells of", "prepare the slide again");
  return out;
}

std::vector<StalePart> PictureFolder::stale(const PictureWish& wish, Compare compare) const {
  std::vector<StalePart> out;
  for (const Reduction& r : wish.reductions)
    if (std::string why = why_stale(wish, r, compare); !why.empty()) out.push_back({r, std::move(why)});
  return out;
}

std::vector<StalePart> PictureFolder::stale_of_size(const PictureWish& wish, Compare compare, Size size) const {
  std::vector<StalePart> out = stale(wish, compare);
  for (const Reduction& r : wish.reductions) {
    const auto known = record(r);
    const bool listed = std::any_of(out.begin(), out.end(), [&](const StalePart& p) { return p.reduction == r; });
    if (!listed && known && known->size != size) out.push_back({r, "its size has changed"});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.reduction < b.reduction; });
  return out;
}

bool PictureFolder::prepare(const PictureWish& wish, Compare compare, const PictureSource& source,
                            const std::string& reader, ThreadPool& threads,
                            const std::function<void(std::int64_t)>& advance,
                            const std::function<void(const std::string&)>& say) const {
  if (stale_of_size(wish, compare, source.size).empty()) {
    note_moved_source(wish);
    return false;
  }
  make();
  const StoreLock lock(*this, StoreLock::For::writing);
  const std::vector<StalePart> parts = stale_of_size(wish, compare, source.size);
  if (parts.empty()) return false;  // another process has done it
  remove_leftovers();
  for (const StalePart& part : parts)
    require_own({picture(part.reduction), tissue(part.reduction), record_file(part.reduction)});
  say(parts.front().why);
  write(parts, wish, source, reader, threads, advance);
  return true;
}

void PictureFolder::write(const std::vector<StalePart>& parts, const PictureWish& wish, const PictureSource& source,
                          const std::string& reader, ThreadPool& threads,
                          const std::function<void(std::int64_t)>& advance) const {
  std::int64_t bytes = 0;
  std::vector<Unfinished> files;
  std::vector<PictureTarget> targets;
  for (const StalePart& part : parts) {
    bytes += picture_bytes(source.size, part.reduction);
    files.emplace_back(picture(part.reduction));
    targets.push_back({part.reduction, files.back().path()});
  }
  require_space(bytes);
  FileStamp from = stamp(wish.source);  // before reading: what changes while it is read is noticed next time
  auto hash = std::async(std::launch::async, [&] { return content_hash_of(wish.source); });
  const std::vector<WrittenPicture> written = write_pictures(targets, source, threads, advance);
  from.content = hash.get();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    PictureRecord known;
    known.tool = store_tool;
    known.reader = reader;
    known.source = from;
    known.size = source.size;
    known.mpp = source.mpp;
    known.reduction = parts[i].reduction;
    known.bytes = written[i].bytes;
    known.digest = written[i].digest;
    known.tissue_block = written[i].tissue.block;
    known.tissue_threshold = written[i].tissue.threshold;
    known.tissue = written[i].tissue.pixels(known.reduction.size_of(known.size));
    std::error_code ignored;
    fs::remove(record_file(known.reduction), ignored);
    files[i].finish();
    known.mtime_ns = stamp(picture(known.reduction)).mtime_ns;
    write_png(tissue(known.reduction), written[i].tissue.mask.view());
    known.tissue_digest = sha256_of(tissue(known.reduction));
    known.measured = true;
    known.colours = measured(picture(known.reduction), written[i].tissue);
    write_file_atomically(record_file(known.reduction), known.to_json());
  }
}

void PictureFolder::note_times(const FileTimes& times) const {
  rewrite_times<PictureRecord>(
      times, [&](Reduction r) { return record(r); }, [&](Reduction r) { return picture(r); },
      [&](Reduction r) { return record_file(r); });
}

std::optional<SlideColours> PictureFolder::colours(const PictureRecord& record) const {
  return record.measured ? record.colours : measured(picture(record.reduction), read_tissue(record));
}

void PictureFolder::note_colours(const std::vector<Reduction>& reductions) const try {
  std::map<Reduction, std::optional<SlideColours>> found;
  for (const Reduction& r : reductions)
    if (const auto known = record(r); known && !known->measured) found[r] = colours(*known);
  const auto told = [&](Reduction r) {
    auto known = record(r);
    if (!known || known->measured || !found.contains(r)) return std::optional<PictureRecord>();
    known->colours = found.at(r);
    known->measured = true;
    return known;
  };
  rewrite(reductions, told, [&](Reduction r) { return record_file(r); });
} catch (const Error&) {  // a store that cannot be written is measured when somebody asks
}

void PictureFolder::note_moved_source(const PictureWish& wish) const try {
  const auto moved = [&](Reduction r) {
    auto known = record(r);
    return known && note_moved(known->source, wish.source) ? known : std::nullopt;
  };
  rewrite(wish.reductions, moved, [&](Reduction r) { return record_file(r); });
} catch (const Error&) {  // a store that cannot be written is compared again next time
}

}  // namespace nephron::host
