#include <host/validate/validate.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>

#include <host/config/components.hpp>
#include <host/config/run_experiment.hpp>
#include <host/config/show.hpp>
#include <host/data/folds.hpp>
#include <host/data/listed_files.hpp>
#include <host/data/prepared.hpp>
#include <host/device/device.hpp>
#include <host/feed/normalisation.hpp>
#include <host/metrics/kept_measures.hpp>
#include <host/metrics/metric_request.hpp>
#include <host/predict/chosen_dataset.hpp>
#include <host/predict/networks.hpp>
#include <host/predict/output_lock.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/runs/chosen_folds.hpp>
#include <host/runs/run.hpp>
#include <host/runs/validation_files.hpp>
#include <host/tiling/glass.hpp>
#include <host/tiling/prepared_source.hpp>
#include <host/tiling/tiled.hpp>
#include <host/util/cancelled_and_told.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/usage_error.hpp>
#include <host/util/write_error.hpp>
#include <host/validate/measuring_sink.hpp>
#include <host/validate/saved_maps.hpp>
#include <host/validate/validation_record.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::vector<MetricOrigin> origins_of(const Registry& registry, const ValidateRequest& request) {
  std::vector<MetricOrigin> out;
  const RegistryComponents components(registry);
  for (const ComponentSpec& spec : requested_specs(request.metrics, request.set)) {
    const ComponentInfo& info = registry.find(Metric::kind, spec.type);
    out.push_back({spec.type, info.plugin, info.version, params_key(Metric::kind, spec, components)});
  }
  return out;
}

/// One validation under way.
class RunValidation {
 public:
  RunValidation(const ValidateRequest& request, const RunFolder& run, std::map<int, fs::path> weights,
                const Experiment& experiment, const Registry& registry, const MetricSet& metrics, PreparedData data,
                ValidateOutcome outcome, std::string settings)
      : request_(request),
        run_(run),
        weights_(std::move(weights)),
        experiment_(experiment),
        registry_(registry),
        metrics_(metrics),
        data_(std::move(data)),
        out_(std::move(outcome)),
        settings_(std::move(settings)),
        keeps_(metrics_that_cannot_be_kept(metrics).empty()),
        files_(out_.folder, experiment.datasets.size() > 1),
        pool_(metrics_, out_.classes, out_.thresholds),
        curves_(out_.classes.size()) {}

  ValidateOutcome run();

 private:
  void validate_fold(int fold);
  KeptSlide measure(const PreparedSlide& slide, int fold, PixelModel& network);
  std::optional<KeptSlide> measured_before(const PreparedSlide& slide) const;
  void take(KeptSlide kept);
  ValidationFiles::Slide named(const PreparedSlide& slide) const;
  std::string label_of(const PreparedSlide& slide) const;
  void require_own_files() const;
  void begin() const;
  void conclude();
  std::string how_to_go_on() const;
  void write() const;

  const ValidateRequest& request_;
  const RunFolder& run_;
  std::map<int, fs::path> weights_;  ///< a fold -> the file that is measured
  const Experiment& experiment_;
  const Registry& registry_;
  const MetricSet& metrics_;
  PreparedData data_;
  ValidateOutcome out_;
  std::string settings_;  ///< all that values depend on besides pixels
  bool keeps_;            ///< measures go into files
  ValidationFiles files_;
  MeasurePool pool_;
  std::vector<std::vector<SlideCurve>> curves_;  ///< a class, a slide
  std::unique_ptr<Progress> progress_;
  std::int64_t tiles_before_ = 0;
};

ValidationFiles::Slide RunValidation::named(const PreparedSlide& slide) const {
  return {dataset_name(experiment_, slide), slide.info().id};
}

/// Slides of several datasets may have one name.
std::string RunValidation::label_of(const PreparedSlide& slide) const {
  const ValidationFiles::Slide s = named(slide);
  return experiment_.datasets.size() > 1 ? s.dataset + "/" + s.id : s.id;
}

/// Names of slides that differ can have one file name ("a/b" and "a_b").
void RunValidation::require_own_files() const {
  std::map<fs::path, std::string> names;
  for (const int fold : out_.folds)
    for (const std::size_t i : slides_of(data_, fold).held_out) {
      const ValidationFiles::Slide slide = named(*data_.slides[i]);
      const auto [other, fresh] = names.try_emplace(files_.measures(slide), slide.id);
      if (!fresh && other->second != slide.id)
        throw Error("slides \"" + other->second + "\" and \"" + slide.id + "\" would both be written as " +
                    other->first.string());
    }
}

KeptSlide RunValidation::measure(const PreparedSlide& slide, int fold, PixelModel& network) {
  MeasuredSlide measured;
  measured.id = slide.info().id;
  measured.group = dataset_name(experiment_, slide);
  measured.size = slide.size();
  measured.microns_per_pixel = slide.info().mpp * slide.reduction().value();
  measured.classes = out_.classes;
  measured.thresholds = out_.thresholds;
  std::vector<bool> known;
  for (const ChannelRule& rule : slide.targets()) known.push_back(rule.weight > 0);
  SlideMeter meter(metrics_, measured, request_.objects, /*with_objects=*/true, known);
  std::vector<CurveCounts> curves(out_.exclusive ? 0 : out_.classes.size());
  SavedMaps saved(files_, request_.save);
  if (saved.any()) saved.begin(named(slide), out_.classes, slide.size());
  MeasuringSink sink(slide, out_.exclusive, out_.thresholds, meter, curves, saved);
  TilingOptions options{experiment_.data.tile, experiment_.predict.overlap, experiment_.prediction_batch(), {}};
  options.progress = [&](std::int64_t tiles, std::int64_t) {
    if (interrupted()) throw Cancelled();
    progress_->update(tiles_before_ + tiles, measured.id);
  };
  const Glass glass = request_.all_tiles ? Glass() : glass_of(slide, experiment_);
  if (glass.known()) options.wanted = [&](const Region& tile) { return !glass.only(tile); };
  options.network = weights_.at(fold).string(), options.picture = "\"" + measured.id + "\"";
  predict_tiled(PreparedSource(slide), network, options, sink);
  KeptSlide out{{meter.finish(), fold, slide.digests().picture, slide.digests().labels, slide.info().donor}, {}};
  saved.finish();
  for (std::size_t c = 0; c < curves.size(); ++c)
    out.curves.push_back(known.at(c) ? curves[c].dice() : std::vector<double>());
  return out;
}

std::optional<KeptSlide> RunValidation::measured_before(const PreparedSlide& slide) const {
  if (!request_.go_on || !keeps_) return std::nullopt;
  std::optional<KeptSlide> out = read_measures(files_.measures_there(named(slide)), settings_, metrics_);
  if (!out) return out;
  const Digests now = slide.digests();
  out->row.donor = slide.info().donor;
  const bool other = out->row.picture != now.picture || out->row.truth != now.labels;
  return other ? std::nullopt : std::move(out);
}

void RunValidation::take(KeptSlide kept) {
  pool_.add(kept.row.measures);
  kept.row.measures.details.clear();
  for (std::size_t c = 0; c < kept.curves.size(); ++c)
    if (!kept.curves[c].empty()) curves_.at(c).push_back({kept.row.fold, std::move(kept.curves[c])});
  out_.slides.push_back(std::move(kept.row));
}

void RunValidation::validate_fold(int fold) {
  const FoldSlides slides = slides_of(data_, fold);
  std::unique_ptr<PixelModel> network;
  for (const std::size_t i : slides.held_out) {
    const PreparedSlide& slide = *data_.slides[i];
    try {
      if (std::optional<KeptSlide> before = measured_before(slide)) {
        take(*std::move(before));
        ++out_.measured_before;
      } else {
        if (network == nullptr)
          network = open_networks(experiment_, registry_, {weights_.at(fold)},
                                  {request_.device, request_.precision, out_.tta, experiment_.train.threads});
        KeptSlide measured = measure(slide, fold, *network);
        if (keeps_) write_measures(files_.measures(named(slide)), settings_, measured, metrics_);
        take(std::move(measured));
      }
    } catch (const Cancelled&) {
      throw;
    } catch (const WriteError&) {
      throw;
    } catch (const std::exception& e) {
      const std::string label = label_of(slide);
      out_.failures[label] = e.what();
      log().error("slide \"" + label + "\" is left out: " + with_hint(e));
    }
    tiles_before_ += tile_grid(slide.size(), experiment_.data.tile, experiment_.predict.overlap, 1).count();
    progress_->update(tiles_before_);
  }
}

void RunValidation::conclude() {
  out_.values = pool_.values();
  out_.curves = pool_.curves();
  if (!out_.exclusive)
    for (auto& of_class : curves_) out_.searched.push_back(threshold_scores(std::move(of_class)));
}

void RunValidation::write() const {
  const TableText slides = slide_table(out_.slides), objects = object_table(out_.slides);
  write_file_atomically(out_.folder / "slides.csv", slides.csv);
  write_file_atomically(out_.folder / "slides.jsonl", slides.jsonl);
  write_file_atomically(out_.folder / "objects.csv", objects.csv);
  write_file_atomically(out_.folder / "objects.jsonl", objects.jsonl);
  write_file_atomically(out_.folder / "scores.json", out_.json());  // last: it says that all is there
}

/// What an earlier validation left must not pass for this one's.
void RunValidation::begin() const {
  make_folder(out_.folder);
  std::error_code none;
  for (const char* table : {"scores.json", "slides.csv", "slides.jsonl", "objects.csv", "objects.jsonl"})
    fs::remove(out_.folder / table, none);
  std::set<fs::path> folders;
  for (const int fold : out_.folds)
    for (const std::size_t i : slides_of(data_, fold).held_out) {
      const ValidationFiles::Slide slide = named(*data_.slides[i]);
      folders.insert(files_.measures(slide).parent_path());
      for (const ValidationFiles::Map map : {ValidationFiles::Map::masks, ValidationFiles::Map::probabilities})
        for (const std::string& name : out_.classes) {
          folders.insert(files_.map(map, name, slide).parent_path());
          while (!request_.go_on && fs::remove(files_.map_there(map, name, slide), none)) {}
        }
      while (!request_.go_on && fs::remove(files_.measures_there(slide), none)) {}
    }
  // What a killed one was writing.
  remove_half_written(out_.folder, R"([^/]+\.(?:csv|jsonl|json))");
  for (const fs::path& folder : folders) remove_half_written(folder, R"([^/]+\.(?:json|png))");
  write_file_atomically(out_.folder / "validate.json", settings_ + "\n");
}

std::string RunValidation::how_to_go_on() const {
  return std::string("give the same command with --continue") + (request_.overwrite ? " in place of --overwrite" : "");
}

ValidateOutcome RunValidation::run() try {
  std::int64_t tiles = 0;
  for (const int fold : out_.folds)
    for (const std::size_t i : slides_of(data_, fold).held_out)
      tiles += tile_grid(data_.slides[i]->size(), experiment_.data.tile, experiment_.predict.overlap, 1).count();
  require_own_files();
  for (const int fold : out_.folds)  // those that it was trained without
    settle_fold_slides(run_.fold(fold).slides(), experiment_, data_, slides_of(data_, fold));
  begin();
  progress_ = std::make_unique<Progress>("validating", tiles);
  try {
    for (const int fold : out_.folds) validate_fold(fold);
    out_.complete = true;
  } catch (const Cancelled&) {
    conclude();
    write();
    log().warning("interrupted: " + out_.folder.string() + " has the figures of " +
                  counted(out_.slides.size(), "slide", "slides") + " that were measured; to go on, " + how_to_go_on());
    throw CancelledAndTold();
  }
  progress_->finish();
  conclude();
  write();
  warn_of_lost(data_);
  return std::move(out_);
} catch (const WriteError& e) {
  throw WriteError(e.what(), e.hint() + (e.hint().empty() ? "" : " ") + "What was measured stays: to go on, " +
                                 how_to_go_on() + ".");
}

}  // namespace

ValidateOutcome validate_run(const ValidateRequest& request) {
  const RunFolder run = RunFolder::open(request.run);
  std::unique_ptr<Registry> registry;
  PluginSearch search;
  search.command_line = request.plugins;
  const Experiment experiment = load_run_experiment(run.experiment(), {}, search, registry);
  ValidateOutcome out;
  out.run = run.folder();
  out.folder = request.out.empty() ? run.folder() / "validation" : request.out;
  out.folds = chosen_folds(run, request.fold);
  out.classes = experiment.classes;
  out.metrics = request.metrics;
  out.tta = request.tta.empty() ? experiment.predict.tta : request.tta;
  out.checkpoint = request.checkpoint, out.precision = request.precision;
  out.exclusive = experiment.exclusive;
  if (out.exclusive && request.threshold)
    throw UsageError("the classes of " + run.folder().string() + " exclude each other and have no threshold");
  const Value& written = experiment.predict.threshold;
  const double usual = written.is(Value::Type::string) ? 0.5 : written.number();
  out.thresholds.assign(out.classes.size(), request.threshold.value_or(usual));
  out.threshold_from = request.threshold ? "--threshold" : written.is(Value::Type::string) ? "0.5" : "experiment";
  out.objects = request.objects;
  check_tta(out.tta);
  const MetricSet metrics = requested_metrics(*registry, request.metrics, request.set);
  out.origins = origins_of(*registry, request);
  const Listing listing(experiment, *registry);
  require_output_folder(out.folder, files_of(listing));
  const OutputLock lock(out.folder, "validation");
  if (!request.overwrite && !request.go_on && fs::exists(out.folder / "scores.json"))
    throw Error(out.folder.string() + " holds a validation already",
                "--continue measures what is missing, --overwrite replaces it, --out names another folder");
  std::map<int, fs::path> weights;  // `best` and `last` move on while a run is trained; what is recorded is measured
  for (const int fold : out.folds) {
    weights[fold] = fs::canonical(run.fold(fold).weights(request.checkpoint));  // refused before work begins
    out.weights[fold] = weights[fold].parent_path().filename().string();
  }
  static_cast<void>(parse_device(request.device));
  const std::string settings = validation_settings(request, experiment, out, weights, metrics);
  if (request.go_on) require_equal_settings(out.folder, settings);
  if (const auto lost = metrics_that_cannot_be_kept(metrics); request.go_on && !lost.empty())
    log().warning("every slide is measured anew: what " + names_of(lost) + " measured cannot be kept");
  if (!fs::exists(run.splits()))
    throw Error(run.folder().string() + " has no splits.json: which slides its folds held out is not known",
                "it is of an earlier version; go on with it once (nephron train --resume), which writes the file");
  PreparedData data = normalised(prepare(listing, splits_of_run(listing, run.splits()), experiment.data.most_lost),
                                 experiment, *registry);
  warn_of_problems(data);
  return RunValidation(request, run, std::move(weights), experiment, *registry, metrics, std::move(data),
                       std::move(out), settings)
      .run();
}

}  // namespace nephron::host
