#include <host/predict/predict.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>

#include <host/metrics/kept_measures.hpp>
#include <host/plugins/guard.hpp>
#include <host/predict/coco_of_all.hpp>
#include <host/predict/crew.hpp>
#include <host/predict/gathered_shares.hpp>
#include <host/predict/going_on.hpp>
#include <host/predict/member.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/output_lock.hpp>
#include <host/predict/picture_facts.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/picture_loader.hpp>
#include <host/predict/picture_loop.hpp>
#include <host/predict/predict_share.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/predict/shares.hpp>
#include <host/predict/submission.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/cancelled_and_told.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/job_plan.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/usage_error.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// Empty stays empty.
fs::path absolute_place(const fs::path& path) {
  return path.empty() ? fs::path() : fs::absolute(path).lexically_normal();
}

/// The pictures of a command: what is left of them to do, who does it, and what they came to together.
class Prediction final : public PictureOrders {
 public:
  Prediction(const PredictRequest& request, bool gathers, const std::vector<std::unique_ptr<Member>>& members,
             const PictureMetrics* metrics)
      : request_(request),
        gathers_(gathers),
        members_(members),
        settings_(members.front()->settings),
        metrics_(metrics),
        settings_text_(settings_text(members, request, metrics == nullptr ? "" : metrics->set.str())),
        classes_(members.front()->experiment.classes),
        loader_(*members.front()->loader),
        save_(request.save),
        output_(request.out, classes_) {}

  PredictOutcome run(const std::vector<PictureFile>& all);

  std::optional<PictureFile> next(bool) override;
  std::size_t left() const override { return pictures_.size() - given_; }
  void doing(const PictureFile& picture, double share, const std::string& what) override;
  void done(PictureResult result) override;
  void failed(const PictureFile& picture, const std::exception& why) override;

 private:
  /// What is being done of a picture, and the share that is done.
  struct UnderWay {
    double share = 0;
    std::string what;
  };

  void predict_all();
  void require_none_missing(std::size_t of) const;
  void left_to_do(const std::vector<PictureFile>& all);
  bool finished(const PictureFile& picture, const PredictionRecord& before) const;
  void begin(const std::vector<PictureFile>& all);
  void note_trained(const PictureFile& picture, const std::optional<SeenPicture>& seen);
  void say_trained(const std::vector<PictureFile>& all);
  void say_bare(const std::vector<PictureFile>& all) const;
  void apply_search(const std::vector<PictureFile>& pictures);
  void add_up_measures(const std::vector<PictureFile>& all);
  void note_facts(const std::vector<PictureFile>& all) const;
  void settled(const PictureFile& picture);
  void show();
  std::string how_to_go_on() const;

  const PredictRequest& request_;
  const bool gathers_;  ///< what others have predicted
  const std::vector<std::unique_ptr<Member>>& members_;
  const PredictSettings& settings_;  ///< of the first one, and what all share
  const PictureMetrics* metrics_;    ///< null: none
  std::string settings_text_;        ///< of all
  std::vector<std::string> classes_;
  const PictureLoader& loader_;
  std::vector<std::string> save_;  ///< what is written of all pictures
  OutputFolder output_;
  std::unique_ptr<Crew> crew_;         ///< null: this process predicts
  std::vector<PictureFile> pictures_;  ///< that are left to do
  std::size_t given_ = 0;              ///< of these, to whoever predicts them
  std::map<std::string, UnderWay> under_way_;
  std::map<std::string, std::string> gathered_failures_;  ///< why shares left pictures out
  std::map<std::string, SlideRow> measured_;              ///< those whose measures cannot be kept in files
  std::optional<Shares> shares_;
  std::optional<Progress> progress_;
  std::int64_t settled_ = 0;      ///< pictures that are done, or left out
  double share_ = 0;              ///< of all work: theirs
  std::size_t said_trained_ = 0;  ///< pictures that were said to have been trained on
  PredictOutcome outcome_;
};

/// All that a picture is asked for is there.
bool Prediction::finished(const PictureFile& picture, const PredictionRecord& before) const {
  const auto scored = before.scores.pictures.find(picture.id);
  const bool known = scored != before.scores.pictures.end() && settings_.search == !scored->second.curve.empty();
  const bool written =
      settings_.search ? output_.computed(picture.id, settings_.kept) : output_.complete(picture.id, settings_.kept);
  if (!written || !loader_.has_truth(picture.id)) return written;
  return known && (metrics_ == nullptr || read_measures(output_.measures(picture.id), metrics_->key, metrics_->set));
}

/// Nothing is overwritten unasked, and results of different settings do not mix in one folder.
void Prediction::left_to_do(const std::vector<PictureFile>& all) {
  outcome_.scores.classes = classes_;
  outcome_.reduced = settings_.mpp > 0 || settings_.factor > 1;
  pictures_ = all;
  if (!fs::exists(output_.facts()) || request_.overwrite) return;
  if (!request_.go_on && !gathers_)
    throw Error(output_.folder().string() + " holds a prediction already",
                "--continue predicts what is missing, --overwrite starts anew, or name another folder.");
  const PredictionRecord before = read_prediction(output_.folder());
  if (before.classes != classes_) throw Error(output_.folder().string() + " was predicted with other classes");
  require_equal_settings(before, output_.folder(), settings_text_, metrics_ != nullptr);
  require_equal_truth(before, output_.folder(), {absolute_place(request_.masks), request_.masks_as, request_.dataset});
  save_ = saved_of_both(output_.folder(), request_.save);
  pictures_.clear();
  for (const PictureFile& picture : all) {
    if (!finished(picture, before)) {
      pictures_.push_back(picture);
      continue;
    }
    output_.remove_rows(picture.id);  // a kill may have spared them
    note_trained(picture, read_seen(output_.picture(picture.id)));
    const auto scored = before.scores.pictures.find(picture.id);
    if (scored != before.scores.pictures.end()) outcome_.scores.pictures.insert(*scored);
  }
  outcome_.skipped = static_cast<std::int64_t>(all.size() - pictures_.size());
}

std::optional<PictureFile> Prediction::next(bool) {
  return given_ < pictures_.size() ? std::optional(pictures_[given_++]) : std::nullopt;
}

void Prediction::show() {
  double share = share_;
  std::string note;
  for (const auto& [id, at] : under_way_) {
    share += at.share * shares_->of(id);
    note += (note.empty() ? "" : "; ") + id + at.what;
  }
  progress_->update(settled_, note, share);
}

void Prediction::doing(const PictureFile& picture, double share, const std::string& what) {
  under_way_[picture.id] = {share, what};
  show();
}

void Prediction::settled(const PictureFile& picture) {
  under_way_.erase(picture.id);
  share_ += shares_->of(picture.id);
  ++settled_;
  show();
}

void Prediction::done(PictureResult result) {
  const std::string& id = result.picture.id;
  note_trained(result.picture, result.seen);
  if (result.score) outcome_.scores.pictures[id] = *std::move(result.score);
  if (result.measured) measured_[id] = *std::move(result.measured);
  ++outcome_.predicted;
  if (settings_.search) outcome_.scores.choose_thresholds();  // what holds until the next picture
  write_scores(output_.scores(), outcome_.scores);
  settled(result.picture);
}

void Prediction::failed(const PictureFile& picture, const std::exception& why) {
  if (request_.strict) throw Blamed("\"" + picture.id + "\": " + with_hint(why));
  log().error("\"" + picture.id + "\" is left out: " + with_hint(why));
  outcome_.scores.failures[picture.id] = why.what();
  settled(picture);
}

void Prediction::predict_all() {
  shares_.emplace(pictures_);
  progress_.emplace("predicting", static_cast<std::int64_t>(pictures_.size()));
  if (crew_ != nullptr) crew_->work_through(*this);
  else work_through(PictureWork(request_, members_, output_, metrics_), *this);
  progress_->finish();
}

/// Of a prediction that puts together what others have predicted.
void Prediction::require_none_missing(std::size_t of) const {
  std::vector<std::string> missing;
  for (const PictureFile& picture : pictures_)
    if (!gathered_failures_.contains(picture.id)) missing.push_back(picture.id);
  if (missing.empty()) return;
  throw Error(counted(missing.size(), "picture") + " of " + std::to_string(of) +
                  (missing.size() == 1 ? " was" : " were") + " predicted by no share (" + names_of(missing) +
                  "); the rest is in " + output_.folder().string(),
              "The same command with --continue in place of --gather predicts them here.");
}

/// Values of all pictures with a mask, and the tables: in the order of their ids, whoever predicted them and when.
void Prediction::add_up_measures(const std::vector<PictureFile>& all) {
  if (metrics_ == nullptr) return;
  MeasurePool pool(metrics_->set, classes_, std::vector<double>(classes_.size(), settings_.threshold));
  std::vector<SlideRow> rows;
  for (const PictureFile& picture : all) {
    if (!outcome_.scores.pictures.contains(picture.id)) continue;
    std::optional<KeptSlide> kept;
    if (const auto here = measured_.find(picture.id); here != measured_.end()) kept = KeptSlide{here->second, {}};
    else kept = read_measures(output_.measures(picture.id), metrics_->key, metrics_->set);
    if (!kept) continue;
    pool.add(kept->row.measures);
    kept->row.measures.details.clear();
    std::vector<MetricValue>& values = outcome_.scores.values_of[picture.id];
    for (const auto& metric : kept->row.measures.values) values.insert(values.end(), metric.begin(), metric.end());
    rows.push_back(std::move(kept->row));
  }
  outcome_.scores.values = pool.values();
  const TableText slides = slide_table(rows), objects = object_table(rows);
  write_file_atomically(output_.table("slides.csv"), slides.csv);
  write_file_atomically(output_.table("slides.jsonl"), slides.jsonl);
  write_file_atomically(output_.table("objects.csv"), objects.csv);
  write_file_atomically(output_.table("objects.jsonl"), objects.jsonl);
}

/// What an earlier prediction left must not pass for this one's, nor its scores for those of pictures that are gone.
void Prediction::begin(const std::vector<PictureFile>& all) {
  if (const int n = remove_leftovers(output_); n > 0)
    log().info("removed " + counted(static_cast<std::size_t>(n), "file", "files") +
               " that an interrupted prediction left half-written in " + output_.folder().string());
  output_.make(settings_.kept, settings_.search);
  if (!request_.overwrite) return;
  output_.remove_of_all();
  for (const PictureFile& picture : all) output_.remove(picture.id);
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
  const auto place = [](const fs::path& path) { return absolute_place(path).string(); };
  Json slides = Json::object();
  for (const PictureFile& slide : all)
    if (request_.images.empty()) slides[slide.id] = place(slide.file);
  Json facts{{"save", save_},
             {"images", place(request_.images)},
             {"slides", std::move(slides)},
             {"masks", place(request_.masks)},
             {"masks_as", request_.masks_as},
             {"dataset", request_.dataset},
             {"classes", classes_},
             {"device", request_.device}};
  if (const auto seen = trained_on_by(members_)) facts["trained_on"] = *seen;
  facts["settings"] = Json::parse(settings_text_);
  write_file_atomically(output_.facts(), facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
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

std::string Prediction::how_to_go_on() const {
  return std::string("give the same command with --continue") + (request_.overwrite ? " in place of --overwrite" : "");
}

PredictOutcome Prediction::run(const std::vector<PictureFile>& all) try {
  const OutputLock lock(output_.folder());
  if (gathers_) gathered_failures_ = gather_shares(output_);
  left_to_do(all);
  const JobPlan plan = JobPlan::of(request_.devices, request_.jobs, request_.device).for_pieces(pictures_.size());
  if (members_.front()->model == nullptr && !pictures_.empty() && !gathers_)
    crew_ = std::make_unique<Crew>(request_.command, plan, plan.threads(members_.front()->experiment.train.threads),
                                   classes_);
  for (const PictureFile& picture : pictures_) note_trained(picture, {});
  say_trained(all);
  say_bare(all);
  begin(all);
  note_facts(all);
  write_scores(output_.scores(), outcome_.scores);
  try {
    if (!pictures_.empty() && !gathers_) predict_all();
    outcome_.scores.failures.insert(gathered_failures_.begin(), gathered_failures_.end());
    if (settings_.search) apply_search(all);
  } catch (const Cancelled&) {
    const std::int64_t finished = outcome_.skipped + outcome_.predicted;
    add_up_measures(all);
    write_scores(output_.scores(), outcome_.scores);
    log().warning("interrupted: " + std::to_string(finished) + " of " + counted(all.size(), "picture", "pictures") +
                  (finished == 1 ? " is" : " are") + " finished; to go on, " + how_to_go_on());
    throw CancelledAndTold();
  }
  add_up_measures(all);
  write_scores(output_.scores(), outcome_.scores);
  if (settings_.kept.submission) write_submission(output_, all);
  if (settings_.kept.coco) write_coco_of_all(output_, all, classes_);
  say_trained(all);
  if (gathers_) require_none_missing(all.size());
  return std::move(outcome_);
} catch (const WriteError& e) {
  if (!fs::exists(output_.facts())) throw;  // nothing was begun
  throw WriteError(
      e.what(), e.hint() + (e.hint().empty() ? "" : " ") + "What is finished stays: to go on, " + how_to_go_on() + ".");
}

std::vector<PictureFile> of_share(const std::vector<PictureFile>& all, const WorkShare& share) {
  std::vector<PictureFile> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (share.has(i)) out.push_back(all[i]);
  return out;
}

}  // namespace

PredictOutcome predict(const PredictRequest& request) { return predict(request, {}); }

PredictOutcome predict(const PredictRequest& request, const PredictPart& part) {
  const bool one_process = !JobPlan::of(request.devices, request.jobs, request.device).several();
  const bool here = one_process && part.share.is_all() && !part.gather;
  const std::vector<std::unique_ptr<Member>> members =
      open_members(request, /*with_networks=*/one_process && !part.gather);
  const std::unique_ptr<const PictureMetrics> metrics = picture_metrics(request, *members.front());
  if (metrics != nullptr && !metrics->kept && !here)
    throw UsageError("measurements of " + names_of(metrics_that_cannot_be_kept(metrics->set)) +
                         " cannot be handed from one process to another",
                     "Leave the metric out, or predict in one process.");
  return Prediction(request, part.gather, members, metrics.get())
      .run(of_share(members.front()->loader->pictures(), part.share));
}

}  // namespace nephron::host
