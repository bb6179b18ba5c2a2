#include <host/feed/prepared.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <host/feed/annotation.hpp>
#include <host/feed/component.hpp>
#include <host/feed/memory_slide.hpp>
#include <host/feed/reduce.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace {

/// A slide that is to be prepared.
struct Job {
  std::size_t dataset = 0;
  SlideInfo info;
};

class Preparation {
 public:
  Preparation(const Experiment& experiment, const Registry& registry) : experiment_(experiment), registry_(registry) {
    if (experiment.datasets.empty()) throw Error("the experiment names no dataset", "add a [[dataset]] section");
    for (std::size_t i = 0; i < experiment.datasets.size(); ++i) list(i);
  }

  PreparedData run() {
    slides_.resize(jobs_.size());
    Progress progress("preparing slides", static_cast<std::int64_t>(jobs_.size()));
    std::int64_t done = 0;
    thread_pool().parallel_for(jobs_.size(), [&](std::size_t i) {
      std::string problem;
      try {
        slides_[i] = prepare_one(jobs_[i]);
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
    return collect();
  }

 private:
  Blame blame(std::size_t dataset, std::string doing) const {
    return blame_of(registry_, Dataset::kind, experiment_.datasets[dataset].component, std::move(doing));
  }

  void list(std::size_t i) {
    const DatasetConfig& config = experiment_.datasets[i];
    const std::string place = "dataset[" + std::to_string(i) + "]";
    data_.datasets.push_back(
        make_with_context<Dataset>(registry_, config.component, place, static_cast<std::uint64_t>(experiment_.seed)));
    auto found = guarded(blame(i, "listing slides"), [&] { return data_.datasets[i]->slides(experiment_.classes); });
    targets_.push_back(
        guarded(blame(i, "telling targets"), [&] { return data_.datasets[i]->targets(experiment_.classes); }));
    if (targets_[i].size() != experiment_.classes.size())
      throw Error("dataset \"" + config.component.type + "\" gives " + std::to_string(targets_[i].size()) +
                  " target rules; expected one for each of the " + std::to_string(experiment_.classes.size()) +
                  " classes");
    if (found.empty()) log().warning("dataset \"" + config.component.type + "\" lists no slides");
    std::set<std::string> ids;
    for (SlideInfo& info : found) {
      if (!ids.insert(info.id).second)
        throw Error("dataset \"" + config.component.type + "\" lists slide \"" + info.id + "\" twice; ids are unique");
      jobs_.push_back({i, std::move(info)});
    }
  }

  std::shared_ptr<const PreparedSlide> prepare_one(const Job& job) const {
    const Dataset& dataset = *data_.datasets[job.dataset];
    const DatasetConfig& config = experiment_.datasets[job.dataset];
    MemorySlide::Parts parts;
    parts.info = job.info;
    parts.dataset = job.dataset;
    parts.classes = static_cast<int>(experiment_.classes.size());
    parts.targets = targets_[job.dataset];
    parts.group = !job.info.group.empty() ? job.info.group : !config.name.empty() ? config.name : config.component.type;
    const std::string what = "slide \"" + job.info.id + "\"";
    Size full;
    guarded(blame(job.dataset, "reading " + what), [&] {
      const auto reader = dataset.open(job.info);
      if (reader == nullptr) throw Error("the dataset gave no reader");
      full = reader->size();
      parts.image = read_reduced(*reader, experiment_.data.factor);
    });
    parts.info.size = full;
    guarded(blame(job.dataset, "annotating " + what), [&] {
      parts.annotated = dataset.annotated(job.info);
      if (!parts.annotated) return;
      Rasteriser sink(full, parts.classes);
      dataset.annotate(job.info, experiment_.classes, sink);
      parts.labels = sink.labels(parts.image.size());
      parts.soft = sink.soft(parts.image.size());
    });
    return std::make_shared<MemorySlide>(std::move(parts));
  }

  PreparedData collect() {
    for (auto& slide : slides_)
      if (slide != nullptr) data_.slides.push_back(std::move(slide));
    for (const auto& [i, problem] : problems_) {
      log().warning(problem + "; the rest go on without it");
      data_.problems.push_back(problem);
    }
    if (data_.slides.empty())
      throw Error(problems_.empty() ? "the datasets of the experiment list no slides"
                                    : "none of the " + std::to_string(jobs_.size()) +
                                          " slides could be read; the first: " + data_.problems.front());
    return std::move(data_);
  }

  const Experiment& experiment_;
  const Registry& registry_;
  PreparedData data_;
  std::vector<std::vector<ChannelRule>> targets_;  // a dataset
  std::vector<Job> jobs_;
  std::vector<std::shared_ptr<const PreparedSlide>> slides_;
  std::map<std::size_t, std::string> problems_;  // by job, so that their order does not depend on threads
  std::mutex mutex_;
};

}  // namespace

PreparedData prepare(const Experiment& experiment, const Registry& registry) {
  if (experiment.classes.empty() || experiment.classes.size() > 8)
    throw Error("the experiment has " + std::to_string(experiment.classes.size()) + " classes; expected 1 to 8");
  return Preparation(experiment, registry).run();
}

std::vector<int> folds_of(const Experiment& experiment, const PreparedData& data) {
  const FoldsConfig& folds = experiment.data.folds;
  std::vector<int> out(data.slides.size(), -1);
  std::map<std::string, int> donors;
  int next = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const PreparedSlide& slide = *data.slides[i];
    if (!slide.annotated()) continue;
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
