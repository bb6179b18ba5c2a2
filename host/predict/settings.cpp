#include <host/predict/settings.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/config/normalise_link.hpp>
#include <host/data/resolution.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/predict/validated_thresholds.hpp>
#include <host/runs/checkpoint_digests.hpp>
#include <host/util/files.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

template <class T>
bool parse(const std::string& text, T& out) {
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && stop == text.data() + text.size();
}

double number_of(const std::string& text) {
  double out = 0;
  if (!parse(text, out) || !(out >= 0 && out <= 1))
    throw UsageError("threshold \"" + text + "\" is neither a number from 0 to 1 nor \"search\" nor \"validated\"");
  return out;
}

void set_thresholds(PredictSettings& settings, const PredictRequest& request, const Experiment& experiment,
                    const ChosenWeights& chosen) {
  const Value& own = experiment.predict.threshold;
  if (request.threshold && experiment.exclusive)
    throw UsageError("the classes of " + chosen.run.string() +
                     " exclude each other and have no threshold: a pixel is what is likeliest");
  settings.search = request.threshold ? *request.threshold == "search" : own.is(Value::Type::string);
  settings.validated = request.threshold == "validated";
  if (settings.validated) {
    if (!request.with.empty())
      throw UsageError("--threshold validated is what one run's validation found, and --with joins several",
                       "Give a number, or --threshold search.");
    settings.thresholds = validated_thresholds(chosen, experiment.classes);
    return;
  }
  double of_all = searched_thresholds[half];
  if (!settings.search) of_all = request.threshold ? number_of(*request.threshold) : own.number();
  settings.thresholds.assign(experiment.classes.size(), of_all);
}

nlohmann::ordered_json thresholds_json(const PredictSettings& settings) {
  const std::vector<double>& all = settings.thresholds;
  if (settings.search) return "search";
  if (!settings.validated) return all.front();
  return all;
}

}  // namespace

PredictSettings settle(const PredictRequest& request, ChosenWeights chosen, const Experiment& experiment) {
  PredictSettings out;
  set_thresholds(out, request, experiment, chosen);
  out.run = std::move(chosen.run);
  out.folds = std::move(chosen.folds);
  out.checkpoint = std::move(chosen.checkpoint);
  out.weights = std::move(chosen.files);
  for (const fs::path& file : out.weights) {
    out.weights_sha256.push_back(sha256_of(file));
    require_as_written(file, out.weights_sha256.back());
  }
  out.factor = request.factor.value_or(experiment.data.factor);
  if (!request.factor) out.mpp = experiment.data.mpp;  // a factor that is asked for is meant
  if (request.pictures_mpp > 0 && out.mpp <= 0)
    throw UsageError(
        std::string("--mpp says how large the pixels of pictures are, which matters only to a run that was ") +
        "trained with data.mpp" + (request.factor ? ", and without --factor" : ""));
  out.pictures_mpp = request.pictures_mpp;
  out.tile = request.whole ? 0 : request.tile.value_or(experiment.data.tile);
  if (request.full_size) {
    if (out.mpp > 0 || request.whole)
      throw UsageError(std::string("--full-size cuts tiles of a whole multiple of the run's: it goes neither with ") +
                       (request.whole ? "--whole" : "data.mpp; --factor N says how large a tile is"));
    if (normalise_link_of(experiment) != nullptr)
      throw UsageError("--full-size cuts tiles before slides are reduced, and " + out.run.string() +
                       " normalises slides as they are when they are reduced");
    out.windows = std::exchange(out.factor, 1);
  }
  out.overlap = request.overlap.value_or(experiment.predict.overlap);
  if (request.gaussian && request.as_reference)
    throw UsageError("--compat reference joins tiles by the weights of the reference: leave --blending gaussian out");
  out.blending = request.gaussian ? Blending::gaussian : Blending::pyramid;
  out.tta = request.tta.empty() ? experiment.predict.tta : request.tta;
  out.batch = request.batch.value_or(experiment.prediction_batch());
  out.precision = request.precision;
  out.as_reference = request.as_reference;
  out.all_tiles = request.all_tiles;
  out.kept = kept_of(request.save, request.maps);
  out.kept.least_area = request.least_area, out.kept.fill_holes = request.fill_holes;
  if (out.kept.tta && out.tta.size() < 2)
    throw UsageError(
        "--save tta keeps the map of each flip, and there is one alone, whose map is the joined one: name several "
        "with --tta identity,flip_x,flip_y,flip_xy");
  if (out.kept.tta) out.kept.flips = out.tta;
  if (out.search && out.kept.any_objects() && (!out.kept.maps || out.kept.format == MapFormat::halves))
    throw UsageError(
        "objects are found once thresholds are, from maps of bytes: --threshold search with geojson, coco or "
        "objects needs \"maps\" in --save, and not --maps tiff16");
  return out;
}

Reduction PredictSettings::reduction_of(double known, Size picture) const {
  const char* const remedy =
      mpp > 0
          ? "--mpp M says how many um a pixel of pictures that do not tell it is wide, --factor N how far to reduce all"
          : "--factor N reduces all pictures by another factor than the run's";
  const Reduction out =
      mpp > 0 ? reduction_to(mpp, known > 0 ? known : pictures_mpp, "the picture", remedy) : Reduction(factor);
  if (out.size_of(picture).empty())
    throw Error("the picture of " + std::to_string(picture.width) + " x " + std::to_string(picture.height) +
                    " px has nothing left after reduction by " + out.str(),
                remedy);
  return out;
}

std::string PredictSettings::str() const {
  nlohmann::ordered_json json;
  json["run"] = run.string();
  json["folds"] = folds;
  json["checkpoint"] = checkpoint;
  json["weights"] = nlohmann::ordered_json::array();
  for (const fs::path& file : weights) json["weights"].push_back(file.string());
  json["weights_sha256"] = weights_sha256;
  if (mpp > 0) json["mpp"] = mpp, json["pictures_mpp"] = pictures_mpp;
  else json["factor"] = factor;
  if (windows > 1) json["windows"] = windows;
  json["tile"] = tile;
  json["overlap"] = overlap;
  json["blending"] = blending == Blending::gaussian ? "gaussian" : "pyramid";
  json["tta"] = tta;
  json["threshold"] = thresholds_json(*this);
  json["precision"] = precision;
  if (as_reference) json["compat"] = "reference";
  json["maps"] = word_of(kept.format);
  json["least_area"] = kept.least_area;
  json["fill_holes"] = kept.fill_holes;
  json["glass"] = skips_glass() ? "skipped" : "predicted";
  return json.dump(2);
}

}  // namespace nephron::host
