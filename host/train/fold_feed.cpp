#include <host/train/fold_feed.hpp>

#include <algorithm>
#include <string>
#include <thread>

#include <nephron/error.hpp>

#include <host/data/folds.hpp>
#include <host/device/torch_state.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

/// As many as training leaves: on a CPU its threads compute the step, on a GPU one thread starts kernels.
int data_workers(const FoldJob& job) {
  if (job.experiment.data.workers > 0) return job.experiment.data.workers;
  const int busy = job.device.is_cpu() ? torch_threads() : 1, here = job.ranks == nullptr ? 1 : job.ranks->here();
  const int cores = job.cores > 0 ? job.cores : static_cast<int>(std::thread::hardware_concurrency()) / here;
  return std::max(1, cores - busy);
}

}  // namespace

std::unique_ptr<Feed> make_feed(const FoldJob& job, bool training, const JobServices& services) {
  const Experiment& experiment = job.experiment;
  const int fold = job.folder.fold, batch = experiment.train.batch;
  FeedOptions options;
  const FoldSlides slides = slides_of(job.data, fold);
  options.slides = training ? slides.training : slides.held_out;
  if (options.slides.empty()) {
    if (!training) return nullptr;
    throw Error("fold " + std::to_string(fold) + " leaves no annotated slide to train on",
                "The data has " + counted(job.data.slides.size(), "slide") +
                    "; set data.folds.count to at least 2 and at most their number.");
  }
  options.training = training;
  options.batch = training ? batch : 2 * batch;  // no gradients: twice as much fits
  if (training && job.ranks != nullptr) options.part = job.ranks->rank(), options.parts = job.ranks->count();
  options.workers = data_workers(job);
  options.prefetch = experiment.data.prefetch;
  options.seed = static_cast<std::uint64_t>(experiment.seed);
  options.programs = training && experiment.data.augment_on == "device";
  options.services = services;
  if (!training) options.services.metrics = nullptr;  // what validation tells belongs to no step
  return std::make_unique<Feed>(experiment, job.registry, job.data, options);
}

}  // namespace nephron::host
