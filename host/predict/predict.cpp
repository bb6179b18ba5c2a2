#include <host/predict/predict.hpp>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/predict/joined_rows.hpp>
#include <host/predict/kept_rows.hpp>
#include <host/predict/member.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/output_lock.hpp>
#include <host/predict/picture_facts.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/picture_loader.hpp>
#include <host/predict/picture_outputs.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/predict/rows_behind.hpp>
#include <host/predict/shares.hpp>
#include <host/predict/submission.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/tiling/tiled.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

struct Written {
  PictureFile picture;
  SeenPicture seen;
  std::optional<PictureScore> score;
};

/// A picture whose probabilities are there.
struct Job {
  std::shared_ptr<const LoadedPicture> loaded;
  std::shared_ptr<PictureOutputs> outputs;
  std::vector<std::unique_ptr<KeptRows>> kept{};  ///< of a large one, and of several members
};

/// An error that names its picture already.
class Blamed final : public Error {
 public:
  using Error::Error;
};

class Prediction {
 public:
  Prediction(const PredictRequest& request, const std::vector<std::unique_ptr<Member>>& members)
      : request_(request),
        members_(members),
        settings_(members.front()->settings),
        settings_text_(settings_text(members, request)),
        classes_(members.front()->experiment.classes),
        exclusive_(members.front()->experiment.exclusive),
        loader_(*members.front()->loader),
        output_(request.out, classes_) {}

  PredictOutcome run(const std::vector<PictureFile>& all);

 private:
  void compute_all(const std::vector<PictureFile>& pictures);
  std::vector<PictureFile> left_to_do(const std::vector<PictureFile>& pictures);
  void require_equal_settings(const PredictionRecord& before) const;
  void begin(const std::vector<PictureFile>& all);
  void note_trained(const PictureFile& picture, const std::optional<SeenPicture>& seen);
  void say_trained(const std::vector<PictureFile>& all);
  void say_bare(const std::vector<PictureFile>& all) const;
  /// member, its tiles that are done, all of them
  using Told = std::function<void(std::size_t, std::int64_t, std::int64_t)>;
  Job compute(const PictureFile& picture, std::shared_ptr<const LoadedPicture> loaded, const Told& told);
  KeptRows rows_of(const PictureFile& picture, std::size_t member, const LoadedPicture& loaded) const;
  void ask(std::size_t member, const LoadedPicture& loaded, std::int64_t from_row, const Told& told,
           ProbabilitySink& sink);
  Written write(const PictureFile& picture, Job& job) const;
  void require_room(const LoadedPicture& loaded) const;
  void apply_search(const std::vector<PictureFile>& pictures);
  void note_facts(const std::vector<PictureFile>& all) const;
  void collect(std::future<Written>& writing, const std::string& id);
  void failed(const std::string& id, const std::exception& e);

  const PredictRequest& request_;
  const std::vector<std::unique_ptr<Member>>& members_;
  const PredictSettings& settings_;  ///< of the first one, and what all share
  std::string settings_text_;        ///< of all
  std::vector<std::string> classes_;
  bool exclusive_;
  const PictureLoader& loader_;
  OutputFolder output_;
  std::size_t said_trained_ = 0;  ///< pictures that were said to have been trained on
  PredictOutcome outcome_;
};

void Prediction::require_equal_settings(const PredictionRecord& before) const {
  const Json wanted = Json::parse(settings_text_);
  for (const auto& [key, value] : wanted.items()) {
    const auto other = std::find_if(before.settings.begin(), before.settings.end(),
                                    [&, &name = key](const auto& setting) { return setting.first == name; });
    const bool there = other != before.settings.end();
    if (!there || other->second != value.dump())
      throw Error(output_.folder().string() + " was predicted with another " + key + ": " +
                      (there ? other->second : "none") + " there, " + value.dump() + " now",
                  "Use the same settings to continue, --overwrite to start anew, or name another folder.");
  }
}

/// Nothing is overwritten unasked, and results of different settings do not mix in one folder.
std::vector<PictureFile> Prediction::left_to_do(const std::vector<PictureFile>& pictures) {
  outcome_.scores.classes = classes_;
  outcome_.reduced = settings_.mpp > 0 || settings_.factor > 1;
  if (!fs::exists(output_.facts()) || request_.overwrite) return pictures;
  if (!request_.go_on)
    throw Error(output_.folder().string() + " holds a prediction already",
                "--continue predicts what is missing, --overwrite starts anew, or name another folder.");
  const PredictionRecord before = read_prediction(output_.folder());
  if (before.classes != classes_) throw Error(output_.folder().string() + " was predicted with other classes");
  require_equal_settings(before);
  std::vector<PictureFile> left;
  for (const PictureFile& picture : pictures) {
    const auto scored = before.scores.pictures.find(picture.id);
    const bool known = scored != before.scores.pictures.end() && settings_.search == !scored->second.curve.empty();
    const bool written =
        settings_.search ? output_.computed(picture.id, settings_.kept) : output_.complete(picture.id, settings_.kept);
    const bool finished = written && (known || !loader_.has_truth(picture.id));
    if (!finished) {
      left.push_back(picture);
      continue;
    }
    note_trained(picture, read_seen(output_.picture(picture.id)));
    if (scored != before.scores.pictures.end()) outcome_.scores.pictures.insert(*scored);
  }
  outcome_.skipped = static_cast<std::int64_t>(pictures.size() - left.size());
  return left;
}

/// Said before hours are spent. Maps of tissue pack four times at least.
void Prediction::require_room(const LoadedPicture& loaded) const {
  if (!settings_.kept.maps) return;
  const std::int64_t bytes = settings_.kept.format == MapFormat::halves ? 2 : 1;
  const auto classes = static_cast<int>(classes_.size());
  std::int64_t need = loaded.size.area() * classes * bytes / 4;
  if (const Size reduced = loaded.reduced->size(); has_many_tiles(reduced, settings_))
    need += static_cast<std::int64_t>(members_.size()) * KeptRows::bytes_of(reduced, classes);
  std::error_code unknown;
  const fs::space_info disk = fs::space(output_.folder(), unknown);
  if (!unknown && disk.available < static_cast<std::uintmax_t>(need))
    throw Error("the maps of a picture of " + std::to_string(loaded.size.width) + " x " +
                    std::to_string(loaded.size.height) + " px need up to " + std::to_string(need >> 20) + " MB, and " +
                    output_.folder().string() + " has " + std::to_string(disk.available >> 20) + " MB left",
                "Without \"maps\" in --save, masks and runs take a small part of it; or name another folder.");
}

/// Opens the rows of a picture that a member computed before; what they depend on is their key.
KeptRows Prediction::rows_of(const PictureFile& picture, std::size_t member, const LoadedPicture& loaded) const {
  const PredictSettings& settings = members_[member]->settings;
  const std::string key =
      settings.str() + " of " + loaded.fingerprint + " in batches of " + std::to_string(settings.batch);
  KeptRows rows(output_.under_way(picture.id, member), key, loaded.reduced->size(), static_cast<int>(classes_.size()));
  if (rows.rows_there() > 0)
    log().info("\"" + picture.id + "\" goes on below row " + std::to_string(rows.rows_there()) + " of " +
               std::to_string(rows.size().height));
  return rows;
}

/// What one member says of a picture, into `sink`.
void Prediction::ask(std::size_t member, const LoadedPicture& loaded, std::int64_t from_row, const Told& told,
                     ProbabilitySink& sink) {
  const PredictSettings& settings = members_[member]->settings;
  TilingOptions tiling{settings.cut(), settings.overlap, settings.batch, {}};
  tiling.as_reference = settings.as_reference;
  tiling.from_row = from_row;
  tiling.wanted = [&](const Region& tile) { return !loaded.glass.only(tile); };
  tiling.progress = [&](std::int64_t tiles, std::int64_t total) { told(member, tiles, total); };
  predict_tiled(*loaded.reduced, *members_[member]->model, tiling, sink);
}

Job Prediction::compute(const PictureFile& picture, std::shared_ptr<const LoadedPicture> loaded, const Told& told) {
  const auto classes = static_cast<int>(classes_.size());
  const bool several = members_.size() > 1;
  Job job{loaded, nullptr, {}};
  job.outputs = std::make_shared<PictureOutputs>(
      output_, settings_.kept, MaskRule{exclusive_, settings_.search, request_.vote ? 0.5 : settings_.threshold},
      classes_,
      OutputPicture{picture.id, picture.file.filename().string(), loaded->size, loaded->mpp, loaded->truth,
                    several ? Reduction(1) : loaded->reduction});
  RowsBehind behind(*job.outputs);
  if (several) {
    std::vector<SaidRows> said;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      const LoadedPicture own = m == 0 ? LoadedPicture() : members_[m]->loader->load(picture);
      const LoadedPicture& seen = m == 0 ? *loaded : own;
      KeptRows& rows = *job.kept.emplace_back(std::make_unique<KeptRows>(rows_of(picture, m, seen)));
      if (rows.rows_there() < rows.size().height) ask(m, seen, rows.rows_there(), told, rows);
      said.push_back({&rows, members_[m]->share});
    }
    join_rows(std::move(said), loaded->size, classes, request_.vote ? std::optional(settings_.threshold) : std::nullopt,
              behind);
  } else if (has_many_tiles(loaded->reduced->size(), settings_)) {
    KeptRows& rows = *job.kept.emplace_back(std::make_unique<KeptRows>(rows_of(picture, 0, *loaded)));
    behind.begin(rows.size(), classes);
    rows.give_to(behind);
    ask(0, *loaded, rows.rows_there(), told, rows);
  } else {
    ask(0, *loaded, 0, told, behind);
  }
  behind.finish();
  return job;
}

Written Prediction::write(const PictureFile& picture, Job& job) const {
  const std::string& id = picture.id;
  const LoadedPicture& loaded = *job.loaded;
  Written out{picture, {loaded.reduction, loaded.reduced->digest()}, job.outputs->finish()};
  write_picture_facts(output_.picture(id), {loaded.size, loaded.mpp, loaded.fingerprint, out.seen});
  if (out.score) {
    out.score->picture = out.seen.digest;
    out.score->masks = loaded.truth->digest();
  }
  for (const auto& rows : job.kept) rows->remove();
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
    if (output_.computed(picture.id, settings_.kept))
      write_masks_of_levels(output_, settings_.kept, classes_,
                            {picture.id, picture.file.filename().string(), {}, read_mpp(output_.picture(picture.id))},
                            chosen);
    progress.update(++done);
  }
  progress.finish();
}

void Prediction::note_facts(const std::vector<PictureFile>& all) const {
  const auto place = [](const fs::path& path) {
    return path.empty() ? std::string() : fs::absolute(path).lexically_normal().string();
  };
  Json slides = Json::object();
  for (const PictureFile& slide : all)
    if (request_.images.empty()) slides[slide.id] = place(slide.file);
  Json facts{{"images", place(request_.images)}, {"slides", std::move(slides)}, {"masks", place(request_.masks)},
             {"dataset", request_.dataset},      {"classes", classes_},         {"device", request_.device}};
  if (const auto seen = trained_on_by(members_)) facts["trained_on"] = *seen;
  facts["settings"] = Json::parse(settings_text_);
  write_file_atomically(output_.facts(), facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Prediction::failed(const std::string& id, const std::exception& e) {
  if (request_.strict) throw Blamed("\"" + id + "\": " + with_hint(e));
  log().error("\"" + id + "\" is left out: " + with_hint(e));
  outcome_.scores.failures[id] = e.what();
}

void Prediction::collect(std::future<Written>& writing, const std::string& id) {
  if (!writing.valid()) return;
  try {
    Written written = writing.get();
    note_trained(written.picture, written.seen);
    if (written.score) outcome_.scores.pictures[written.picture.id] = std::move(*written.score);
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
  const Shares shares(pictures);
  const auto read_ahead = [&](std::size_t i) {
    return i < pictures.size()
               ? std::async(std::launch::async, [this, &pictures, i] { return loader_.load(pictures[i]); })
               : std::future<LoadedPicture>();
  };
  std::future<LoadedPicture> reading = read_ahead(0);
  std::future<Written> writing;
  std::string writing_id;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::string& id = pictures[i].id;
    const Told told = [&](std::size_t member, std::int64_t tiles, std::int64_t total) {
      std::string note = total > 1 ? ", tile " + std::to_string(tiles) + "/" + std::to_string(total) : "";
      if (members_.size() > 1) note += " of run " + std::to_string(member + 1) + "/" + std::to_string(members_.size());
      const double part = static_cast<double>(member) + static_cast<double>(tiles) / static_cast<double>(total);
      progress.update(static_cast<std::int64_t>(i), id + note,
                      shares.done(i, part / static_cast<double>(members_.size())));
      if (interrupted()) throw Cancelled();
    };
    try {
      std::future<LoadedPicture> current = std::exchange(reading, read_ahead(i + 1));
      auto loaded = std::make_shared<const LoadedPicture>(current.get());
      require_room(*loaded);
      Job job = compute(pictures[i], std::move(loaded), told);
      collect(writing, std::exchange(writing_id, id));
      writing = std::async(std::launch::async, [this, &picture = pictures[i], job = std::move(job)]() mutable {
        return write(picture, job);
      });
    } catch (const Cancelled&) {
      collect(writing, writing_id);  // what is computed is written
      throw;
    } catch (const Blamed&) {
      throw;
    } catch (const std::exception& e) {
      collect(writing, writing_id);  // its own failure comes first
      failed(id, e);
    }
    progress.update(static_cast<std::int64_t>(i + 1), {}, shares.done(i, 1));
  }
  collect(writing, writing_id);
  progress.finish();
}

/// What an earlier prediction left must not pass for this one's, nor its scores for those of pictures that are gone.
void Prediction::begin(const std::vector<PictureFile>& all) {
  if (const int n = remove_leftovers(output_); n > 0)
    log().info("removed " + counted(static_cast<std::size_t>(n), "file", "files") +
               " that an interrupted prediction left half-written in " + output_.folder().string());
  output_.make(settings_.kept, settings_.search);
  if (!request_.overwrite) return;
  std::error_code ignored;
  fs::remove(output_.scores(), ignored);
  for (const PictureFile& picture : all) output_.remove(picture.id);
}

void Prediction::note_trained(const PictureFile& picture, const std::optional<SeenPicture>& seen) {
  for (const auto& member : members_) {
    if (auto found = member->trained->find(picture, seen)) {
      outcome_.scores.trained_on[picture.id] = *std::move(found);
      return;
    }
  }
}

/// Before work begins, of what files tell; at its end, when pixels told more.
void Prediction::say_trained(const std::vector<PictureFile>& all) {
  std::vector<std::string> known;
  for (const auto& [id, how] : outcome_.scores.trained_on) known.push_back(id);
  if (known.size() > said_trained_)
    log().warning(std::to_string(known.size()) + " of " + counted(all.size(), "picture", "pictures") +
                  (known.size() == 1 ? " was" : " were") + " trained on (" + names_of(known) +
                  "): what is predicted there says nothing of new pictures");
  said_trained_ = known.size();
}

/// Said once, before work begins.
void Prediction::say_bare(const std::vector<PictureFile>& all) const {
  if (!loader_.compares()) return;
  std::vector<std::string> bare;
  for (const PictureFile& picture : all)
    if (!loader_.has_truth(picture.id)) bare.push_back(picture.id);
  if (!bare.empty())
    log().warning("no mask for " + std::to_string(bare.size()) + " of " + counted(all.size(), "picture", "pictures") +
                  " (" + names_of(bare) + "), predicted without a Dice; looked for " +
                  loader_.looked_for(bare.front()));
}

PredictOutcome Prediction::run(const std::vector<PictureFile>& all) {
  const OutputLock lock(output_.folder());
  const std::vector<PictureFile> pictures = left_to_do(all);
  for (const PictureFile& picture : pictures) note_trained(picture, {});
  say_trained(all);
  say_bare(all);
  begin(all);
  note_facts(all);
  write_scores(output_.scores(), outcome_.scores);
  try {
    compute_all(pictures);
    if (settings_.search) apply_search(all);
  } catch (const Cancelled&) {
    const std::int64_t finished = outcome_.skipped + outcome_.predicted;
    log().warning(std::to_string(finished) + " of " + counted(all.size(), "picture", "pictures") +
                  (finished == 1 ? " is" : " are") + " finished; to go on, give the same command with --continue" +
                  (request_.overwrite ? " in place of --overwrite" : ""));
    throw;
  }
  write_scores(output_.scores(), outcome_.scores);
  if (settings_.kept.submission) write_submission(output_, all);
  say_trained(all);
  return std::move(outcome_);
}

}  // namespace

PredictOutcome predict(const PredictRequest& request) {
  const std::vector<std::unique_ptr<Member>> members = open_members(request);
  return Prediction(request, members).run(members.front()->loader->pictures());
}

}  // namespace nephron::host
