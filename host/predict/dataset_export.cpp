#include <host/predict/dataset_export.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>

#include <host/data/listed_files.hpp>
#include <host/data/prepared.hpp>
#include <host/pictures/png_rows.hpp>
#include <host/plugins/guard.hpp>
#include <host/predict/chosen_dataset.hpp>
#include <host/predict/export_source.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/truth.hpp>
#include <host/util/cancelled_and_told.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/slide_file_name.hpp>
#include <host/util/thread_pool.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Where a slide goes: its picture, and a mask a class.
struct Outputs {
  fs::path picture;
  std::vector<fs::path> masks;
  fs::path ignored;  ///< where its annotation ignores pixels; empty: a class has the folder's name
};

Outputs outputs_of(const SlideInfo& slide, const std::vector<std::string>& classes, const fs::path& out) {
  const std::string file = file_name_of_slide(slide.id) + ".png";
  Outputs o{out / "images" / file, {}, {}};
  for (const std::string& name : classes)
    o.masks.push_back(classes.size() == 1 ? out / "masks" / file : out / "masks" / folder_name(name) / file);
  if (const std::string name = ignored_folder(classes); !name.empty()) o.ignored = out / "masks" / name / file;
  return o;
}

/// That everything may be written, before pixels are read.
void require_outputs(const Listing& listing, const ExportRequest& request) {
  const std::vector<fs::path> inputs = files_of(listing);
  const auto name_of_slide = [&](const Listing::Entry& entry) {
    return "slide \"" + entry.info.id + "\" of dataset \"" + listing.dataset_name(entry.dataset) + "\"";
  };
  std::map<fs::path, std::string> pictures;
  for (const Listing::Entry& entry : listing.slides()) {
    const Outputs outputs = outputs_of(entry.info, listing.experiment().classes, request.out);
    const auto [other, fresh] = pictures.try_emplace(outputs.picture, name_of_slide(entry));
    if (!fresh)
      throw Error(
          other->second + " and " + name_of_slide(entry) + " would both be written as " + outputs.picture.string(),
          "choose one dataset with --dataset, and a folder for each");
    require_output(outputs.picture, request.overwrite, inputs);
    for (const fs::path& mask : outputs.masks) require_output(mask, request.overwrite, inputs);
    if (!outputs.ignored.empty()) require_output(outputs.ignored, request.overwrite, inputs);
  }
}

/// The files of a slide, which appear together, once all rows were given.
class SlideFiles {
 public:
  SlideFiles(const Outputs& outputs, const ExportSource& slide) {
    const auto open = [&](const fs::path& file, int channels) {
      make_folder(file.parent_path());
      files_.push_back(std::make_unique<PngRows>(
          file, slide.size(), Depth::u8,
          PngOptions{.filter = channels == 3 ? PngFilter::sub : PngFilter::up, .channels = channels}));
    };
    open(outputs.picture, 3);
    if (!slide.annotated()) return;
    for (const fs::path& mask : outputs.masks) open(mask, 1);
    ignores_ = slide.ignores() && !outputs.ignored.empty();
    if (ignores_) open(outputs.ignored, 1);
  }
  void write(const ExportSource::Rows& rows) {
    files_.front()->write(rows.picture.view());
    const std::size_t masks = files_.size() - 1 - (ignores_ ? 1 : 0);
    for (std::size_t c = 0; c < masks; ++c) files_[1 + c]->write(rows.masks.of_class.at(c).view());
    if (!ignores_) return;
    const Image none = rows.masks.ignored.empty() ? Image(rows.picture.size(), 1) : Image();
    files_.back()->write(none.empty() ? rows.masks.ignored.view() : none.view());
  }
  void finish() {
    for (const auto& file : files_) file->finish();
  }

 private:
  std::vector<std::unique_ptr<PngRows>> files_;  ///< the picture, a mask a class, what is ignored
  bool ignores_ = false;
};

/// The slides of a listing on their way into files, several at a time.
class Export {
 public:
  Export(const Listing& listing, const PreparedData* store, const ExportRequest& request)
      : listing_(listing), store_(store), request_(request), progress_("writing slides", count()) {
    for (std::size_t i = 0; i < listing.slides().size(); ++i) pixels_ += area(i);
  }

  ExportOutcome run() {
    try {
      thread_pool().parallel_for(static_cast<std::size_t>(count()), [this](std::size_t i) { one(i); });
    } catch (const Cancelled&) {
      log().warning("interrupted: " + counted(static_cast<std::uint64_t>(outcome_.slides), "slide") + " of " +
                    std::to_string(count()) + " are whole in " + request_.out.string() + ", and stay");
      throw CancelledAndTold();
    }
    progress_.finish();
    for (auto& [i, problem] : problems_) outcome_.problems.push_back(std::move(problem));
    return std::move(outcome_);
  }

 private:
  std::int64_t count() const {
    return static_cast<std::int64_t>(store_ != nullptr ? store_->slides.size() : listing_.slides().size());
  }
  /// Of what is read for a slide, about; datasets need not say it.
  double area(std::size_t i) const {
    const Size size = store_ != nullptr ? store_->slides.at(i)->size() : listing_.slides()[i].info.size;
    return static_cast<double>(std::max<std::int64_t>(1, size.area()));
  }

  void one(std::size_t i) {
    const std::vector<std::string>& classes = listing_.experiment().classes;
    std::string problem;
    bool annotated = false;
    try {
      const std::unique_ptr<ExportSource> slide = store_ != nullptr
                                                      ? source_of_prepared(store_->slides[i], classes.size())
                                                      : source_of_file(listing_, listing_.slides()[i]);
      const SlideInfo& info = store_ != nullptr ? store_->slides[i]->info() : listing_.slides()[i].info;
      write(*slide, outputs_of(info, classes, request_.out), area(i));
      annotated = slide->annotated();
    } catch (const Cancelled&) {
      throw;
    } catch (const WriteError&) {
      throw;
    } catch (const std::exception& e) {
      if (store_ == nullptr) require_of_one_slide(listing_, listing_.slides()[i], e);
      problem = with_hint(e);
    }
    const std::lock_guard lock(mutex_);
    if (!problem.empty()) log().warning(problem), problems_[i] = problem;
    else ++outcome_.slides, outcome_.masks += annotated ? 1 : 0;
    progress_.update(++settled_, {}, share_ / pixels_);
  }

  void write(const ExportSource& slide, const Outputs& outputs, double area) {
    constexpr std::int64_t band_bytes = std::int64_t{1} << 24, most_rows = 512;
    const Size size = slide.size();
    const std::int64_t rows = std::clamp<std::int64_t>(band_bytes / (3 * size.width), 1, most_rows);
    SlideFiles files(outputs, slide);
    for (std::int64_t y = 0; y < size.height; y += rows) {
      if (interrupted()) throw Cancelled();
      const std::int64_t height = std::min(rows, size.height - y);
      files.write(slide.rows(y, height));
      const std::lock_guard lock(mutex_);
      share_ += area * static_cast<double>(height) / static_cast<double>(size.height);
      progress_.update(settled_, {}, share_ / pixels_);
    }
    files.finish();
  }

  const Listing& listing_;
  const PreparedData* store_;  ///< null: slides are read from their files
  const ExportRequest& request_;
  Progress progress_;
  double pixels_ = 0, share_ = 0;  ///< of all, and those that are done
  std::int64_t settled_ = 0;
  std::mutex mutex_;
  ExportOutcome outcome_;
  std::map<std::size_t, std::string> problems_;  ///< by slide, so that their order does not depend on threads
};

}  // namespace

ExportOutcome export_datasets(Experiment experiment, const Registry& registry, const ExportRequest& request) {
  if (!request.dataset.empty()) experiment = with_dataset(std::move(experiment), request.dataset);
  // What is written once needs no place in the store, unless it is there.
  if (request.factor != experiment.data.factor || experiment.data.mpp > 0) experiment.data.store.clear();
  experiment.data.factor = request.factor;
  experiment.data.mpp = 0;
  require_output_folder(request.out, {});
  const Listing listing(experiment, registry);
  require_outputs(listing, request);
  require_writable(request.out / "images", std::size_t{1} << 20);
  if (experiment.classes.size() == 1) require_writable(request.out / "masks", 0);
  else
    for (const std::string& name : experiment.classes) require_writable(request.out / "masks" / folder_name(name), 0);
  ExportOutcome outcome;
  if (experiment.data.store.empty()) {
    for (const std::string& problem : listing.problems()) log().warning(problem);
    outcome = Export(listing, nullptr, request).run();
    outcome.problems.insert(outcome.problems.begin(), listing.problems().begin(), listing.problems().end());
  } else {
    const PreparedData data = prepare(listing, {}, /*most_lost=*/1);
    warn_of_problems(data);
    outcome = Export(listing, &data, request).run();
    outcome.problems.insert(outcome.problems.begin(), data.problems.begin(), data.problems.end());
  }
  if (outcome.slides == 0)
    throw Error("none of the slides could be exported" + (outcome.problems.empty()
                                                              ? std::string(": the datasets list none")
                                                              : "; the first: " + outcome.problems.front()));
  return outcome;
}

}  // namespace nephron::host
