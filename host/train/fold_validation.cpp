#include <host/train/fold_validation.hpp>

#include <nephron/error.hpp>

#include <host/data/folds.hpp>
#include <host/train/fold_feed.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/mapped_places.hpp>

namespace nephron::host {

FoldValidation::FoldValidation(const FoldJob& job, const Objective& objective, const JobServices& services,
                               std::int64_t multiple)
    : job_(job), objective_(objective) {
  if (job.experiment.validation.how == "tiles") {
    feed_ = make_feed(job, /*training=*/false, services);
    return;
  }
  std::vector<std::shared_ptr<const PreparedSlide>> slides;
  for (const std::size_t i : slides_of(job.data, job.folder.fold).held_out) slides.push_back(job.data.slides[i]);
  if (!slides.empty()) slides_.emplace(job.experiment, std::move(slides), multiple);
  if (slides_) log().info("fold " + std::to_string(job.folder.fold) + ": validating " + slides_->text());
}

void FoldValidation::require_whole() const {
  for (const std::size_t i : slides_of(job_.data, job_.folder.fold).held_out)
    if (const std::string file = job_.data.slides[i]->lost_file(); !file.empty())
      throw Error(file + " was cut short, or its disk failed: fold " + std::to_string(job_.folder.fold) +
                      " cannot be validated on slide \"" + job_.data.slides[i]->info().id + "\"",
                  mapping_advice());
}

std::optional<Validation> FoldValidation::run(SegmentationModel& model, const TrainPlace& place) try {
  require_whole();
  const TrainConfig& config = job_.experiment.train;
  const ValidationParts parts{model, objective_, job_.experiment, job_.device, place, job_.ranks};
  return slides_ ? validate_slides(parts, *slides_, "fold " + std::to_string(job_.folder.fold) + ": validating")
                 : validate(parts, *feed_, std::int64_t{config.steps_per_epoch} * config.batch);
} catch (const Cancelled&) {
  return std::nullopt;
}

}  // namespace nephron::host
