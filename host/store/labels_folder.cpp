#include <host/store/labels_folder.hpp>

#include <algorithm>

#include <host/store/content_hash.hpp>
#include <host/store/no_record.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

PictureFolder LabelsFolder::picture_of(const LabelsRecord& record) const {
  return PictureFolder(store() / "pictures" / record.picture);
}

std::string LabelsFolder::why_stale(const LabelsWish& wish, Reduction reduction, Compare compare) const {
  const auto known = record(reduction);
  if (!known) return why_no_record(record_file(reduction), reduction);
  if (known->plugin != wish.plugin) return "they were made by " + known->plugin;
  if (known->classes != wish.classes) return "their classes have changed";
  if (known->annotated != wish.annotated) return wish.annotated ? "an annotation is new" : "the annotation is gone";
  if (known->annotations.size() != wish.annotations.size()) return "the annotation has changed";
  for (std::size_t i = 0; i < wish.annotations.size(); ++i)
    if (std::string why = changed(known->annotations[i], wish.annotations[i], compare); !why.empty()) return why;
  std::error_code failed;
  if (known->annotated && static_cast<std::int64_t>(fs::file_size(labels(reduction), failed)) != known->bytes)
    return "their file is damaged or missing";
  return "";
}

std::vector<StalePart> LabelsFolder::stale(const LabelsWish& wish, Compare compare) const {
  std::vector<StalePart> out;
  for (const Reduction& r : wish.reductions)
    if (std::string why = why_stale(wish, r, compare); !why.empty()) out.push_back({r, std::move(why)});
  return out;
}

std::vector<StalePart> LabelsFolder::stale_of(const LabelsWish& wish, Compare compare,
                                              const LabelledSlide& slide) const {
  std::vector<StalePart> out;
  for (const Reduction& r : wish.reductions) {
    std::string why = why_stale(wish, r, compare);
    if (const auto known = record(r); why.empty() && known) {
      if (known->size != slide.size) why = "the slide's size has changed";
      else if (known->picture != slide.picture) why = "the slide has another picture";
    }
    if (!why.empty()) out.push_back({r, std::move(why)});
  }
  return out;
}

bool LabelsFolder::prepare(const LabelsWish& wish, Compare compare, const LabelledSlide& slide,
                           const std::function<LabelSource()>& annotate, ThreadPool& threads,
                           const std::function<void(const std::string&)>& say) const {
  if (stale_of(wish, compare, slide).empty()) {
    note_moved_annotations(wish);
    return false;
  }
  make();
  const StoreLock lock(*this, StoreLock::For::writing);
  const std::vector<StalePart> parts = stale_of(wish, compare, slide);
  if (parts.empty()) return false;  // another process has done it
  remove_leftovers();
  for (const StalePart& part : parts) require_own({labels(part.reduction), record_file(part.reduction)});
  say(parts.front().why);
  write(parts, wish, slide, annotate, threads);
  return true;
}

void LabelsFolder::write(const std::vector<StalePart>& parts, const LabelsWish& wish, const LabelledSlide& slide,
                         const std::function<LabelSource()>& annotate, ThreadPool& threads) const {
  LabelsRecord known;
  known.tool = store_tool;
  known.plugin = wish.plugin;
  known.dataset = wish.dataset;
  known.slide = wish.slide;
  known.picture = slide.picture;
  known.classes = wish.classes;
  known.annotated = wish.annotated;
  known.size = slide.size;
  for (const fs::path& file : wish.annotations) {
    FileStamp& now = known.annotations.emplace_back(stamp(file));
    now.content = now.looks_like(slide.source) ? slide.source.content : content_hash_of(file);
  }
  LabelSource source;
  if (wish.annotated) source = annotate();
  known.soft = source.soft;
  for (const StalePart& part : parts) {
    known.reduction = part.reduction;
    Unfinished file(labels(part.reduction));
    if (wish.annotated) {
      const WrittenLabels written =
          write_labels(file.path(), source, slide.size, slide.mpp, part.reduction, wish.classes, threads);
      known.bytes = written.bytes;
      known.digest = written.digest;
      known.foreground = written.foreground;
      known.ignored = written.ignored;
    }
    std::error_code ignored;
    fs::remove(record_file(part.reduction), ignored);
    if (wish.annotated) file.finish(), known.mtime_ns = stamp(labels(part.reduction)).mtime_ns;
    else fs::remove(labels(part.reduction), ignored);
    write_file_atomically(record_file(part.reduction), known.to_json());
  }
}

void LabelsFolder::note_times(const FileTimes& times) const {
  rewrite_times<LabelsRecord>(
      times, [&](Reduction r) { return record(r); }, [&](Reduction r) { return labels(r); },
      [&](Reduction r) { return record_file(r); });
}

void LabelsFolder::note_moved_annotations(const LabelsWish& wish) const try {
  const auto moved = [&](Reduction r) {
    auto known = record(r);
    bool any = false;
    for (std::size_t i = 0; known && i < std::min(known->annotations.size(), wish.annotations.size()); ++i)
      any = note_moved(known->annotations[i], wish.annotations[i]) || any;
    return any ? known : std::nullopt;
  };
  rewrite(wish.reductions, moved, [&](Reduction r) { return record_file(r); });
} catch (const Error&) {  // a store that cannot be written is compared again next time
}

}  // namespace nephron::host
