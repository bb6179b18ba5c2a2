#include <host/data/splits.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <nephron/dataset_check.hpp>

#include <host/config/load.hpp>
#include <host/util/counted.hpp>
#include <host/util/log.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Key = std::pair<std::string, std::string>;  // dataset, id

Key key_of(const Splits::Slide& slide) { return {slide.dataset, slide.id}; }

Splits::Slide described(const Listing& listing, const Listing::Entry& entry) {
  return {entry.info.id, listing.dataset_name(entry.dataset), entry.info.donor, -1};
}

std::map<Key, Splits::Slide> by_key(const Splits& splits) {
  std::map<Key, Splits::Slide> out;
  for (const Splits::Slide& s : splits.slides) out.emplace(key_of(s), s);
  return out;
}

/// Gives each slide, or donor, to the fold that has the fewest of them; from nothing that is one fold after the other.
class Dealer {
 public:
  explicit Dealer(const Splits& given)
      : by_donor_(given.by == "donor"), counts_(static_cast<std::size_t>(given.count)) {
    for (const Splits::Slide& s : given.slides)
      if (s.fold >= 0) note(s.donor, s.fold);
  }
  /// The slide's fold is known.
  void note(const std::string& donor, int fold) {
    if (!by_donor_ || donor.empty() || donors_.emplace(donor, fold).second) ++counts_[static_cast<std::size_t>(fold)];
  }
  int deal(const std::string& donor) {
    if (const auto found = donors_.find(donor); by_donor_ && found != donors_.end()) return found->second;
    const int fold = static_cast<int>(std::min_element(counts_.begin(), counts_.end()) - counts_.begin());
    note(donor, fold);
    return fold;
  }

 private:
  bool by_donor_;
  std::vector<std::size_t> counts_;  // a fold
  std::map<std::string, int> donors_;
};

Source source_of_folds(const Experiment& experiment, const char* key) {
  const Value* at = &experiment.resolved;
  for (const char* k : {"data", "folds", key})
    if (const Value* below = at->find(k)) at = below;
  return at->source;
}

/// What the experiment's file of folds names, or none.
Splits given_splits(const Experiment& experiment) {
  const FoldsConfig& folds = experiment.data.folds;
  if (!folds.file.empty()) return read_splits(folds.file);
  return {std::max(1, folds.count), folds.by, {}};
}

/// Slides of these datasets that a file names and the listing has not: another experiment may have them, or they are
/// lost.
void warn_of_unlisted(const Listing& listing, const std::map<Key, Splits::Slide>& named, const std::set<Key>& listed) {
  std::set<std::string> datasets;
  for (std::size_t i = 0; i < listing.datasets().size(); ++i) datasets.insert(listing.dataset_name(i));
  std::vector<std::string> unlisted;
  for (const auto& [key, slide] : named)
    if (slide.fold >= 0 && datasets.contains(key.first) && !listed.contains(key)) unlisted.push_back(slide.id);
  if (!unlisted.empty())
    log().warning(listing.experiment().data.folds.file.string() + " holds out " + counted(unlisted.size(), "slide") +
                  " that the datasets do not list: " + list_of_names(unlisted));
}

void refuse_unnamed(const Experiment& experiment, const std::vector<std::string>& unnamed) {
  if (unnamed.empty()) return;
  const std::string file = experiment.data.folds.file.string();
  throw ConfigError(
      {{source_of_folds(experiment, "file"),
        file + " says of " + counted(unnamed.size(), "slide") +
            " not which fold it is held out in: " + list_of_names(unnamed),
        "deal such slides on, and keep the others where they are: nephron data split " +
            shell_word(experiment.file.string()) + " --set " + shell_word("data.folds.file=\"" + file + "\"") +
            " --out " + shell_word(file) + " --overwrite"}});
}

Splits deal(const Listing& listing, const Splits& given, bool deal_on) {
  const Experiment& experiment = listing.experiment();
  const std::map<Key, Splits::Slide> named = by_key(given);
  const bool from_file = !experiment.data.folds.file.empty();
  Dealer dealer(given);
  Splits out{given.count, given.by, {}};
  std::set<Key> listed;
  std::vector<std::string> unnamed, unannotated;
  for (const Listing::Entry& entry : listing.slides()) {
    Splits::Slide slide = described(listing, entry);
    const auto found = named.find(key_of(slide));
    const int fold = found != named.end() ? found->second.fold : -1;
    if (listing.can_be_held_out(entry)) {
      if (fold < 0 && from_file && !deal_on) unnamed.push_back(slide.id);
      else slide.fold = fold >= 0 ? fold : dealer.deal(slide.donor);
    } else if (fold >= 0 && experiment.datasets[entry.dataset].hold_out) {
      unannotated.push_back(slide.id);
    }
    listed.insert(key_of(slide));
    out.slides.push_back(std::move(slide));
  }
  refuse_unnamed(experiment, unnamed);
  if (!unannotated.empty())
    log().warning(experiment.data.folds.file.string() +
                  " holds out slides that are not annotated: " + list_of_names(unannotated));
  if (from_file) warn_of_unlisted(listing, named, listed);
  return out;
}

/// What became otherwise since a run wrote its folds down.
class Changes {
 public:
  void add(const std::string& how, const std::string& slide) { slides_[how].push_back(slide); }
  void say(std::string what) { said_.push_back(std::move(what)); }
  void refuse(const fs::path& file) const {
    std::string text;
    const auto append = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
    for (const std::string& what : said_) append(what);
    for (const auto& [how, slides] : slides_) append(how + ": " + list_of_names(slides));
    if (!text.empty())
      throw Error(
          "the slides are not those that this run began with (" + file.string() + "): " + text,
          "Going on would validate on slides that were trained on. Put the slides back as they were, or begin a "
          "new run; to keep the folds there, give it data.folds.file.");
  }

 private:
  std::vector<std::string> said_;
  std::map<std::string, std::vector<std::string>> slides_;
};

}  // namespace

std::string list_of_names(const std::vector<std::string>& names) { return names_of(names, 10); }

Splits splits_of(const Listing& listing) {
  return deal(listing, given_splits(listing.experiment()), /*deal_on=*/false);
}

Splits extended_splits(const Listing& listing) {
  const Splits given = given_splits(listing.experiment());
  Splits out = deal(listing, given, /*deal_on=*/true);
  std::set<Key> listed;
  for (const Splits::Slide& s : out.slides) listed.insert(key_of(s));
  for (const Splits::Slide& s : given.slides)
    if (!listed.contains(key_of(s))) out.slides.push_back(s);
  return out;
}

Splits splits_of_run(const Listing& listing, const fs::path& file) {
  const Splits written = read_splits(file);
  const FoldsConfig& folds = listing.experiment().data.folds;
  Changes changes;
  if (folds.count != written.count)
    changes.say("data.folds.count is " + std::to_string(folds.count) + " and was " + std::to_string(written.count));
  if (std::error_code none; !folds.file.empty() && !fs::equivalent(folds.file, file, none))
    changes.say("data.folds.file is " + folds.file.string());
  if (folds.by != written.by) changes.say("data.folds.by is \"" + folds.by + "\" and was \"" + written.by + "\"");
  std::map<Key, Splits::Slide> left = by_key(written);
  Splits out{written.count, written.by, {}};
  for (const Listing::Entry& entry : listing.slides()) {
    Splits::Slide slide = described(listing, entry);
    const auto was = left.find(key_of(slide));
    if (was == left.end()) {
      changes.add("new", slide.id);
      continue;
    }
    slide.fold = was->second.fold;
    if (was->second.donor != slide.donor) changes.add("of another donor than then", slide.id);
    if (listing.can_be_held_out(entry) != (slide.fold >= 0))
      changes.add(slide.fold < 0 ? "not annotated or not held out then, and now it would be"
                                 : "held out then, and not annotated or not held out now",
                  slide.id);
    left.erase(was);
    out.slides.push_back(std::move(slide));
  }
  for (const auto& [key, slide] : left) changes.add("vanished", slide.id);
  changes.refuse(file);
  return out;
}

void require_held_out(const Listing& listing, const Splits& splits, const std::vector<int>& which) {
  std::vector<std::size_t> held_out(static_cast<std::size_t>(splits.count));
  std::size_t all = 0;
  for (const Splits::Slide& s : splits.slides)
    if (s.fold >= 0) ++held_out[static_cast<std::size_t>(s.fold)], ++all;
  if (all == 0 && which.size() == 1) return;
  std::string empty;
  int empties = 0;
  for (const int k : which)
    if (held_out.at(static_cast<std::size_t>(k)) == 0) empty += (empties++ == 0 ? "" : ", ") + std::to_string(k);
  if (empties == 0) return;
  const auto filled =
      static_cast<std::size_t>(std::count_if(held_out.begin(), held_out.end(), [](std::size_t n) { return n > 0; }));
  const std::string most = std::to_string(filled);
  throw ConfigError(
      {{source_of_folds(listing.experiment(), "count"),
        (empties == 1 ? "fold " : "folds ") + empty + " of " + std::to_string(splits.count) +
            " would hold out no slide: " + std::to_string(all) + " of the " + std::to_string(splits.slides.size()) +
            " slides can be held out, and they fill " + most + (filled == 1 ? " fold" : " folds"),
        filled < 2 ? "add slides, or donors with data.folds.by = \"donor\""
                   : "set data.folds.count to " + most + " at most, or add slides"}});
}

}  // namespace nephron::host
