#include <host/data/folds.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/fold_rules.hpp>

#include <host/data/duplicates.hpp>
#include <host/data/fold_slides.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const FoldRules* rules_of(const PreparedData& data, std::size_t slide) {
  const std::size_t dataset = data.slides[slide]->dataset();
  return dataset < data.datasets.size() ? dynamic_cast<const FoldRules*>(data.datasets[dataset].get()) : nullptr;
}

std::string name_of(const Experiment& experiment, const PreparedSlide& slide) {
  return "slide \"" + slide.info().id + "\" of \"" + dataset_name(experiment, slide) + "\"";
}

std::string list(const std::set<int>& folds) {
  std::string out = folds.size() == 1 ? "fold " : "folds ";
  for (const int k : folds) out += (k == *folds.begin() ? "" : ", ") + std::to_string(k);
  return out;
}

/// Folds of which one slide is trained on and the other held out.
using Sides = std::map<std::size_t, std::map<int, bool>>;  // slide -> fold -> held out

Sides sides_of(const PreparedData& data, const std::vector<int>& which) {
  Sides out;
  for (const int k : which) {
    const FoldSlides slides = slides_of(data, k);
    for (const std::size_t i : slides.training) out[i][k] = false;
    for (const std::size_t i : slides.held_out) out[i][k] = true;
  }
  return out;
}

std::set<int> apart(const Sides& sides, std::size_t a, std::size_t b) {
  std::set<int> out;
  if (!sides.contains(a) || !sides.contains(b)) return out;
  for (const auto& [fold, held_out] : sides.at(a))
    if (const auto other = sides.at(b).find(fold); other != sides.at(b).end() && other->second != held_out)
      out.insert(fold);
  return out;
}

void find_donors(const PreparedData& data, const Sides& sides, std::vector<std::string>& out) {
  std::map<std::string, std::vector<std::size_t>> donors;
  for (std::size_t i = 0; i < data.slides.size(); ++i)
    if (const std::string& donor = data.slides[i]->info().donor; !donor.empty()) donors[donor].push_back(i);
  for (const auto& [donor, slides] : donors) {
    std::set<int> both;
    std::string names;
    for (const std::size_t a : slides) {
      names += (names.empty() ? "\"" : ", \"") + data.slides[a]->info().id + "\"";
      for (const std::size_t b : slides) both.merge(apart(sides, a, b));
    }
    if (!both.empty())
      out.push_back("donor \"" + donor + "\" stands on both sides of " + list(both) + " (slides " + names +
                    "), so its Dice is too good: data.folds.by = \"donor\" keeps donors together");
  }
}

void find_duplicates(const Experiment& experiment, const PreparedData& data, const Sides& sides,
                     std::vector<std::string>& out) {
  for (const auto& [i, j] : equal_slides(data)) {
    const std::set<int> both = apart(sides, i, j);
    out.push_back(name_of(experiment, *data.slides[i]) + " and " + name_of(experiment, *data.slides[j]) +
                  " have equal pixels" +
                  (both.empty() ? "; one of them can go"
                                : ", and " + list(both) + " " + (both.size() == 1 ? "is" : "are") +
                                      " trained on one and validated on the other: remove one of them"));
  }
}

Json side_of(const Experiment& experiment, const PreparedData& data, const std::vector<std::size_t>& which) {
  Json out = Json::array();
  for (const std::size_t i : which) {
    const PreparedSlide& slide = *data.slides[i];
    const Digests digests = slide.digests();
    out.push_back({{"id", slide.info().id},
                   {"dataset", dataset_name(experiment, slide)},
                   {"donor", slide.info().donor},
                   {"source", slide.info().source.string()},
                   {"reduction", slide.reduction().value()},
                   {"picture", digests.picture},
                   {"labels", digests.labels}});
  }
  return out;
}

using Names = std::set<std::pair<std::string, std::string>>;  // dataset, id

Names names_of(const JsonNode& side) {
  Names out;
  for (const JsonNode& slide : side.items()) out.emplace(slide.at("dataset").text(), slide.at("id").text());
  return out;
}

/// Ids in `a` that are not in `b`.
std::vector<std::string> only_in(const Names& a, const Names& b) {
  std::vector<std::string> out;
  for (const auto& name : a)
    if (!b.contains(name)) out.push_back(name.second);
  return out;
}

/// Slides of both sides that have other pixels or labels than they had.
std::vector<std::string> changed_slides(const JsonNode& was, const JsonNode& is) {
  std::map<std::pair<std::string, std::string>, JsonNode> before;
  for (const JsonNode& slide : was.items())
    before.emplace(std::pair(slide.at("dataset").text(), slide.at("id").text()), slide);
  std::vector<std::string> out;
  for (const JsonNode& slide : is.items()) {
    const auto then = before.find({slide.at("dataset").text(), slide.at("id").text()});
    if (then == before.end()) continue;
    for (const char* what : {"picture", "labels"}) {
      const auto digest = then->second.find(what);  // runs of earlier versions know none
      if (digest && !digest->text().empty() && digest->text() != slide.at(what).text()) {
        out.push_back(slide.at("id").text());
        break;
      }
    }
  }
  return out;
}

/// The files of slides may have moved; which slides a side has, and what they hold, may not.
void require_same_slides(const fs::path& file, const Json& now) {
  const JsonNode was = JsonNode::read(file);
  const JsonNode is = JsonNode::parse(now.dump(-1, ' ', false, Json::error_handler_t::replace), "slides.json");
  std::string text;
  for (const auto& [key, doing] : {std::pair{"trained_on", "trained on"}, std::pair{"held_out", "held out"}}) {
    const Names before = names_of(was.at(key)), after = names_of(is.at(key));
    const auto say = [&](const std::vector<std::string>& ids, const char* when) {
      if (!ids.empty()) text += (text.empty() ? "" : "; ") + std::string(doing) + when + list_of_names(ids);
    };
    say(only_in(before, after), " then, and not now: ");
    say(only_in(after, before), " now, and not then: ");
    const std::vector<std::string> others = changed_slides(was.at(key), is.at(key));
    if (!others.empty())
      text += (text.empty() ? "" : "; ") + std::string(doing) +
              " with other pixels or labels then: " + list_of_names(others);
  }
  if (!text.empty())
    throw Error("the slides are not those that this fold began with (" + file.string() + "): " + text,
                "Put them back as they were, slides that could not be read included, or begin a new run.");
}

}  // namespace

const std::string& dataset_name(const Experiment& experiment, const PreparedSlide& slide) {
  const DatasetConfig& config = experiment.datasets.at(slide.dataset());
  return config.name.empty() ? config.component.type : config.name;
}

FoldSlides slides_of(const PreparedData& data, int fold) {
  FoldSlides out;
  for (std::size_t i = 0; i < data.slides.size(); ++i) {
    if (!data.slides[i]->annotated()) continue;
    if (data.folds.at(i) == fold) {
      out.held_out.push_back(i);
      continue;
    }
    const FoldRules* rules = rules_of(data, i);
    const int only = rules == nullptr ? -1 : rules->only_fold(data.slides[i]->info());
    if (only < 0 || only == fold) out.training.push_back(i);
  }
  return out;
}

void require_left(const PreparedData& data, const Splits& splits, int fold) {
  const auto held_out =
      std::count_if(splits.slides.begin(), splits.slides.end(), [&](const Splits::Slide& s) { return s.fold == fold; });
  if (held_out > 0 && slides_of(data, fold).held_out.empty())
    throw Error("none of the " + std::to_string(held_out) + " slides that fold " + std::to_string(fold) +
                " holds out could be read: nothing would be validated");
}

void require_unseen(const PreparedData& data, int fold) {
  const FoldSlides slides = slides_of(data, fold);
  std::vector<SlideInfo> held_out;
  for (const std::size_t i : slides.held_out) held_out.push_back(data.slides[i]->info());
  for (const auto& dataset : data.datasets)
    if (const auto* rules = dynamic_cast<const FoldRules*>(dataset.get())) rules->require_unseen(fold, held_out);
}

std::vector<std::string> leaks(const Experiment& experiment, const PreparedData& data, const std::vector<int>& which) {
  std::vector<std::string> out;
  const Sides sides = sides_of(data, which);
  find_donors(data, sides, out);
  find_duplicates(experiment, data, sides, out);
  return out;
}

void settle_fold_slides(const fs::path& file, const Experiment& experiment, const PreparedData& data,
                        const FoldSlides& slides) {
  const Json json{{"trained_on", side_of(experiment, data, slides.training)},
                  {"held_out", side_of(experiment, data, slides.held_out)}};
  if (fs::exists(file)) return require_same_slides(file, json);
  fs::create_directories(file.parent_path());
  write_file_atomically(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<std::vector<std::string>> trained_on(const fs::path& run, const std::vector<int>& folds) {
  std::set<std::string> ids;
  for (const int k : folds) {
    const fs::path file = run / ("fold-" + std::to_string(k)) / "slides.json";
    if (!fs::exists(file)) return std::nullopt;
    for (const SlideEntry& slide : read_fold_slides(file).trained_on) ids.insert(slide.id);
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

}  // namespace nephron::host
