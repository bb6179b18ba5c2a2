#include <host/store/slide_folder.hpp>

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include <unistd.h>
#include <opencv2/imgcodecs.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/plugin.hpp>
#include <nephron/version.hpp>

#include <host/store/digest.hpp>
#include <host/store/marker.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* tool = "nephron " NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(
    NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH);
constexpr const char* part_mark = ".part.";

std::string class_key(const std::vector<std::string>& classes) {
  std::string all;
  for (const std::string& name : classes) (all += name) += '\n';
  return short_key(all);
}

/// "" of a folder, which some formats are.
std::string hash_of(const fs::path& file) { return fs::is_regular_file(file) ? sha256_of(file) : ""; }

std::string missing_factor(const std::vector<int>& there, const std::vector<int>& wanted) {
  for (const int f : wanted)
    if (std::find(there.begin(), there.end(), f) == there.end()) return "factor " + std::to_string(f) + " is missing";
  return "";
}

std::vector<int> joined(std::vector<int> a, const std::vector<int>& b) {
  a.insert(a.end(), b.begin(), b.end());
  const std::set<int> all(a.begin(), a.end());
  return {all.begin(), all.end()};
}

template <class Record>
std::optional<Record> read_if_good(const fs::path& file) {
  try {
    if (fs::exists(file)) return Record::read(file);
  } catch (const Error&) {  // damaged or of another version: made anew
  }
  return std::nullopt;
}

void require_space(const fs::path& folder, std::int64_t bytes) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  if (!failed && space.available < static_cast<std::uintmax_t>(bytes))
    throw Error("the disk of " + folder.string() + " has " + std::to_string(space.available >> 20) +
                    " MiB free; the slide needs " + std::to_string((bytes >> 20) + 1),
                "make room on that disk, then run the same command again");
}

/// A file under a name of its own until it is whole.
class Unfinished {
 public:
  explicit Unfinished(fs::path file) : file_(std::move(file)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!file_.empty()) fs::remove(file_, ignored);
  }
  const fs::path& path() const { return file_; }
  void finish(const fs::path& final_name) {
    std::error_code failed;
    fs::rename(file_, final_name, failed);
    if (failed) throw Error("cannot write " + final_name.string() + ": " + failed.message());
    file_.clear();
  }

 private:
  fs::path file_;
};

void write_mask(const fs::path& file, const Image& mask) {
  std::vector<std::uint8_t> png;
  if (!cv::imencode(".png", as_mat(mask.view()), png)) throw Error(file.string() + ": cannot be encoded as PNG");
  write_file_atomically(file, {reinterpret_cast<const char*>(png.data()), png.size()});
}

}  // namespace

std::string short_key(const std::string& text) { return sha256_hex(text.data(), text.size()).substr(0, 8); }

fs::path SlideFolder::labels(const std::vector<std::string>& classes) const {
  return folder_ / ("labels-" + class_key(classes) + ".tiff");
}

fs::path SlideFolder::labels_record(const std::vector<std::string>& classes) const {
  return folder_ / ("labels-" + class_key(classes) + ".json");
}

fs::path SlideFolder::part(const fs::path& file) const {
  return file.string() + part_mark + std::to_string(::getpid());
}

FileStamp SlideFolder::stamp(const fs::path& file) const {
  return file.empty() ? FileStamp{} : stamp_of(file, folder_.parent_path().parent_path());
}

/// Why a file is not the one that was read, or "".
std::string SlideFolder::changed(const FileStamp& then, const fs::path& file, Compare compare) const {
  FileStamp now;
  try {
    now = stamp(file);
  } catch (const Error&) {
    return "";  // what cannot be read now cannot have changed the store: it stays in use
  }
  const bool alike = then.looks_like(now);
  const bool may_be_equal = then.bytes == now.bytes && !then.sha256.empty();
  if (!alike && (compare == Compare::stamps || !may_be_equal)) return file.string() + " has changed";
  if (alike && compare != Compare::contents) return "";
  return hash_of(file) == then.sha256 ? "" : "the content of " + file.string() + " has changed";
}

SlideFolder::Stale SlideFolder::stale(const SlideWish& wish, Compare compare) const {
  Stale out;
  if (const auto record = read_if_good<PictureRecord>(picture_record())) {
    out.picture = changed(record->source, wish.source, compare);
    if (out.picture.empty()) out.picture = missing_factor(record->factors, wish.factors);
    std::error_code failed;
    if (out.picture.empty() && static_cast<std::int64_t>(fs::file_size(picture(), failed)) != record->bytes)
      out.picture = picture().filename().string() + " is damaged or missing";
  } else {
    out.picture = "it is not prepared";
  }
  if (const auto record = read_if_good<LabelsRecord>(labels_record(wish.classes))) {
    if (record->plugin != wish.plugin) out.labels = "they were made by " + record->plugin;
    else if (record->annotated != wish.annotated)
      out.labels = wish.annotated ? "an annotation is new" : "the annotation is gone";
    else if (record->annotations.size() != wish.annotations.size()) out.labels = "the annotation has changed";
    for (std::size_t i = 0; out.labels.empty() && i < wish.annotations.size(); ++i)
      out.labels = changed(record->annotations[i], wish.annotations[i], compare);
    if (out.labels.empty()) out.labels = missing_factor(record->factors, wish.factors);
    std::error_code failed;
    if (out.labels.empty() && record->annotated &&
        static_cast<std::int64_t>(fs::file_size(labels(wish.classes), failed)) != record->bytes)
      out.labels = "their file is damaged or missing";
  } else {
    out.labels = "they are not prepared";
  }
  return out;
}

/// Of files that are elsewhere or have another time, and whose content is as it was, the records are told, so that
/// nobody has to compare contents again.
void SlideFolder::note_moved_files(const SlideWish& wish) const try {
  const auto moved = [&](FileStamp& then, const fs::path& file) {
    FileStamp now = stamp(file);
    const bool same = then.path == now.path && then.relative == now.relative && then.mtime_ns == now.mtime_ns;
    if (same || then.bytes != now.bytes) return false;
    now.sha256 = std::move(then.sha256);
    then = std::move(now);
    return true;
  };
  const SlideLock lock(*this, SlideLock::For::writing);
  if (auto record = read_if_good<PictureRecord>(picture_record()); record && moved(record->source, wish.source))
    write_file_atomically(picture_record(), record->to_json());
  if (auto record = read_if_good<LabelsRecord>(labels_record(wish.classes)); record) {
    bool any = false;
    for (std::size_t i = 0; i < std::min(record->annotations.size(), wish.annotations.size()); ++i)
      any = moved(record->annotations[i], wish.annotations[i]) || any;
    if (any) write_file_atomically(labels_record(wish.classes), record->to_json());
  }
} catch (const Error&) {  // a store that cannot be written is compared again next time
}

bool SlideFolder::prepare(const SlideWish& wish, Compare compare, const std::function<SlideContent(const Stale&)>& open,
                          ThreadPool& threads, const std::function<void(std::int64_t)>& advance) const {
  if (!stale(wish, compare).any()) {
    note_moved_files(wish);
    return false;
  }
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed)
    throw Error("cannot make the folder " + folder_.string() + ": " + failed.message(),
                "prepare the slides where the store can be written, or name another folder in data.store");
  const SlideLock lock(*this, SlideLock::For::writing);
  Stale stale = this->stale(wish, compare);  // another process may have done it
  if (!stale.any()) return false;
  require_own_files(wish.classes);
  remove_leftovers();
  const SlideContent content = open(stale);
  if (const auto record = read_if_good<PictureRecord>(picture_record()); record && record->size != content.picture.size)
    stale.picture = stale.labels = "its size has changed";
  if (const auto record = read_if_good<LabelsRecord>(labels_record(wish.classes));
      record && record->size != content.picture.size)
    stale.labels = "its size has changed";
  if (!stale.picture.empty()) make_picture(wish, content, threads, advance);
  if (!stale.labels.empty()) make_labels(wish, content, threads);
  return true;
}

void SlideFolder::make_picture(const SlideWish& wish, const SlideContent& content, ThreadPool& threads,
                               const std::function<void(std::int64_t)>& advance) const {
  PictureRecord record;
  record.factors = wish.factors;
  if (const auto old = read_if_good<PictureRecord>(picture_record())) {
    const Size size = content.picture.size;
    for (const int f : old->factors)
      if (size.width >= f && size.height >= f) record.factors = joined(record.factors, {f});
  }
  record.tool = tool;
  record.dataset = wish.dataset;
  record.slide = wish.slide;
  // Before reading: what changes while it is read is noticed next time.
  record.source = stamp(wish.source);
  record.size = content.picture.size;
  record.mpp = content.picture.mpp;
  require_space(folder_, picture_bytes(record.size, record.factors));
  auto hash = std::async(std::launch::async, [&] { return hash_of(wish.source); });
  Unfinished file(part(picture()));
  const WrittenPicture written = write_picture(file.path(), content.picture, record.factors, threads, advance);
  record.source.sha256 = hash.get();
  record.bytes = written.bytes;
  record.digest = written.digest;
  record.tissue_block = written.tissue.block;
  record.tissue_threshold = written.tissue.threshold;
  for (const int f : record.factors)
    record.tissue[f] = written.tissue.pixels({record.size.width / f, record.size.height / f});
  std::error_code ignored;
  fs::remove(picture_record(), ignored);
  file.finish(picture());
  write_mask(tissue(), written.tissue.mask);
  write_file_atomically(picture_record(), record.to_json());
}

void SlideFolder::make_labels(const SlideWish& wish, const SlideContent& content, ThreadPool& threads) const {
  LabelsRecord record;
  record.tool = tool;
  record.plugin = wish.plugin;
  record.classes = wish.classes;
  record.annotated = wish.annotated;
  record.size = content.picture.size;
  record.factors = wish.factors;
  if (const auto old = read_if_good<LabelsRecord>(labels_record(wish.classes)); old && old->size == record.size)
    record.factors = joined(record.factors, old->factors);
  for (const fs::path& file : wish.annotations) {
    record.annotations.push_back(stamp(file));
    record.annotations.back().sha256 = hash_of(file);
  }
  Unfinished file(part(labels(wish.classes)));
  if (wish.annotated) {
    const LabelSource source = content.labels();
    const WrittenLabels written =
        write_labels(file.path(), source, record.size, content.picture.mpp, record.factors, wish.classes, threads);
    record.soft = source.soft;
    record.bytes = written.bytes;
    record.digest = written.digest;
    record.foreground = written.foreground;
  }
  std::error_code ignored;
  fs::remove(labels_record(wish.classes), ignored);
  if (wish.annotated) file.finish(labels(wish.classes));
  else fs::remove(labels(wish.classes), ignored);
  write_file_atomically(labels_record(wish.classes), record.to_json());
}

/// That nothing which somebody put in place of our files would be replaced, such as a link.
void SlideFolder::require_own_files(const std::vector<std::string>& classes) const {
  for (const fs::path& file : {picture(), picture_record(), tissue(), labels(classes), labels_record(classes)}) {
    std::error_code failed;
    const fs::file_type type = fs::symlink_status(file, failed).type();
    if (type == fs::file_type::regular || type == fs::file_type::not_found) continue;
    throw Error(file.string() + " is " + (type == fs::file_type::symlink ? "a link" : "no file") +
                    ", which nephron did not write and does not replace",
                "remove it, then run the same command again");
  }
}

/// Of processes that were killed: nobody else writes here while the lock is held.
void SlideFolder::remove_leftovers() const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool unfinished = name.find(part_mark) != std::string::npos || name.find(".tmp.") != std::string::npos;
    const bool file = entry.symlink_status(ignored).type() == fs::file_type::regular;
    if (unfinished && file && is_store_file(name)) fs::remove(entry.path(), ignored);
  }
}

}  // namespace nephron::host
