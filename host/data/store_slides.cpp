#include <host/data/store_slides.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include <nephron/error.hpp>

#include <host/data/label_source.hpp>
#include <host/data/store_places.hpp>
#include <host/data/stored_slide.hpp>
#include <host/labels/painter.hpp>
#include <host/store/marker.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>
#include <host/util/shell_word.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A slide that is open for preparing. Its microns per pixel are those of the file, which datasets share; what one of
/// them says is that dataset's alone.
PictureSource picture_of(const Listing& listing, const Listing::Entry& entry,
                         std::shared_ptr<const SlideReader> reader) {
  PictureSource source;
  source.size = reader->size();
  if (const auto* file = dynamic_cast<const SlideFile*>(reader.get())) {
    source.tile = file->header().tile;
    source.mpp = file->header().mpp;
  }
  source.read = [&listing, &entry, reader = std::move(reader)](const Region& region, const ImageView& out) {
    guarded(listing.origin(entry, "reading"), [&] { reader->read(region, out); });
  };
  return source;
}

LabelSource labels_of(const Listing& listing, const Listing::Entry& entry, Size full) {
  const auto& classes = listing.experiment().classes;
  const auto painter = std::make_shared<LabelPainter>(full, static_cast<int>(classes.size()));
  guarded(listing.origin(entry, "annotating"),
          [&] { listing.datasets()[entry.dataset]->annotate(entry.info, classes, *painter); });
  return source_of(painter);
}

std::shared_ptr<const SlideReader> open_slide(const Listing& listing, const Listing::Entry& entry) {
  return guarded(listing.origin(entry, "opening"), [&] {
    std::shared_ptr<const SlideReader> opened = listing.datasets()[entry.dataset]->open(entry.info);
    if (opened == nullptr) throw Error("the dataset gave no reader");
    return opened;
  });
}

bool up_to_date(const Listing& listing, const Listing::Entry& entry, Compare compare) {
  const LabelsPlace place = labels_place(listing, entry);
  if (!place.folder.stale(place.wish, compare).empty()) return false;
  const auto picture = known_picture(place);
  return picture && picture->stale(picture_wish(listing, entry), compare).empty();
}

struct Made {
  bool slide = false;  ///< by this process: where several share the work, one says so
  bool picture = false;
};

/// Prepares one slide: its picture, unless there is one, and its labels.
Made prepare_slide(const Listing& listing, const Listing::Entry& entry, Compare compare, ThreadPool& pool,
                   const std::function<void(std::int64_t)>& advance) {
  const std::string name = "slide \"" + printable_name(entry.info.id) + "\"";
  const LabelsPlace labels = labels_place(listing, entry);
  const std::shared_ptr<const SlideReader> reader = open_slide(listing, entry);
  const PicturePlace picture = picture_place(listing, entry, *reader);
  PictureSource source = picture_of(listing, entry, reader);
  if (!picture.of_file) source.mpp = entry.info.mpp;
  Made made;
  const bool known = !picture.folder.reductions().empty(), labelled = !labels.folder.reductions().empty();
  const bool unlabelled = !labels.folder.stale(labels.wish, compare).empty();
  made.picture = picture.folder.prepare(picture_wish(listing, entry), compare, source, picture.reader, pool, advance,
                                        [&](const std::string& why) {
                                          if (known) log().info(name + " is prepared again: " + why);
                                        });
  const auto record = picture.folder.record(labels.wish.reductions.front());
  LabelledSlide slide{picture.folder.path().filename().string(), source.size,
                      entry.info.mpp > 0 ? entry.info.mpp : source.mpp, record ? record->source : FileStamp{}};
  const bool made_labels = labels.folder.prepare(
      labels.wish, compare, slide, [&] { return labels_of(listing, entry, source.size); }, pool,
      [&](const std::string& why) {
        if (labelled && !made.picture) log().info(name + " is prepared again: labels: " + why);
      });
  made.slide = made_labels || (made.picture && !unlabelled);
  return made;
}

/// What is wrong with the slide, which it names. Throws ConfigError when it is not the slide.
std::string problem_of(const Listing& listing, const Listing::Entry& entry, const std::exception& error) {
  require_of_one_slide(listing, entry, error);
  const std::string name = "slide \"" + printable_name(entry.info.id) + "\"", problem = with_hint(error);
  return problem.find(name) != std::string::npos ? problem : name + ": " + problem;
}

/// Every name of `only` must be a slide's.
std::vector<std::size_t> chosen(const Listing& listing, const std::vector<std::string>& only) {
  std::vector<std::size_t> out;
  std::set<std::string> left(only.begin(), only.end());
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < listing.slides().size(); ++i) {
    const std::string& id = listing.slides()[i].info.id;
    ids.push_back(id);
    if (only.empty() || std::find(only.begin(), only.end(), id) != only.end()) out.push_back(i);
    left.erase(id);
  }
  if (left.empty()) return out;
  const std::string near = nearest(*left.begin(), ids);
  throw Error("the experiment has no slide \"" + *left.begin() + "\" among its " + std::to_string(ids.size()),
              near.empty() ? "" : "did you mean \"" + near + "\"?");
}

/// What has to be prepared, by source: slides of one file share its picture, so that one makes it and the others find
/// it.
std::vector<std::vector<std::size_t>> by_source(const Listing& listing, const std::vector<std::size_t>& slides) {
  std::vector<std::vector<std::size_t>> out;
  std::map<fs::path, std::size_t> known;
  for (const std::size_t i : slides) {
    const fs::path& source = listing.slides()[i].info.source;
    const auto [at, fresh] = known.try_emplace(source, out.size());
    if (fresh || source.empty()) out.emplace_back();
    out[source.empty() ? out.size() - 1 : at->second].push_back(i);
  }
  return out;
}

/// Those of this process, where several share them: slides of one file go together.
std::vector<std::size_t> of_share(const Listing& listing, const std::vector<std::size_t>& slides,
                                  const WorkShare& share) {
  if (share.is_all()) return slides;
  std::vector<std::size_t> out;
  const auto groups = by_source(listing, slides);
  for (std::size_t n = 0; n < groups.size(); ++n)
    if (share.has(n)) out.insert(out.end(), groups[n].begin(), groups[n].end());
  std::sort(out.begin(), out.end());
  return out;
}

/// One preparation of a store.
class StorePreparation {
 public:
  StorePreparation(const Listing& listing, const StoreRequest& request)
      : listing_(listing), request_(request), store_(listing.experiment().data.store) {}

  StoreOutcome run() {
    const StoreState state = store_state(store_);  // throws for a folder of other things
    const std::vector<std::size_t> stale = find_stale();
    if (!stale.empty()) {
      if (state == StoreState::earlier)
        log().info(store_.string() +
                   " was made by an earlier version of nephron: slides are prepared again beside what it holds, which "
                   "nephron store prune removes");
      claim_store(store_);
      prepare_all(stale);
    }
    for (auto& [i, problem] : problems_) {
      outcome_.problems.push_back(std::move(problem));
      outcome_.failed.push_back(i);
    }
    return std::move(outcome_);
  }

 private:
  std::vector<std::size_t> find_stale() {
    std::vector<std::size_t> stale;
    for (const std::size_t i : of_share(listing_, chosen(listing_, request_.only), request_.share)) {
      const Listing::Entry& entry = listing_.slides()[i];
      try {
        if (up_to_date(listing_, entry, request_.verify ? Compare::contents : Compare::stamps)) {
          ++outcome_.kept;
          if (request_.measure) measure(entry);
          continue;
        }
        stale.push_back(i);
      } catch (const std::exception& e) {
        problems_[i] = problem_of(listing_, entry, e);
        if (request_.strict) throw Error(problems_[i]);
      }
    }
    return stale;
  }

  void measure(const Listing::Entry& entry) const {
    if (const auto picture = known_picture(labels_place(listing_, entry)))
      picture->note_colours(picture_wish(listing_, entry).reductions);
  }

  void prepare_all(const std::vector<std::size_t>& stale) {
    const auto own_pool = request_.jobs > 0 ? make_thread_pool(static_cast<std::size_t>(request_.jobs)) : nullptr;
    ThreadPool& pool = own_pool != nullptr ? *own_pool : thread_pool();
    const auto groups = by_source(listing_, stale);
    std::int64_t pixels = 0;
    for (const auto& group : groups)
      pixels += std::max<std::int64_t>(1, listing_.slides()[group.front()].info.size.area());
    constexpr std::int64_t mega = 1000000;
    Progress progress("preparing slides, megapixels", std::max<std::int64_t>(1, pixels / mega));
    std::int64_t done = 0;
    const auto advance = [&](std::int64_t n) {
      const std::lock_guard lock(mutex_);
      done += n;
      progress.update(std::min(done, pixels) / mega,
                      std::to_string(finished_) + " of " + std::to_string(stale.size()) + " slides done");
    };
    pool.parallel_for(groups.size(), [&](std::size_t n) {
      for (const std::size_t i : groups[n]) {
        if (interrupted()) throw Cancelled();
        prepare_one(i, pool, advance);
      }
    });
    progress.finish();
  }

  void prepare_one(std::size_t i, ThreadPool& pool, const std::function<void(std::int64_t)>& advance) {
    const Listing::Entry& entry = listing_.slides()[i];
    std::string problem;
    Made made;
    try {
      made =
          prepare_slide(listing_, entry, request_.verify ? Compare::contents : Compare::when_in_doubt, pool, advance);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::exception& e) {
      problem = problem_of(listing_, entry, e);
      if (request_.strict) throw Error(problem);
    }
    const std::lock_guard lock(mutex_);
    ++finished_;
    if (!problem.empty()) problems_[i] = problem;
    else ++(made.slide ? outcome_.made : outcome_.kept);
    outcome_.pictures += made.picture ? 1 : 0;
  }

  const Listing& listing_;
  const StoreRequest& request_;
  const fs::path& store_;
  StoreOutcome outcome_;
  std::mutex mutex_;
  std::map<std::size_t, std::string> problems_;  // by slide
  std::size_t finished_ = 0;
};

/// Pixels are not compared at every start: files whose time is another than when they were made are named.
void warn_of_touched(const std::set<fs::path>& files, const fs::path& store) {
  if (files.empty()) return;
  const bool one = files.size() == 1;
  log().warning(counted(files.size(), "file") + " of the store " + (one ? "was" : "were") +
                " written to or copied since " + (one ? "it was" : "they were") + " made (" + files.begin()->string() +
                (one ? "" : ", ...") + "): nephron store verify " + shell_word(store.string()) +
                " compares pixels with what was made");
}

}  // namespace

std::string StoreOutcome::made_text() const {
  const auto slides = [](int n) { return counted(static_cast<std::uint64_t>(n), "slide"); };
  if (made == 0 || pictures >= made) return slides(made) + " prepared";
  if (pictures == 0) return "labels of " + slides(made) + " prepared";
  return slides(made) + " prepared (of " + std::to_string(made - pictures) + " the labels alone)";
}

StoreOutcome prepare_store(const Listing& listing, const StoreRequest& request) {
  return StorePreparation(listing, request).run();
}

PreparedData prepare_and_open(const Listing& listing) {
  PreparedData data;
  StoreOutcome outcome = prepare_store(listing, {});
  if (outcome.made > 0) log().info(outcome.made_text() + " in " + listing.experiment().data.store.string());
  data.problems = std::move(outcome.problems);
  std::set<fs::path> touched;
  for (std::size_t i = 0; i < listing.slides().size(); ++i) {
    if (std::binary_search(outcome.failed.begin(), outcome.failed.end(), i)) continue;  // one of the problems
    const Listing::Entry& entry = listing.slides()[i];
    try {
      const LabelsPlace place = labels_place(listing, entry);
      StoredSlide::Place open{entry.info,
                              entry.dataset,
                              listing.group(entry),
                              listing.experiment().classes,
                              listing.targets(entry),
                              listing.reduction(entry),
                              listing.experiment().data.ignore_outside};
      const auto slide = std::make_shared<StoredSlide>(place.folder, std::move(open));
      for (const fs::path& file : slide->touched()) touched.insert(file);
      data.slides.push_back(slide);
    } catch (const std::exception& e) {
      data.problems.push_back(problem_of(listing, entry, e));
    }
  }
  warn_of_touched(touched, listing.experiment().data.store);
  return data;
}

}  // namespace nephron::host
