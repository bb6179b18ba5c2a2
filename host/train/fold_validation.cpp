#include <host/train/fold_validation.hpp>

#include <host/train/fold_feed.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

FoldValidation::FoldValidation(const FoldJob& job, const Objective& objective, const JobServices& services)
    : job_(job), objective_(objective), feed_(make_feed(job, /*training=*/false, services)) {}

std::optional<Validation> FoldValidation::run(SegmentationModel& model, const TrainPlace& place) {
  const Experiment& experiment = job_.experiment;
  const TrainConfig& config = experiment.train;
  const Validation validation =
      validate(model, *feed_, objective_, Normalise::of(experiment.data.mean, experiment.data.std), job_.device, config,
               2 * config.batch, std::int64_t{config.steps_per_epoch} * config.batch, place);
  if (interrupted()) return std::nullopt;
  return validation;
}

}  // namespace nephron::host
