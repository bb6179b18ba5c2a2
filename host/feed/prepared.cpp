#include <host/feed/prepared.hpp>

#include <algorithm>
#include <map>
#include <mutex>

#include <nephron/fold_rules.hpp>

#include <host/feed/listing.hpp>
#include <host/feed/memory_slide.hpp>
#include <host/feed/store_slides.hpp>
#include <host/labels/painter.hpp>
#include <host/slides/reduced.hpp>
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
        problem = e.what();  // the guard has named the slide
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
    parts.targets = listing_.targets(entry);
    parts.group = listing_.group(entry);
    Size full;
    guarded(listing_.blame(entry, "reading"), [&] {
      const auto reader = dataset.open(entry.info);
      if (reader == nullptr) throw Error("the dataset gave no reader");
      full = reader->size();
      parts.image = read_reduced(*reader, experiment_.data.factor);
    });
    parts.info.size = full;
    guarded(listing_.blame(entry, "annotating"), [&] {
      parts.annotated = dataset.annotated(entry.info);
      if (!parts.annotated) return;
      LabelPainter sink(full, parts.classes);
      dataset.annotate(entry.info, experiment_.classes, sink);
      parts.labels = sink.labels(experiment_.data.factor);
      parts.soft = sink.soft(experiment_.data.factor);
    });
    return std::make_shared<MemorySlide>(std::move(parts));
  }

  const Listing& listing_;
  const Experiment& experiment_;
  std::vector<std::shared_ptr<const PreparedSlide>> slides_;
  std::map<std::size_t, std::string> problems_;  // by slide, so that their order does not depend on threads
  std::mutex mutex_;
};

}  // namespace

PreparedData prepare(const Experiment& experiment, const Registry& registry) {
  const Listing listing(experiment, registry);
  PreparedData data = experiment.data.store.empty() ? Preparation(listing).run() : prepare_and_open(listing);
  data.datasets = listing.datasets();
  data.problems.insert(data.problems.begin(), listing.problems().begin(), listing.problems().end());
  if (data.slides.empty()) {
    warn_of_problems(data);  // the error has room for one
    throw Error(data.problems.empty() ? "the datasets of the experiment list no slides"
                                      : "none of the " + std::to_string(listing.slides().size()) +
                                            " slides could be read; the first: " + data.problems.front());
  }
  return data;
}

void warn_of_problems(const PreparedData& data) {
  for (const std::string& problem : data.problems) log().warning(problem + "; the rest go on without it");
}

std::vector<int> folds_of(const Experiment& experiment, const PreparedData& data) {
  const FoldsConfig& folds = experiment.data.folds;
  std::vector<int> out(data.slides.size(), -1);
  std::map<std::string, int> donors;
  int next = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const PreparedSlide& slide = *data.slides[i];
    const auto* rules = dynamic_cast<const FoldRules*>(data.datasets.at(slide.dataset()).get());
    if (!slide.annotated() || rules != nullptr || !experiment.datasets.at(slide.dataset()).hold_out) continue;
    const std::string& donor = slide.info().donor;
    if (folds.by == "donor" && !donor.empty()) {
      const auto [found, fresh] = donors.try_emplace(donor, next);
      if (fresh) ++next;
      out[i] = found->second % folds.count;
    } else {
      out[i] = next++ % folds.count;
    }
  }
  return out;
}

}  // namespace nephron::host
