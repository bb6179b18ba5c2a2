#include <host/data/store_slides.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include <nephron/error.hpp>

#include <host/data/stored_slide.hpp>
#include <host/labels/painter.hpp>
#include <host/store/marker.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A folder name for whatever a dataset calls itself and its slides; what had to be changed is told apart by its hash.
std::string folder_name(const std::string& id) {
  std::string out;
  for (const char c : id) {
    const bool good = c != '/' && c != '\\' && static_cast<unsigned char>(c) >= 32 && c != 127;
    out += good ? c : '_';
  }
  constexpr std::size_t longest = 200;
  if (out.size() > longest) out.resize(longest);
  const bool odd = out != id || out.empty() || out.front() == '.';
  return odd ? "_" + out + "-" + short_key(id) : out;
}

std::vector<int> wanted_factors(const DataConfig& data) {
  std::set<int> all(data.factors.begin(), data.factors.end());
  all.insert(data.factor);
  return {all.begin(), all.end()};
}

/// Slides smaller than a factor are prepared at those that are left, as long as the experiment's own is among them.
std::vector<int> fitting(const std::vector<int>& factors, int own, Size size) {
  if (size.empty()) return factors;
  std::vector<int> out;
  for (const int f : factors)
    if (f == own || (size.width >= f && size.height >= f)) out.push_back(f);
  return out;
}

PictureSource picture_of(const Listing& listing, const Listing::Entry& entry,
                         std::shared_ptr<const SlideReader> reader) {
  PictureSource source;
  source.size = reader->size();
  source.mpp = entry.info.mpp;
  if (const auto* file = dynamic_cast<const SlideFile*>(reader.get())) {
    source.tile = file->header().tile;
    if (source.mpp <= 0) source.mpp = file->header().mpp;
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
  LabelSource source;
  source.touches = [painter](int factor, const Region& region) { return painter->touches(factor, region); };
  source.paint = [painter](int factor, const Region& region, const ImageView& out) {
    painter->paint(factor, region, out);
  };
  for (int c = 0; c < 8; ++c)
    if ((painter->soft_classes() >> c & 1) != 0) source.soft.push_back(c);
  source.paint_soft = [painter](int c, int factor, const Region& region, const ImageView& out) {
    painter->paint_soft(c, factor, region, out);
  };
  return source;
}

SlideContent open_slide(const Listing& listing, const Listing::Entry& entry) {
  std::shared_ptr<const SlideReader> reader = guarded(listing.origin(entry, "opening"), [&] {
    auto opened = listing.datasets()[entry.dataset]->open(entry.info);
    if (opened == nullptr) throw Error("the dataset gave no reader");
    return opened;
  });
  SlideContent content;
  content.picture = picture_of(listing, entry, std::move(reader));
  const Size full = content.picture.size;
  content.labels = [&listing, &entry, full] { return labels_of(listing, entry, full); };
  return content;
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

}  // namespace

StorePlace place_of(const Listing& listing, const Listing::Entry& entry) {
  const Experiment& e = listing.experiment();
  const DatasetConfig& config = e.datasets[entry.dataset];
  const ComponentInfo& component = listing.component(entry.dataset);
  // What a dataset gives depends on its parameters: with others it is another dataset.
  const std::string key = short_key(config.component.type + "\n" + config.component.params.str());
  const std::string name = folder_name(listing.dataset_name(entry.dataset));
  SlideWish wish;
  wish.dataset = listing.dataset_name(entry.dataset);
  wish.slide = entry.info.id;
  wish.plugin = component.name + " " + component.version;
  wish.source = entry.info.source;
  wish.annotations = entry.info.annotations;
  wish.classes = e.classes;
  wish.factors = fitting(wanted_factors(e.data), e.data.factor, entry.info.size);
  wish.annotated = guarded(listing.origin(entry, "annotating"),
                           [&] { return listing.datasets()[entry.dataset]->annotated(entry.info); });
  return {SlideFolder(e.data.store / (name + "-" + key) / folder_name(entry.info.id)), std::move(wish)};
}

StoreOutcome prepare_store(const Listing& listing, const StoreRequest& request) {
  using Compare = SlideFolder::Compare;
  const fs::path& store = listing.experiment().data.store;
  is_store(store);  // throws for a folder of other things
  StoreOutcome outcome;
  std::mutex mutex;
  std::map<std::size_t, std::string> problems;
  std::vector<std::size_t> stale;
  std::int64_t pixels = 0;
  for (const std::size_t i : chosen(listing, request.only)) {
    const Listing::Entry& entry = listing.slides()[i];
    try {
      const StorePlace place = place_of(listing, entry);
      if (!place.folder.stale(place.wish, request.verify ? Compare::contents : Compare::stamps).any()) {
        ++outcome.kept;
        continue;
      }
      stale.push_back(i);
      pixels += std::max<std::int64_t>(1, entry.info.size.area());
    } catch (const std::exception& e) {
      problems[i] = problem_of(listing, entry, e);
      if (request.strict) throw Error(problems[i]);
    }
  }
  if (!stale.empty()) claim_store(store);
  const auto own_pool = request.jobs > 0 ? make_thread_pool(static_cast<std::size_t>(request.jobs)) : nullptr;
  ThreadPool& pool = own_pool != nullptr ? *own_pool : thread_pool();
  constexpr std::int64_t mega = 1000000;
  Progress progress("preparing slides, megapixels", std::max<std::int64_t>(1, pixels / mega));
  std::int64_t done = 0;
  std::size_t finished = 0;
  const auto advance = [&](std::int64_t n) {
    const std::lock_guard lock(mutex);
    done += n;
    progress.update(std::min(done, pixels) / mega,
                    std::to_string(finished) + " of " + std::to_string(stale.size()) + " slides done");
  };
  pool.parallel_for(stale.size(), [&](std::size_t n) {
    if (interrupted()) throw Cancelled();
    const Listing::Entry& entry = listing.slides()[stale[n]];
    std::string problem;
    bool made = false;
    try {
      const StorePlace place = place_of(listing, entry);
      const auto open = [&](const SlideFolder::Stale& why) {
        if (fs::exists(place.folder.picture_record()))
          log().info("slide \"" + printable_name(entry.info.id) +
                     "\" is prepared again: " + (why.picture.empty() ? "labels: " + why.labels : why.picture));
        return open_slide(listing, entry);
      };
      made = place.folder.prepare(place.wish, request.verify ? Compare::contents : Compare::when_in_doubt, open, pool,
                                  advance);
    } catch (const Cancelled&) {
      throw;
    } catch (const std::exception& e) {
      problem = problem_of(listing, entry, e);
      if (request.strict) throw Error(problem);
    }
    const std::lock_guard lock(mutex);
    ++finished;
    if (!problem.empty()) problems[stale[n]] = problem;
    else ++(made ? outcome.made : outcome.kept);
  });
  progress.finish();
  for (auto& [i, problem] : problems) {
    outcome.problems.push_back(std::move(problem));
    outcome.failed.push_back(i);
  }
  return outcome;
}

PreparedData prepare_and_open(const Listing& listing) {
  PreparedData data;
  StoreOutcome outcome = prepare_store(listing, {});
  if (outcome.made > 0)
    log().info("prepared " + std::to_string(outcome.made) + " slides in " + listing.experiment().data.store.string());
  data.problems = std::move(outcome.problems);
  for (std::size_t i = 0; i < listing.slides().size(); ++i) {
    if (std::binary_search(outcome.failed.begin(), outcome.failed.end(), i)) continue;  // one of the problems
    const Listing::Entry& entry = listing.slides()[i];
    try {
      const StorePlace place = place_of(listing, entry);
      StoredSlide::Place open{entry.info,
                              entry.dataset,
                              listing.group(entry),
                              listing.experiment().classes,
                              listing.targets(entry),
                              listing.experiment().data.factor};
      data.slides.push_back(std::make_shared<StoredSlide>(place.folder, std::move(open)));
    } catch (const std::exception& e) {
      data.problems.push_back(problem_of(listing, entry, e));
    }
  }
  return data;
}

}  // namespace nephron::host
