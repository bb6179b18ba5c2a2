#include <host/data/prepared.hpp>

#include <algorithm>
#include <map>
#include <mutex>

#include <host/data/label_source.hpp>
#include <host/data/listing.hpp>
#include <host/data/memory_slide.hpp>
#include <host/data/store_slides.hpp>
#include <host/labels/painter.hpp>
#include <host/slides/reduced.hpp>
#include <host/store/digest.hpp>
#include <host/util/cancelled_and_told.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace {

/// Slides held in memory.
class Preparation {
 public:
  explicit Preparation(const Listing& listing) : listing_(listing), experiment_(listing.experiment()) {}

  PreparedData run() {
    const auto& entries = listing_.slides();
    slides_.resize(entries.size());
    Progress progress("preparing slides", static_cast<std::int64_t>(entries.size()));
    std::int64_t done = 0;
    thread_pool().parallel_for(entries.size(), [&](std::size_t i) {
      std::string problem;
      try {
        slides_[i] = prepare_one(entries[i]);
      } catch (const Cancelled&) {
        throw;
      } catch (const std::exception& e) {
        require_of_one_slide(listing_, entries[i], e);
        problem = with_hint(e);  // the guard has named the slide
      }
      const std::lock_guard lock(mutex_);
      if (!problem.empty()) problems_[i] = problem;
      progress.update(++done);
    });
    progress.finish();
    PreparedData data;
    for (auto& slide : slides_)
      if (slide != nullptr) data.slides.push_back(std::move(slide));
    for (const auto& [i, problem] : problems_) data.problems.push_back(problem);
    return data;
  }

 private:
  std::shared_ptr<const PreparedSlide> prepare_one(const Listing::Entry& entry) const {
    const Dataset& dataset = *listing_.datasets()[entry.dataset];
    MemorySlide::Parts parts;
    parts.info = entry.info;
    parts.dataset = entry.dataset;
    parts.classes = static_cast<int>(experiment_.classes.size());
    parts.ignore_outside = experiment_.data.ignore_outside;
    parts.targets = listing_.targets(entry);
    parts.group = listing_.group(entry);
    Size full;
    const Reduction reduction = parts.reduction = listing_.reduction(entry);
    guarded(listing_.origin(entry, "reading"), [&] {
      const auto reader = dataset.open(entry.info);
      if (reader == nullptr) throw Error("the dataset gave no reader");
      full = reader->size();
      parts.image = read_reduced(*reader, reduction);
      if (const auto* file = dynamic_cast<const SlideFile*>(reader.get()); file != nullptr && parts.info.mpp <= 0)
        parts.info.mpp = file->header().mpp;
    });
    parts.info.size = full;
    guarded(listing_.origin(entry, "annotating"), [&] {
      parts.annotated = dataset.annotated(entry.info);
      if (!parts.annotated) return;
      const auto sink = std::make_shared<LabelPainter>(full, parts.classes);
      dataset.annotate(entry.info, experiment_.classes, *sink);
      hold_labels(source_of(sink), full, reduction, parts);
    });
    parts.digests.picture = picture_digest(parts.image.view());
    return std::make_shared<MemorySlide>(std::move(parts));
  }

  /// All of the map, and its digest.
  void hold_labels(const LabelSource& source, Size full, Reduction reduction, MemorySlide::Parts& parts) const {
    const Size size = parts.image.size();
    const Region all{0, 0, size.width, size.height};
    parts.labels = Image(size, 1, nephron::label_depth(parts.classes + (source.ignores ? 1 : 0)));
    parts.ignores = source.ignores;
    source.paint(reduction, all, parts.labels.view());
    for (const int c : source.soft) {
      parts.soft[c] = Image(size, 1);
      source.paint_soft(c, reduction, all, parts.soft.at(c).view());
    }
    LabelSource held;
    held.touches = [](Reduction, const Region&) { return true; };
    held.paint = [&](Reduction, const Region& r, const ImageView& out) { copy(parts.labels.view().crop(r), out); };
    held.ignores = source.ignores;
    held.soft = source.soft;
    held.paint_soft = [&](int c, Reduction, const Region& r, const ImageView& out) {
      copy(parts.soft.at(c).view().crop(r), out);
    };
    parts.digests.labels = digest_labels(held, full, reduction, experiment_.classes, thread_pool()).digest;
  }

  const Listing& listing_;
  const Experiment& experiment_;
  std::vector<std::shared_ptr<const PreparedSlide>> slides_;
  std::map<std::size_t, std::string> problems_;  // by slide, so that their order does not depend on threads
  std::mutex mutex_;
};

void require_few_lost(const PreparedData& data, double most_lost) {
  const auto lost = static_cast<double>(data.problems.size()), asked = static_cast<double>(data.asked);
  if (!data.slides.empty() && lost <= most_lost * asked) return;
  warn_of_problems(data);  // the error has room for one
  const std::string counts = std::to_string(data.problems.size()) + " of " + std::to_string(data.asked) + " slides";
  if (data.slides.empty())
    throw Error(data.problems.empty() ? "the datasets of the experiment list no slides"
                                      : "none of the " + std::to_string(data.asked) +
                                            " slides could be read; the first: " + data.problems.front());
  throw Error(counts + " could not be read, and " +
                  (most_lost > 0 ? "a share of " + Value(most_lost).str() + " is the most that may be lost"
                                 : "none may be lost") +
                  "; the first: " + data.problems.front(),
              "mend them or take them out of the data, or allow more: data.most_lost" +
                  std::string(most_lost > 0 ? "" : ", and no --strict"));
}

}  // namespace

namespace {

PreparedData prepared_slides(const Listing& listing) {
  const std::filesystem::path& store = listing.experiment().data.store;
  try {
    return store.empty() ? Preparation(listing).run() : prepare_and_open(listing);
  } catch (const Cancelled&) {
    log().warning("interrupted while slides were prepared: " +
                  (store.empty() ? "they are held in memory, and none of them is kept (data.store would keep them)"
                                 : "those that are done stay in " + store.string() +
                                       ", and the same command goes on with the others"));
    throw CancelledAndTold();
  }
}

}  // namespace

PreparedData prepare(const Listing& listing, const Splits& splits, double most_lost) {
  PreparedData data = prepared_slides(listing);
  data.datasets = listing.datasets();
  data.problems.insert(data.problems.begin(), listing.problems().begin(), listing.problems().end());
  data.asked = listing.slides().size() + listing.problems().size();
  require_few_lost(data, most_lost);
  std::map<std::pair<std::size_t, std::string>, int> folds;
  for (std::size_t i = 0; i < listing.slides().size(); ++i)
    folds[{listing.slides()[i].dataset, listing.slides()[i].info.id}] =
        i < splits.slides.size() ? splits.slides[i].fold : -1;
  for (const auto& slide : data.slides) data.folds.push_back(folds.at({slide->dataset(), slide->info().id}));
  return data;
}

PreparedData prepare(const Experiment& experiment, const Registry& registry) {
  const Listing listing(experiment, registry);
  return prepare(listing, splits_of(listing), experiment.data.most_lost);
}

void warn_of_problems(const PreparedData& data) {
  for (const std::string& problem : data.problems) log().warning(problem);
}

std::string text_of_lost(const PreparedData& data) {
  if (data.problems.empty()) return {};
  std::string text =
      "asked for " + std::to_string(data.asked) + " slides, used " + std::to_string(data.slides.size()) + ":";
  for (const std::string& problem : data.problems) text += "\n  " + problem;
  return text;
}

void warn_of_lost(const PreparedData& data) {
  if (const std::string text = text_of_lost(data); !text.empty()) log().warning(text);
}

}  // namespace nephron::host
