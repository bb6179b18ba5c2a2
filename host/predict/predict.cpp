#include <host/predict/predict.hpp>

#include <future>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/fingerprint.hpp>

#include <host/config/load.hpp>
#include <host/feed/folds.hpp>
#include <host/predict/memory.hpp>
#include <host/predict/networks.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/settings.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/predict/tiled.hpp>
#include <host/predict/tiling.hpp>
#include <host/predict/truth.hpp>
#include <host/runs/run.hpp>
#include <host/slides/opener.hpp>
#include <host/slides/reduced.hpp>
#include <host/train/device.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// A reduced picture in memory.
class PictureSource final : public TileSource {
 public:
  explicit PictureSource(Image picture) : picture_(std::move(picture)) {}
  Size size() const noexcept override { return picture_.size(); }
  void read(const Region& region, const ImageView& out) const override { copy(picture_.view().crop(region), out); }

 private:
  Image picture_;
};

/// Holds the maps of a picture until they are written.
class Maps final : public ProbabilitySink {
 public:
  void begin(Size size, int classes) override {
    for (int c = 0; c < classes; ++c) planes.emplace_back(size, 1, Depth::f32);
  }
  void rows(std::int64_t y, std::span<const ImageView> classes) override {
    for (std::size_t c = 0; c < classes.size(); ++c)
      copy(classes[c], planes[c].view().crop({0, y, classes[c].width, classes[c].height}));
  }
  std::vector<Image> planes;
};

struct Loaded {
  Size size;
  std::string fingerprint;
  Image reduced;
  std::vector<Image> truth;  ///< empty when there is none
};

struct Written {
  std::string id;
  std::optional<PictureScore> score;
};

Image to_bytes(const ImageView& map) {
  Image out(map.size(), 1);
  for (std::int64_t y = 0; y < map.height; ++y) {
    const float* const from = map.row<const float>(y);
    std::uint8_t* const to = out.view().row<std::uint8_t>(y);
    for (std::int64_t x = 0; x < map.width; ++x) to[x] = static_cast<std::uint8_t>(from[x] * 255.0F + 0.5F);
  }
  return out;
}

class Prediction {
 public:
  Prediction(const PredictRequest& request, PredictSettings settings, const Experiment& experiment, SlideOpener& opener,
             std::unique_ptr<PixelModel> model)
      : request_(request),
        settings_(std::move(settings)),
        classes_(experiment.classes),
        opener_(opener),
        output_(request.out, experiment.classes),
        model_(std::move(model)) {}

  PredictOutcome run(const std::vector<PictureFile>& all);

 private:
  void compute_all(const std::vector<PictureFile>& pictures);
  std::vector<PictureFile> left_to_do(const std::vector<PictureFile>& pictures);
  Loaded load(const PictureFile& picture) const;
  std::vector<Image> compute(const Loaded& loaded, const std::string& id, Progress& progress, std::int64_t done);
  Written write(const std::string& id, const Loaded& loaded, const std::vector<Image>& maps) const;
  void apply_search(const std::vector<PictureFile>& pictures);
  void note_facts() const;
  void collect(std::future<Written>& writing, const std::string& id);
  void failed(const std::string& id, const std::exception& e);

  const PredictRequest& request_;
  PredictSettings settings_;
  std::vector<std::string> classes_;
  SlideOpener& opener_;
  OutputFolder output_;
  std::unique_ptr<PixelModel> model_;
  PredictOutcome outcome_;
};

/// Nothing is overwritten unasked, and results of different settings do not mix in one folder.
std::vector<PictureFile> Prediction::left_to_do(const std::vector<PictureFile>& pictures) {
  outcome_.scores.classes = classes_;
  outcome_.factor = settings_.factor;
  if (!fs::exists(output_.facts()) || request_.overwrite) return pictures;
  const std::string folder = output_.folder().string();
  if (!request_.go_on)
    throw Error(folder + " holds a prediction already",
                "--continue predicts what is missing, --overwrite starts anew, or name another folder.");
  Json there;
  try {
    there = Json::parse(read_file(output_.facts())).at("settings");
  } catch (const Json::exception& e) {
    throw Error(output_.facts().string() + " is not what nephron predict writes: " + e.what(),
                "Predict again with --overwrite.");
  }
  const Json wanted = Json::parse(settings_.str());
  for (const auto& [key, value] : wanted.items()) {
    const auto other = there.find(key);
    if (other == there.end() || *other != value)
      throw Error(folder + " was predicted with another " + key + ": " +
                      (other == there.end() ? "none" : other->dump()) + " there, " + value.dump() + " now",
                  "Use the same settings to continue, --overwrite to start anew, or name another folder.");
  }
  const Scores before = read_scores(output_.scores());
  std::vector<PictureFile> left;
  for (const PictureFile& picture : pictures) {
    const auto scored = before.pictures.find(picture.id);
    const bool known = scored != before.pictures.end() && settings_.search == !scored->second.curve.empty();
    const bool written = settings_.search ? output_.computed(picture.id) : output_.complete(picture.id);
    const bool finished =
        written && (known || request_.masks.empty() || !has_truth(request_.masks, picture.id, classes_));
    if (!finished) left.push_back(picture);
    else if (scored != before.pictures.end()) outcome_.scores.pictures.insert(*scored);
  }
  outcome_.skipped = static_cast<std::int64_t>(pictures.size() - left.size());
  return left;
}

Loaded Prediction::load(const PictureFile& picture) const {
  Loaded out;
  if (const auto slide = open_as_slide(picture.file, opener_)) {
    out.size = slide->size();
    out.fingerprint = fingerprint(*slide);
    out.reduced = read_reduced(*slide, settings_.factor);
  } else {
    const Image full = read_picture(picture.file);
    out.size = full.size();
    out.fingerprint =
        fingerprint(out.size, [&](const Region& region, const ImageView& to) { copy(full.view().crop(region), to); });
    out.reduced = reduce_picture(full, settings_.factor);
  }
  if (!request_.masks.empty()) {
    out.truth = read_truth(request_.masks, picture.id, classes_, out.size);
    if (out.truth.empty())
      log().warning("no mask for \"" + picture.id + "\" in " + request_.masks.string() + ": predicted without a Dice");
  }
  return out;
}

std::vector<Image> Prediction::compute(const Loaded& loaded, const std::string& id, Progress& progress,
                                       std::int64_t done) {
  Maps maps;
  TilingOptions tiling{settings_.tile, settings_.overlap, settings_.batch, {}};
  tiling.progress = [&](std::int64_t tiles, std::int64_t total) {
    progress.update(done, id + (total > 1 ? ", tile " + std::to_string(tiles) + "/" + std::to_string(total) : ""));
    if (interrupted()) throw Cancelled();
  };
  predict_tiled(PictureSource(loaded.reduced), *model_, tiling, maps);
  return std::move(maps.planes);
}

Written Prediction::write(const std::string& id, const Loaded& loaded, const std::vector<Image>& maps) const {
  Written out{id, {}};
  PictureScore score;
  for (std::size_t c = 0; c < maps.size(); ++c) {
    const ImageView& map = maps[c].view();
    const bool known = !loaded.truth.empty();
    const Image reduced_truth = known ? reduce_mask(loaded.truth[c], settings_.factor) : Image();
    const Image full = resize_map(map, loaded.size);
    save_png(output_.probability(c, id), to_bytes(full.view()).view());
    score.threshold.push_back(settings_.threshold);
    if (settings_.search) {  // the masks follow, when every picture has had its say
      const Image levels = levels_of(full.view());
      save_png(output_.levels(c, id), levels.view());
      if (!known) continue;
      score.curve.push_back(dice_curve(levels, loaded.truth[c]));
      score.curve_reduced.push_back(dice_curve(levels_of(map), reduced_truth));
      score.dice.push_back(0);
      score.dice_reduced.push_back(0);
      continue;
    }
    const Image mask = above(full.view(), settings_.threshold);
    save_png(output_.mask(c, id), mask.view());
    if (!known) continue;
    score.dice.push_back(dice_of(mask, loaded.truth[c]));
    score.dice_reduced.push_back(dice_of(above(map, settings_.threshold), reduced_truth));
  }
  const Json picture{{"size", {loaded.size.width, loaded.size.height}}, {"fingerprint", loaded.fingerprint}};
  write_file_atomically(output_.picture(id), picture.dump() + "\n");
  if (!loaded.truth.empty()) out.score = std::move(score);
  return out;
}

/// Masks of all pictures at the threshold that is best for them together.
void Prediction::apply_search(const std::vector<PictureFile>& pictures) {
  const std::vector<std::size_t> chosen = outcome_.scores.choose_thresholds();
  if (outcome_.scores.pictures.empty()) log().warning("no picture has a mask to search a threshold with: 0.5 is taken");
  write_scores(output_.scores(), outcome_.scores);
  Progress progress("masks", static_cast<std::int64_t>(pictures.size()));
  std::int64_t done = 0;
  for (const PictureFile& picture : pictures) {
    if (interrupted()) throw Cancelled();
    for (std::size_t c = 0; c < classes_.size() && output_.computed(picture.id); ++c)
      save_png(output_.mask(c, picture.id), mask_of(read_gray(output_.levels(c, picture.id)), chosen[c]).view());
    progress.update(++done);
  }
  progress.finish();
}

void Prediction::note_facts() const {
  Json facts{{"images", fs::absolute(request_.images).lexically_normal().string()},
             {"masks", request_.masks.empty() ? "" : fs::absolute(request_.masks).lexically_normal().string()},
             {"classes", classes_},
             {"device", request_.device}};
  if (const auto slides = trained_on(settings_.run, settings_.folds)) facts["trained_on"] = *slides;
  facts["settings"] = Json::parse(settings_.str());
  write_file_atomically(output_.facts(), facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Prediction::failed(const std::string& id, const std::exception& e) {
  if (request_.strict) throw Error("\"" + id + "\": " + e.what());
  log().error("\"" + id + "\" is left out: " + e.what());
  outcome_.scores.failures[id] = e.what();
}

void Prediction::collect(std::future<Written>& writing, const std::string& id) {
  if (!writing.valid()) return;
  try {
    Written written = writing.get();
    if (written.score) outcome_.scores.pictures[written.id] = std::move(*written.score);
    ++outcome_.predicted;
    if (settings_.search) outcome_.scores.choose_thresholds();  // what holds until the next picture
    write_scores(output_.scores(), outcome_.scores);
  } catch (const std::exception& e) {
    failed(id, e);
  }
}

/// The next picture is read and the last one written while this one is computed.
void Prediction::compute_all(const std::vector<PictureFile>& pictures) {
  Progress progress("predicting", static_cast<std::int64_t>(pictures.size()));
  const auto read_ahead = [&](std::size_t i) {
    return i < pictures.size() ? std::async(std::launch::async, [this, &pictures, i] { return load(pictures[i]); })
                               : std::future<Loaded>();
  };
  std::future<Loaded> reading = read_ahead(0);
  std::future<Written> writing;
  std::string writing_id;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::string& id = pictures[i].id;
    try {
      std::future<Loaded> current = std::exchange(reading, read_ahead(i + 1));
      auto loaded = std::make_shared<const Loaded>(current.get());
      auto maps =
          std::make_shared<const std::vector<Image>>(compute(*loaded, id, progress, static_cast<std::int64_t>(i)));
      collect(writing, writing_id);
      writing_id = id;
      writing = std::async(std::launch::async, [this, id, loaded, maps] { return write(id, *loaded, *maps); });
    } catch (const Cancelled&) {
      collect(writing, writing_id);  // what is computed is written
      throw;
    } catch (const std::exception& e) {
      failed(id, e);
    }
    progress.update(static_cast<std::int64_t>(i + 1));
  }
  collect(writing, writing_id);
  progress.finish();
}

PredictOutcome Prediction::run(const std::vector<PictureFile>& all) {
  const std::vector<PictureFile> pictures = left_to_do(all);
  output_.make(settings_.search);
  // What an earlier prediction left must not pass for this one's, should this one be interrupted.
  if (request_.overwrite)
    for (const PictureFile& picture : all) output_.remove(picture.id);
  note_facts();
  write_scores(output_.scores(), outcome_.scores);
  try {
    compute_all(pictures);
    if (settings_.search) apply_search(all);
  } catch (const Cancelled&) {
    log().warning(std::to_string(outcome_.skipped + outcome_.predicted) + " of " + std::to_string(all.size()) +
                  " pictures are finished; to go on, give the same command with --continue" +
                  (request_.overwrite ? " in place of --overwrite" : ""));
    throw;
  }
  write_scores(output_.scores(), outcome_.scores);
  return std::move(outcome_);
}

}  // namespace

PredictOutcome predict(const PredictRequest& request) {
  const RunFolder run = RunFolder::open(request.run);
  std::unique_ptr<Registry> registry;
  PluginSearch search;
  search.command_line = request.plugins;
  // Where training started does not matter any more: the checkpoint's weights replace those files, which may be gone.
  const std::vector<std::string> overrides{"model.weights=\"\"", "model.encoder.weights=\"\""};
  const Experiment experiment = load_experiment(run.experiment(), overrides, search, registry);
  PredictSettings settings = settle(request, run, experiment);
  const std::vector<PictureFile> pictures = list_pictures(request.images);
  require_prediction_memory(settings, experiment, *registry, parse_device(request.device));
  NetworkOptions options{request.device, settings.precision, settings.tta, experiment.train.threads};
  auto model = open_networks(experiment, *registry, settings.weights, options);
  tile_grid({settings.tile, settings.tile}, settings.tile, settings.overlap,
            model->multiple());  // says what is wrong before any work
  ReaderOpener opener(*registry);
  return Prediction(request, std::move(settings), experiment, opener, std::move(model)).run(pictures);
}

}  // namespace nephron::host
