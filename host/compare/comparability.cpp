#include <host/compare/comparability.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <host/util/counted.hpp>
#include <host/util/printable.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more" : out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "none" : out;
}

std::string numbers(const std::vector<int>& values) {
  std::vector<std::string> words;
  for (const int v : values) words.push_back(std::to_string(v));
  return joined(words);
}

/// Thresholds with how they were found.
std::string threshold_text(const MeasuringFacts& facts) {
  if (facts.exclusive) return "none: the likeliest class";
  std::vector<std::string> words;
  for (const auto& [name, threshold] : facts.thresholds) words.push_back(name + " " + short_number(threshold));
  const std::string& from = facts.threshold_from;
  return joined(words) + (from.empty()           ? ""
                          : from == "0.5"        ? " (the experiment searches one)"
                          : from == "experiment" ? " (the experiment's)"
                                                 : " (" + from + ")");
}

/// Which weights, and by what they were chosen.
std::string checkpoint_text(const MeasuredRun& run) {
  if (run.facts.checkpoint != "best") return run.facts.checkpoint;
  return "best by validation of " + config_text(run, "validation.how").value_or("tiles");
}

std::string metric_text(const MeasuredRun& run, const std::string& metric) {
  const auto value = run.values.find(metric);
  if (value == run.values.end()) return "not measured";
  const auto by = run.facts.metrics.find(value->second.metric);
  if (by == run.facts.metrics.end()) return "of a version that was not recorded";
  return by->second.plugin + " " + by->second.version + " " + by->second.parameters;
}

/// The objections of one run, against the first one.
class Against {
 public:
  Against(const MeasuredRun& first, const MeasuredRun& run, std::vector<Objection>& out)
      : first_(first), run_(run), out_(out) {}

  void object(const std::string& metric) {
    slides();
    digests("picture", "pixels", &MeasuredOn::picture);
    digests("truth", "masks", &MeasuredOn::truth);
    donors();
    folds();
    setting("classes", "classes", [](const MeasuredRun& r) { return joined(r.facts.classes); });
    setting("data.factor", "data.factor", config("data.factor"));
    setting("predict.threshold", "threshold", [](const MeasuredRun& r) { return threshold_text(r.facts); });
    setting("predict.tta", "flips averaged over", [](const MeasuredRun& r) { return joined(r.facts.tta); });
    setting("predict.overlap", "predict.overlap", config("predict.overlap"));
    setting("checkpoint", "weights", [](const MeasuredRun& r) { return checkpoint_text(r); });
    setting("precision", "precision", [](const MeasuredRun& r) { return r.facts.precision; });
    setting("metric", "metric " + metric, [&](const MeasuredRun& r) { return metric_text(r, metric); });
    setting("objects", "objects", [](const MeasuredRun& r) { return r.facts.objects.value_or("not recorded"); });
  }

 private:
  void say(const std::string& key, const std::string& text) { out_.push_back({key, run_.name + ": " + text}); }

  void setting(const std::string& key, const std::string& what,
               const std::function<std::string(const MeasuredRun&)>& text) {
    const std::string here = text(run_), there = text(first_);
    if (here != there) say(key, what + ": " + here + "; of " + first_.name + ": " + there);
  }

  static std::function<std::string(const MeasuredRun&)> config(const std::string& key) {
    return [key](const MeasuredRun& r) { return config_text(r, key).value_or("not written"); };
  }

  void slides() {
    std::vector<std::string> lost, more;
    for (const auto& [key, slide] : first_.slides)
      if (!run_.slides.contains(key)) lost.push_back(key.slide);
    for (const auto& [key, slide] : run_.slides)
      if (!first_.slides.contains(key)) more.push_back(key.slide);
    if (!lost.empty())
      say("slides", "not measured on " + counted(lost.size(), "slide") + " of " + first_.name + ": " + listed(lost));
    if (!more.empty())
      say("slides",
          "measured on " + counted(more.size(), "slide") + " that " + first_.name + " was not: " + listed(more));
  }

  /// Slides of both for which `differs`.
  std::vector<std::string> where(const std::function<bool(const MeasuredOn&, const MeasuredOn&)>& differs) const {
    std::vector<std::string> out;
    for (const auto& [key, slide] : run_.slides)
      if (const auto there = first_.slides.find(key); there != first_.slides.end() && differs(slide, there->second))
        out.push_back(key.slide);
    return out;
  }

  void digests(const std::string& key, const std::string& what, std::string MeasuredOn::*digest) {
    const auto others = where([&](const MeasuredOn& a, const MeasuredOn& b) {
      return a.*digest != b.*digest && !(a.*digest).empty() && !(b.*digest).empty();
    });
    const auto unknown =
        where([&](const MeasuredOn& a, const MeasuredOn& b) { return (a.*digest).empty() || (b.*digest).empty(); });
    if (!others.empty())
      say(key,
          "other " + what + " than " + first_.name + " on " + counted(others.size(), "slide") + ": " + listed(others));
    if (!unknown.empty())
      say(key, "no digest of " + what + " on " + counted(unknown.size(), "slide") + ": " + listed(unknown));
  }

  void donors() {
    const auto others = where([](const MeasuredOn& a, const MeasuredOn& b) { return a.donor != b.donor; });
    if (!others.empty())
      say("donor",
          "another donor than " + first_.name + " on " + counted(others.size(), "slide") + ": " + listed(others));
  }

  void folds() {
    const auto others = where([](const MeasuredOn& a, const MeasuredOn& b) { return a.fold != b.fold; });
    if (!others.empty())
      say("data.folds",
          counted(others.size(), "slide") + " held out by another fold than of " + first_.name + ": " + listed(others));
    else if (run_.facts.folds != first_.facts.folds)
      say("data.folds",
          "folds " + numbers(run_.facts.folds) + "; of " + first_.name + ": " + numbers(first_.facts.folds));
  }

  const MeasuredRun& first_;
  const MeasuredRun& run_;
  std::vector<Objection>& out_;
};

/// Slides that the network which predicted them was trained on: by name, or by their pixels.
void object_to_seen(const MeasuredRun& run, std::vector<Objection>& out) {
  std::vector<std::string> seen;
  for (const auto& [key, slide] : run.slides) {
    const auto fold = run.trained.find(slide.fold);
    if (fold == run.trained.end()) continue;
    const auto is_it = [&, &key = key, &slide = slide](const SlideEntry& entry) {
      return (entry.id == key.slide && entry.dataset == key.dataset) ||
             (!slide.picture.empty() && entry.picture == slide.picture);
    };
    if (std::any_of(fold->second.trained_on.begin(), fold->second.trained_on.end(), is_it)) seen.push_back(key.slide);
  }
  if (!seen.empty())
    out.push_back({"trained_on", run.name + ": was trained on " + counted(seen.size(), "slide") +
                                     " that it is measured on: " + listed(seen)});
}

void object_to_gaps(const MeasuredRun& run, std::vector<Objection>& out) {
  for (const MeasuredRun::Part& part : run.parts())
    if (!part.weights_since.empty())
      out.push_back({"weights", run.name + ": measured before it was trained further (" + part.weights_since +
                                    "); anew with: nephron validate " + shell_word(part.folder.string()) +
                                    " --overwrite"});
  for (const MeasuredRun::Part& part : run.parts())
    if (!part.complete)
      out.push_back({"complete", run.name + ": the validation was cut short; it goes on with: nephron validate " +
                                     shell_word(part.folder.string()) + " --continue" +
                                     (part.validation == part.folder / "validation"
                                          ? ""
                                          : " --out " + shell_word(part.validation.string()))});
  std::vector<std::string> failed;
  for (const auto& [slide, why] : run.facts.failures) failed.push_back(slide);
  if (!failed.empty())
    out.push_back(
        {"complete", run.name + ": " + counted(failed.size(), "slide") + " could not be measured: " + listed(failed)});
}

}  // namespace

std::vector<Objection> objections(const std::vector<MeasuredRun>& runs, const std::string& metric) {
  std::vector<Objection> out;
  for (std::size_t i = 1; i < runs.size(); ++i) Against(runs[0], runs[i], out).object(metric);
  for (const MeasuredRun& run : runs) object_to_gaps(run, out), object_to_seen(run, out);
  return out;
}

std::vector<std::string> shared_donors(const std::vector<MeasuredRun>& runs) {
  std::map<std::vector<std::string>, std::vector<std::string>> found;  // donors -> runs
  for (const MeasuredRun& run : runs) {
    std::map<int, std::set<std::string>> trained;
    for (const auto& [fold, slides] : run.trained)
      for (const SlideEntry& slide : slides.trained_on) trained[fold].insert(slide.donor);
    std::set<std::string> both;
    for (const auto& [key, slide] : run.slides)
      if (!slide.donor.empty() && trained[slide.fold].contains(slide.donor)) both.insert(slide.donor);
    if (!both.empty()) found[{both.begin(), both.end()}].push_back(run.name);
  }
  std::vector<std::string> out;
  for (const auto& [donors, names] : found)
    out.push_back(joined(names) + (names.size() == 1 ? " was" : " were") + " trained on other slides of " +
                  counted(donors.size(), "donor") + " that " + (names.size() == 1 ? "it is" : "they are") +
                  " measured on: " + listed(donors) +
                  ". Figures flatter; data.folds.by = \"donor\" keeps donors together.");
  return out;
}

const std::vector<std::string>& objection_keys() {
  static const std::vector<std::string> keys{
      "slides",      "picture",           "truth",       "donor",           "data.folds", "classes",
      "data.factor", "predict.threshold", "predict.tta", "predict.overlap", "checkpoint", "precision",
      "metric",      "objects",           "trained_on",  "complete",        "weights"};
  return keys;
}

std::vector<SlideKey> common_slides(const std::vector<MeasuredRun>& runs) {
  std::vector<SlideKey> out;
  for (const auto& [key, slide] : runs.at(0).slides)
    if (std::all_of(runs.begin(), runs.end(), [&](const MeasuredRun& r) { return r.slides.contains(key); }))
      out.push_back(key);
  return out;
}

}  // namespace nephron::host
