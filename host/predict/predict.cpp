#include <host/predict/predict.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>

#include <host/metrics/kept_measures.hpp>
#include <host/plugins/guard.hpp>
#include <host/predict/chosen_networks.hpp>
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
#include <host/predict/picture_measures.hpp>
#include <host/predict/picture_progress.hpp>
#include <host/predict/predict_facts.hpp>
#include <host/predict/predict_share.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/predict/searched_masks.hpp>
#include <host/predict/submission.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/predict/trained_pictures.hpp>
#include <host/predict/waiting_room.hpp>
#include <host/train/memory.hpp>
#include <host/util/cancelled_and_told.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/job_plan.hpp>
#include <host/util/log.hpp>
#include <host/util/usage_error.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// The pictures of a command: what is left of them to do, who does it, and what they came to together.
class Prediction final : public PictureOrders {
 public:
  Prediction(const PredictRequest& request, const PredictPart& part,
             const std::vector<std::unique_ptr<Member>>& members, const PictureMetrics* metrics)
      : request_(request),
        gathers_(part.gather),
        is_all_(part.share.is_all()),
        members_(members),
        settings_(members.front()->settings),
        metrics_(metrics),
        settings_text_(settings_text(members, request, metrics == nullptr ? "" : metrics->set.str())),
        classes_(members.front()->experiment.classes),
        loader_(*members.front()->loader),
        save_(request.save),
        output_(request.out, classes_),
        trained_(members, outcome_.scores) {
    if (metrics != nullptr) measures_.emplace(*metrics, output_, settings_, classes_, request.dataset);
  }

  PredictOutcome run(const std::vector<PictureFile>& all);

  std::optional<PictureFile> next(bool) override;
  std::size_t left() const override { return pictures_.size() - given_; }
  void doing(const PictureFile& picture, double share, const std::string& what) override {
    progress_->doing(picture.id, share, what);
  }
  void done(PictureResult result) override;
  void failed(const PictureFile& picture, const std::exception& why) override;

 private:
  void require_room() const;
  void hire();
  void predict_all();
  std::vector<std::string> missing() const;
  void require_none_missing(std::size_t of) const;
  void left_to_do(const std::vector<PictureFile>& all);
  bool finished(const PictureFile& picture, const PredictionRecord& before) const;
  void begin(const std::vector<PictureFile>& all);
  void require_apart_of_dataset(const std::vector<PictureFile>& all) const;
  void say_bare(const std::vector<PictureFile>& all) const;
  void apply_search(const std::vector<PictureFile>& pictures);
  std::vector<double> thresholds();
  void measure_searched(const std::vector<PictureFile>& all);
  void predict_again(const std::vector<PictureFile>& pictures);
  void add_up_measures(const std::vector<PictureFile>& all);
  std::string origin_of_all();
  std::string how_to_go_on() const;

  const PredictRequest& request_;
  const bool gathers_;  ///< what others have predicted
  const bool is_all_;   ///< no share of the pictures alone
  const std::vector<std::unique_ptr<Member>>& members_;
  const PredictSettings& settings_;  ///< of the first one, and what all share
  const PictureMetrics* metrics_;    ///< null: none
  std::string settings_text_;        ///< of all
  std::vector<std::string> classes_;
  const PictureLoader& loader_;
  std::vector<std::string> save_;  ///< what is written of all pictures
  OutputFolder output_;
  std::unique_ptr<Crew> crew_;                            ///< null: this process predicts
  std::vector<PictureFile> pictures_;                     ///< that are left to do
  std::size_t given_ = 0;                                 ///< of these, to whoever predicts them
  std::map<std::string, std::string> gathered_failures_;  ///< why shares left pictures out
  std::optional<PictureMeasures> measures_;               ///< where metrics are asked for
  std::optional<PictureProgress> progress_;
  PredictOutcome outcome_;
  TrainedPictures trained_;
};

/// All that a picture is asked for is there.
bool Prediction::finished(const PictureFile& picture, const PredictionRecord& before) const {
  const auto scored = before.scores.pictures.find(picture.id);
  const bool known = scored != before.scores.pictures.end() && settings_.search == !scored->second.curve.empty();
  const bool written =
      settings_.search ? output_.computed(picture.id, settings_.kept) : output_.complete(picture.id, settings_.kept);
  if (!written || !loader_.has_truth(picture.id)) return written;
  return known && (!measures_ || measures_->has(picture.id));
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
    trained_.note(picture, read_seen(output_.picture(picture.id)));
    const auto scored = before.scores.pictures.find(picture.id);
    if (scored != before.scores.pictures.end()) outcome_.scores.pictures.insert(*scored);
  }
  outcome_.skipped = static_cast<std::int64_t>(all.size() - pictures_.size());
}

std::optional<PictureFile> Prediction::next(bool) {
  return given_ < pictures_.size() ? std::optional(pictures_[given_++]) : std::nullopt;
}

void Prediction::done(PictureResult result) {
  const std::string& id = result.picture.id;
  trained_.note(result.picture, result.seen);
  if (result.score) outcome_.scores.pictures[id] = *std::move(result.score);
  if (result.measured) measures_->take(id, *std::move(result.measured));
  ++outcome_.predicted;
  if (settings_.search) outcome_.scores.choose_thresholds();  // what holds until the next picture
  write_scores(output_.scores(), outcome_.scores);
  progress_->settled(id);
}

void Prediction::failed(const PictureFile& picture, const std::exception& why) {
  if (request_.strict) throw Blamed("\"" + picture.id + "\": " + with_hint(why));
  log().error("\"" + picture.id + "\" is left out: " + with_hint(why));
  outcome_.scores.failures[picture.id] = why.what();
  progress_->settled(picture.id);
}

void Prediction::require_room() const {
  if (measures_ && settings_.search && !gathers_) require_room_to_wait(pictures_, members_, output_);
}

/// Where several processes predict, they say whether they can before anything is written.
void Prediction::hire() {
  if (members_.front()->model != nullptr || pictures_.empty() || gathers_) return;
  const JobPlan plan = JobPlan::of(request_.devices, request_.jobs, request_.device).for_pieces(pictures_.size());
  crew_ = std::make_unique<Crew>(request_.command, chosen_networks(members_, settings_text_), plan,
                                 plan.threads(members_.front()->experiment.train.threads), classes_);
}

void Prediction::predict_all() {
  given_ = 0;
  progress_.emplace(pictures_);
  if (crew_ != nullptr) crew_->work_through(*this);
  else work_through(PictureWork(request_, members_, output_, metrics_), *this);
  progress_->finish();
}

/// What a prediction that puts together what others have predicted has none of.
std::vector<std::string> Prediction::missing() const {
  std::vector<std::string> out;
  for (const PictureFile& picture : pictures_)
    if (!gathered_failures_.contains(picture.id)) out.push_back(picture.id);
  return out;
}

void Prediction::require_none_missing(std::size_t of) const {
  const std::vector<std::string> missing = this->missing();
  if (missing.empty()) return;
  throw Error(counted(missing.size(), "picture") + " of " + std::to_string(of) +
                  (missing.size() == 1 ? " was" : " were") + " predicted by no share (" + names_of(missing) +
                  "); the rest is in " + output_.folder().string(),
              "The same command with --continue in place of --gather predicts them here.");
}

/// That pictures are measured at, a class each: of a search, what is found so far.
std::vector<double> Prediction::thresholds() {
  std::vector<double> out = settings_.thresholds;
  if (!settings_.search) return out;
  const std::vector<std::size_t> chosen = outcome_.scores.choose_thresholds();
  std::transform(chosen.begin(), chosen.end(), out.begin(), [](std::size_t i) { return searched_thresholds[i]; });
  return out;
}

/// Once the thresholds of a search are found. Where pictures were added to a prediction that was finished, they may be
/// others than those that the rest was measured at, whose rows nobody kept: it is predicted again.
void Prediction::measure_searched(const std::vector<PictureFile>& all) {
  if (!measures_ || !is_all_ || (gathers_ && !missing().empty())) return;  // others may come, and change the thresholds
  PictureMeasures::Measured measured = measures_->measure(all, outcome_.scores, thresholds());
  if (!measured.at_others.empty() && gathers_)
    throw Error(counted(measured.at_others.size(), "picture") + " of " + output_.folder().string() +
                    " had been measured at other thresholds than those that are best for all together",
                "The same command with --continue in place of --gather predicts and measures them again.");
  if (!measured.at_others.empty()) {
    predict_again(measured.at_others);
    measured.failures.merge(measures_->measure(measured.at_others, outcome_.scores, thresholds()).failures);
  }
  for (const auto& [id, why] : measured.failures) {
    if (request_.strict) throw Blamed("\"" + id + "\": " + why);
    log().error("\"" + id + "\" is not measured: " + why);
    outcome_.scores.failures[id] = why;
  }
}

void Prediction::predict_again(const std::vector<PictureFile>& pictures) {
  log().info(counted(pictures.size(), "picture") + (pictures.size() == 1 ? " is" : " are") +
             " predicted again, whose measures are damaged, or of other thresholds than those that are best for all");
  outcome_.skipped -= static_cast<std::int64_t>(pictures.size());
  pictures_ = pictures;
  require_room();
  hire();
  predict_all();
}

void Prediction::add_up_measures(const std::vector<PictureFile>& all) {
  if (measures_) measures_->add_up(all, thresholds(), outcome_.scores);
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
  write_searched_masks(output_, settings_.kept, classes_, pictures, chosen, PredictionOrigin(members_, settings_text_));
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

std::string Prediction::origin_of_all() {
  const std::string origin = PredictionOrigin(members_, settings_text_).of("");
  return settings_.search ? origin_at(origin, thresholds()) : origin;
}

std::string Prediction::how_to_go_on() const {
  if (!is_all_ || gathers_) return "give the same command again";  // these go on by themselves, and take no --continue
  return std::string("give the same command with --continue") + (request_.overwrite ? " in place of --overwrite" : "");
}

/// Results of a dataset lie beside its files, not around them. The folders and files that a person named were looked at
/// before.
void Prediction::require_apart_of_dataset(const std::vector<PictureFile>& all) const {
  if (request_.dataset.empty()) return;
  std::vector<fs::path> files;
  for (const PictureFile& picture : all) files.push_back(picture.file);
  require_output_folder(output_.folder(), files);
}

PredictOutcome Prediction::run(const std::vector<PictureFile>& all) try {
  require_apart_of_dataset(all);
  const OutputLock lock(output_.folder());
  if (gathers_) gathered_failures_ = gather_shares(output_);
  left_to_do(all);
  require_room();
  hire();
  for (const PictureFile& picture : pictures_) trained_.note(picture, {});
  trained_.tell(all.size());
  say_bare(all);
  begin(all);
  write_predict_facts(output_, request_, all, members_, save_, settings_text_);
  write_scores(output_.scores(), outcome_.scores);
  try {
    if (!pictures_.empty() && !gathers_) predict_all();
    outcome_.scores.failures.insert(gathered_failures_.begin(), gathered_failures_.end());
    if (settings_.search) {
      apply_search(all);
      measure_searched(all);
    }
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
  if (settings_.kept.coco) write_coco_of_all(output_, all, classes_, origin_of_all());
  trained_.tell(all.size());
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
  share_one_heap();
  const bool one_process = !JobPlan::of(request.devices, request.jobs, request.device).several();
  const bool here = one_process && part.share.is_all() && !part.gather;
  const std::vector<std::unique_ptr<Member>> members =
      open_members(request, /*with_networks=*/one_process && !part.gather);
  const std::unique_ptr<const PictureMetrics> metrics = picture_metrics(request, *members.front());
  if (metrics != nullptr && !metrics->kept && !here)
    throw UsageError("measurements of " + names_of(metrics_that_cannot_be_kept(metrics->set)) +
                         " cannot be handed from one process to another",
                     "Leave the metric out, or predict in one process.");
  return Prediction(request, part, members, metrics.get())
      .run(of_share(members.front()->loader->pictures(), part.share));
}

}  // namespace nephron::host
