#include <host/validate/validate.hpp>

#include <algorithm>
#include <charconv>
#include <memory>

#include <nephron/error.hpp>
#include <nephron/value.hpp>

#include <host/config/components.hpp>
#include <host/config/load.hpp>
#include <host/config/show.hpp>
#include <host/data/folds.hpp>
#include <host/data/prepared.hpp>
#include <host/feed/targets.hpp>
#include <host/predict/networks.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/runs/run.hpp>
#include <host/tiling/most_likely.hpp>
#include <host/tiling/prepared_source.hpp>
#include <host/tiling/tiled.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/usage_error.hpp>
#include <host/validate/saved_maps.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::uint8_t one_half = 127;  // the highest target that is none

std::vector<int> folds_of(const ValidateRequest& request, const RunFolder& run) {
  std::vector<int> there = run.folds();
  if (there.empty()) throw Error(run.folder().string() + " has no fold yet: nothing was trained");
  if (request.fold.empty() && run.opened_fold() >= 0) return {run.opened_fold()};
  if (request.fold.empty() || request.fold == "all") return there;
  int k = -1;
  const auto [stop, failed] = std::from_chars(request.fold.data(), request.fold.data() + request.fold.size(), k);
  if (failed != std::errc() || *stop != '\0' || std::find(there.begin(), there.end(), k) == there.end())
    throw UsageError("fold \"" + request.fold + "\" is not in " + run.folder().string() + "; or \"all\"");
  return {k};
}

/// What a person writes for a value: as in an experiment, or a bare word.
Value value_of(const std::string& text, const std::string& whole) {
  try {
    return *parse_toml("value = " + text, "--set " + whole).find("value");
  } catch (const Error&) {
    return Value(text);
  }
}

/// Metrics by name, each with the parameters that --set gives it.
std::vector<ComponentSpec> specs_of(const ValidateRequest& request) {
  std::vector<ComponentSpec> out = metric_specs(request.metrics);
  for (const std::string& text : request.set) {
    const std::size_t dot = text.find('.'), is = text.find('=');
    if (dot == std::string::npos || is == std::string::npos || dot > is)
      throw UsageError("--set \"" + text + "\": expected METRIC.PARAMETER=VALUE, such as boundary.tau=[2,5]");
    const std::string metric = text.substr(0, dot);
    const auto spec = std::find_if(out.begin(), out.end(), [&](const ComponentSpec& s) { return s.type == metric; });
    if (spec == out.end()) throw UsageError("--set \"" + text + "\": metric \"" + metric + "\" is not asked for");
    spec->params.set(text.substr(dot + 1, is - dot - 1), value_of(text.substr(is + 1), text));
  }
  return out;
}

/// What cannot be had was asked for wrongly.
MetricSet metrics_of(const Registry& registry, const ValidateRequest& request) {
  const std::vector<ComponentSpec> specs = specs_of(request);
  for (const ComponentSpec& spec : specs) try {
      static_cast<void>(registry.find(Metric::kind, spec.type));
    } catch (const Error& e) {
      throw UsageError(with_hint(e));
    }
  return {registry, specs};
}

std::vector<MetricOrigin> origins_of(const Registry& registry, const ValidateRequest& request) {
  std::vector<MetricOrigin> out;
  const RegistryComponents components(registry);
  for (const ComponentSpec& spec : specs_of(request)) {
    const ComponentInfo& info = registry.find(Metric::kind, spec.type);
    out.push_back({spec.type, info.plugin, info.version, params_key(Metric::kind, spec, components)});
  }
  return out;
}

/// Measures what is predicted of one slide as its rows come.
class MeasuringSink final : public ProbabilitySink {
 public:
  MeasuringSink(const PreparedSlide& slide, bool exclusive, const std::vector<double>& thresholds, SlideMeter& meter,
                std::vector<CurveCounts>& curves, SavedMaps& saved)
      : slide_(slide), exclusive_(exclusive), thresholds_(thresholds), meter_(meter), curves_(curves), saved_(saved) {}

  void begin(Size, int) override {}

  void rows(std::int64_t y, std::span<const ImageView> classes) override {
    const Size size = classes[0].size();
    targets_.read(slide_, {0, y, size.width, size.height});
    MeasuredRows rows;
    rows.y = y;
    rows.probability.assign(classes.begin(), classes.end());
    const auto pixels = static_cast<std::size_t>(size.area());
    truth_.resize(classes.size() * pixels);
    for (std::size_t i = 0; i < truth_.size(); ++i) truth_[i] = targets_.targets()[i] > one_half ? 1 : 0;
    const auto plane = [&](const std::uint8_t* data) {
      return ImageView{const_cast<std::uint8_t*>(data), size.width, size.height, 1, Depth::u8, size.width};
    };
    const std::vector<Image> masks = masks_of(classes);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      rows.truth.push_back(plane(truth_.data() + c * pixels));
      if (!masks.empty()) rows.predicted.push_back(masks[c].view());
      if (targets_.ignoring()) rows.ignored.push_back(plane(targets_.ignored().data()));
      if (!curves_.empty())
        curves_[c].add(levels_of(classes[c]).view(), rows.truth[c],
                       targets_.ignoring() ? rows.ignored[c] : ImageView());
      if (saved_.any()) saved_.rows(c, classes[c], masks[c].view());
    }
    meter_.rows(rows);
  }

 private:
  /// Where what is above the thresholds will not do: of exclusive classes, and to be saved.
  std::vector<Image> masks_of(std::span<const ImageView> classes) const {
    std::vector<Image> out;
    if (!exclusive_ && !saved_.any()) return out;
    const Size size = classes[0].size();
    const auto map_of = [&](std::size_t c) {
      Image map(size, 1, Depth::f32);
      copy(classes[c], map.view());
      return map;
    };
    const MostLikely likeliest = exclusive_ ? MostLikely(classes.size(), size, map_of) : MostLikely();
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (exclusive_) {
        out.push_back(likeliest.mask(c));
        continue;
      }
      out.emplace_back(size, 1);
      const auto limit = static_cast<float>(thresholds_[c]);
      for (std::int64_t y = 0; y < size.height; ++y) {
        const auto* const from = classes[c].row<const float>(y);
        auto* const to = out.back().view().row<std::uint8_t>(y);
        for (std::int64_t x = 0; x < size.width; ++x) to[x] = from[x] > limit ? 1 : 0;
      }
    }
    return out;
  }

  const PreparedSlide& slide_;
  bool exclusive_;
  const std::vector<double>& thresholds_;
  SlideMeter& meter_;
  std::vector<CurveCounts>& curves_;
  SavedMaps& saved_;
  RegionTargets targets_;
  std::vector<std::uint8_t> truth_;
};

/// One validation under way.
class RunValidation {
 public:
  RunValidation(const ValidateRequest& request, const RunFolder& run, const Experiment& experiment,
                const Registry& registry, const MetricSet& metrics, PreparedData data, ValidateOutcome outcome)
      : request_(request),
        run_(run),
        experiment_(experiment),
        registry_(registry),
        metrics_(metrics),
        data_(std::move(data)),
        out_(std::move(outcome)),
        pool_(metrics_, out_.classes, out_.thresholds),
        curves_(out_.classes.size()) {}

  ValidateOutcome run();

 private:
  void validate_fold(int fold);
  void validate_slide(const PreparedSlide& slide, int fold, PixelModel& network);
  void conclude();
  void write() const;

  const ValidateRequest& request_;
  const RunFolder& run_;
  const Experiment& experiment_;
  const Registry& registry_;
  const MetricSet& metrics_;
  PreparedData data_;
  ValidateOutcome out_;
  MeasurePool pool_;
  std::vector<std::vector<std::vector<double>>> curves_;  ///< a class, a slide
  std::unique_ptr<Progress> progress_;
  std::int64_t tiles_before_ = 0;
};

void RunValidation::validate_slide(const PreparedSlide& slide, int fold, PixelModel& network) {
  MeasuredSlide measured;
  measured.id = slide.info().id;
  const DatasetConfig& dataset = experiment_.datasets.at(slide.dataset());
  measured.group = dataset.name.empty() ? dataset.component.type : dataset.name;
  measured.size = slide.size();
  measured.microns_per_pixel = slide.info().mpp * slide.reduction().value();
  measured.classes = out_.classes;
  measured.thresholds = out_.thresholds;
  std::vector<bool> known;
  for (const ChannelRule& rule : slide.targets()) known.push_back(rule.weight > 0);
  SlideMeter meter(metrics_, measured, request_.objects, /*with_objects=*/true, known);
  std::vector<CurveCounts> curves(out_.exclusive ? 0 : out_.classes.size());
  SavedMaps saved(out_.folder, request_.save);
  // Slides of two datasets may have one id.
  const std::string file = experiment_.datasets.size() > 1 ? measured.group + "-" + measured.id : measured.id;
  if (saved.any()) saved.begin(file, out_.classes, slide.size());
  MeasuringSink sink(slide, out_.exclusive, out_.thresholds, meter, curves, saved);
  TilingOptions options{experiment_.data.tile, experiment_.predict.overlap, experiment_.prediction_batch(), {}};
  options.progress = [&](std::int64_t tiles, std::int64_t) {
    if (interrupted()) throw Cancelled();
    progress_->update(tiles_before_ + tiles, measured.id);
  };
  predict_tiled(PreparedSource(slide), network, options, sink);
  SlideRow row{meter.finish(), fold, slide.digests().picture, slide.digests().labels, slide.info().donor};
  saved.finish();
  pool_.add(row.measures);
  row.measures.details.clear();
  for (std::size_t c = 0; c < curves.size(); ++c)
    if (known.at(c)) curves_[c].push_back(curves[c].dice());
  out_.slides.push_back(std::move(row));
}

void RunValidation::validate_fold(int fold) {
  const FoldSlides slides = slides_of(data_, fold);
  settle_fold_slides(run_.fold(fold).slides(), experiment_, data_, slides);  // those that it was trained without
  const NetworkOptions options{request_.device, request_.precision, out_.tta, experiment_.train.threads};
  const auto network = open_networks(experiment_, registry_, {run_.fold(fold).weights(request_.checkpoint)}, options);
  for (const std::size_t i : slides.held_out) {
    const PreparedSlide& slide = *data_.slides[i];
    try {
      validate_slide(slide, fold, *network);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::exception& e) {
      out_.failures[slide.info().id] = e.what();
      log().error("slide \"" + slide.info().id + "\" is left out: " + with_hint(e));
    }
    tiles_before_ +=
        tile_grid(slide.size(), experiment_.data.tile, experiment_.predict.overlap, network->multiple()).count();
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

ValidateOutcome RunValidation::run() {
  std::int64_t tiles = 0;
  for (const int fold : out_.folds)
    for (const std::size_t i : slides_of(data_, fold).held_out)
      tiles += tile_grid(data_.slides[i]->size(), experiment_.data.tile, experiment_.predict.overlap, 1).count();
  fs::create_directories(out_.folder);
  std::error_code none;
  fs::remove(out_.folder / "scores.json", none);  // of before: it must not pass for this one's
  progress_ = std::make_unique<Progress>("validating", tiles);
  try {
    for (const int fold : out_.folds) validate_fold(fold);
    out_.complete = true;
  } catch (const Cancelled&) {
    conclude();
    write();
    log().warning("interrupted: " + out_.folder.string() + " has the figures of " +
                  counted(out_.slides.size(), "slide", "slides") + " that were measured; --overwrite starts anew");
    throw;
  }
  progress_->finish();
  conclude();
  write();
  warn_of_lost(data_);
  return std::move(out_);
}

}  // namespace

ThresholdScores threshold_scores(std::vector<std::vector<double>> curves) {
  ThresholdScores out;
  out.mean_curve.resize(searched_thresholds.size());
  std::vector<std::span<const double>> views(curves.begin(), curves.end());
  out.best = curves.empty() ? half : best_of_all(views);
  std::vector<double> best, own, at_half;
  for (const std::vector<double>& curve : curves) {
    best.push_back(curve[out.best]), own.push_back(curve[best_of(curve)]), at_half.push_back(curve[half]);
    for (std::size_t i = 0; i < curve.size(); ++i) out.mean_curve[i] += curve[i] / static_cast<double>(curves.size());
  }
  out.at_best = spread_of(best), out.own_best = spread_of(own), out.at_half = spread_of(at_half);
  out.curves = std::move(curves);
  return out;
}

ValidateOutcome validate_run(const ValidateRequest& request) {
  const RunFolder run = RunFolder::open(request.run);
  std::unique_ptr<Registry> registry;
  PluginSearch search;
  search.command_line = request.plugins;
  // Where training started does not matter any more: the checkpoint's weights replace those files, which may be gone.
  const Experiment experiment =
      load_experiment(run.experiment(), {"model.weights=\"\"", "model.encoder.weights=\"\""}, search, registry);
  ValidateOutcome out;
  out.run = run.folder();
  out.folder = request.out.empty() ? run.folder() / "validation" : request.out;
  out.folds = folds_of(request, run);
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
  const MetricSet metrics = metrics_of(*registry, request);
  out.origins = origins_of(*registry, request);
  if (!request.overwrite && fs::exists(out.folder / "scores.json"))
    throw Error(out.folder.string() + " holds a validation already",
                "--overwrite replaces it, --out names another folder");
  require_output_folder(out.folder, {});
  for (const int fold : out.folds) static_cast<void>(run.fold(fold).weights(request.checkpoint));  // before work begins
  if (!fs::exists(run.splits()))
    throw Error(run.folder().string() + " has no splits.json: which slides its folds held out is not known",
                "it is of an earlier version; go on with it once (nephron train --resume), which writes the file");
  const Listing listing(experiment, *registry);
  PreparedData data = prepare(listing, splits_of_run(listing, run.splits()), experiment.data.most_lost);
  warn_of_problems(data);
  return RunValidation(request, run, experiment, *registry, metrics, std::move(data), std::move(out)).run();
}

}  // namespace nephron::host
