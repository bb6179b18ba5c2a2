#include <host/compare/measured_run.hpp>

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/compare/json_lines.hpp>
#include <host/config/load.hpp>
#include <host/config/resolved_file.hpp>
#include <host/config/show.hpp>
#include <host/config/splits_file.hpp>
#include <host/runs/run.hpp>
#include <host/runs/validation_state.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// No measure is larger, and sums and squares of these are still numbers.
constexpr double most_value = 1e15;

std::string measure_again(const fs::path& run) {
  return "nephron validate " + shell_word(run.string()) + " --overwrite measures it anew";
}

std::string text_or_empty(const JsonNode& json, const char* key) {
  const auto found = json.find(key);
  return found && !found->raw().is_null() ? found->text() : std::string();
}

/// The run that a validation is of, by its place or by what it says.
fs::path run_of_validation(const fs::path& validation, const JsonNode& scores) {
  for (const fs::path& near : {validation.parent_path(), fs::path(scores.at("run").text())})
    if (fs::exists(near / "experiment.resolved.toml")) return near;
  scores.refuse("is the run " + scores.at("run").text() + ", which is not there any more: name its folder");
}

MeasuringFacts facts_of(const JsonNode& json) {
  MeasuringFacts out;
  out.checkpoint = json.at("checkpoint").text(), out.precision = json.at("precision").text();
  out.tta = json.at("tta").texts(), out.classes = json.at("classes").texts();
  std::sort(out.tta.begin(), out.tta.end());
  if (out.tta.empty()) out.tta.emplace_back("identity");
  if (out.classes.empty()) json.at("classes").refuse("names no class");
  for (const JsonNode& fold : json.at("folds").items())
    out.folds.push_back(static_cast<int>(fold.integer(0, std::numeric_limits<int>::max())));
  out.exclusive = json.at("exclusive").boolean(), out.complete = json.at("complete").boolean();
  for (const auto& [name, threshold] : json.at("thresholds").members()) out.thresholds[name] = threshold.number(0, 1);
  if (const auto from = json.find("threshold_from")) out.threshold_from = from->text();
  if (const auto objects = json.find("objects")) out.objects = objects->raw().dump();
  if (const auto by = json.find("measured_by"))
    for (const JsonNode& metric : by->items())
      out.metrics[metric.at("metric").text()] = {metric.at("plugin").text(), metric.at("version").text(),
                                                 metric.at("parameters").text()};
  for (const auto& [slide, why] : json.at("failures").members()) out.failures[slide] = why.text();
  return out;
}

std::map<std::string, ValueFacts> values_of(const JsonNode& json) {
  std::map<std::string, ValueFacts> out;
  for (const JsonNode& value : json.at("values").items()) {
    ValueFacts& facts = out[value.at("name").text()];
    facts.metric = value.at("metric").text();
    const std::string better = text_or_empty(value, "better");
    facts.good_when = better == "higher"    ? GoodWhen::higher
                      : better == "lower"   ? GoodWhen::lower
                      : better == "neither" ? GoodWhen::neither
                                            : GoodWhen::not_told;
  }
  return out;
}

/// Donors as the run's folds knew them, for validations that do not tell.
std::map<SlideKey, std::string> donors_of(const RunFolder& run) {
  std::map<SlideKey, std::string> out;
  if (!fs::exists(run.splits())) return out;
  for (const Splits::Slide& slide : read_splits(run.splits()).slides) out[{slide.dataset, slide.id}] = slide.donor;
  return out;
}

class SlidesReader {
 public:
  SlidesReader(MeasuredRun& run, std::map<SlideKey, std::string> donors) : run_(run), donors_(std::move(donors)) {}

  void line(const JsonNode& json, std::size_t number) {
    const SlideKey key{json.at("dataset").text(), json.at("slide").text()};
    const std::string of_class = json.at("class").text();
    if (!of_class.empty() &&
        std::find(run_.facts.classes.begin(), run_.facts.classes.end(), of_class) == run_.facts.classes.end())
      json.at("class").refuse("is \"" + of_class + "\", which is no class of scores.json");
    const auto [seen, is_new] = seen_.emplace(std::pair(key, of_class), number);
    if (!is_new)
      json.refuse("slide \"" + key.slide + "\", class \"" + of_class + "\" is there a second time; first in line " +
                  std::to_string(seen->second));
    MeasuredOn& slide = run_.slides[key];
    const MeasuredOn told = facts(json, key);
    if (slide.values.empty()) slide = told;
    else if (slide.donor != told.donor || slide.fold != told.fold || slide.picture != told.picture ||
             slide.truth != told.truth)
      json.refuse("slide \"" + key.slide + "\" has another donor, fold or digest here than in an earlier line");
    auto& values = slide.values[of_class];
    for (const auto& [name, unused] : run_.values)
      if (const auto value = json.find(name); value && !value->raw().is_null())
        values[name] = value->number(-most_value, most_value);
  }

 private:
  MeasuredOn facts(const JsonNode& json, const SlideKey& key) const {
    MeasuredOn out;
    const auto known = donors_.find(key);
    out.donor = json.find("donor") ? text_or_empty(json, "donor") : known == donors_.end() ? "" : known->second;
    if (const auto fold = json.find("fold"); fold && !fold->raw().is_null())
      out.fold = static_cast<int>(fold->integer(0, std::numeric_limits<int>::max()));
    out.picture = text_or_empty(json, "picture_sha256"), out.truth = text_or_empty(json, "truth_sha256");
    return out;
  }

  MeasuredRun& run_;
  std::map<SlideKey, std::string> donors_;
  std::map<std::pair<SlideKey, std::string>, std::size_t> seen_;
};

void read_folds(MeasuredRun& run, const RunFolder& folder) {
  std::set<int> folds;
  for (const auto& [key, slide] : run.slides)
    if (slide.fold >= 0) folds.insert(slide.fold);
  for (const int fold : folds) {
    const fs::path slides = folder.fold(fold).slides();
    if (!fs::exists(slides))
      throw Error((run.validation / "slides.jsonl").string() + " tells of fold " + std::to_string(fold) +
                      ", and what that was trained on is not known: there is no " + slides.string(),
                  "put it back from a copy of the run");
    run.trained[fold] = read_fold_slides(slides);
  }
  for (auto& [key, slide] : run.slides)
    if (const auto fold = run.trained.find(slide.fold); fold != run.trained.end())
      for (const SlideEntry& entry : fold->second.held_out)
        if (entry.id == key.slide && entry.dataset == key.dataset) slide.reduction = entry.reduction;
}

}  // namespace

std::vector<MeasuredRun::Part> MeasuredRun::parts() const {
  std::vector<Part> out{{folder, validation, facts.complete, facts.weights_since}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

MeasuredRun read_measured_run(const fs::path& path) {
  MeasuredRun out;
  const bool named = fs::exists(path / "scores.json") && fs::exists(path / "slides.jsonl");
  const RunFolder run = RunFolder::open(
      named ? run_of_validation(fs::absolute(path).lexically_normal(), JsonNode::read(path / "scores.json")) : path);
  out.folder = run.folder();
  out.validation = named ? fs::absolute(path).lexically_normal() : run.folder() / "validation";
  const fs::path scores = out.validation / "scores.json", slides = out.validation / "slides.jsonl";
  if (!fs::exists(scores))
    throw Error(out.folder.string() + " was not measured: it has no validation/scores.json",
                "nephron validate " + shell_word(out.folder.string()) + " makes it");
  out.config = parse_toml(run.experiment());
  out.config_edited = was_edited(read_file(run.experiment()));
  const JsonNode json = JsonNode::read(scores, measure_again(out.folder));
  out.facts = facts_of(json);
  out.facts.weights_since = weights_since(out.folder, json);
  out.values = values_of(json);
  SlidesReader reader(out, donors_of(run));
  read_json_lines(slides, measure_again(out.folder),
                  [&](const JsonNode& line, std::size_t number) { reader.line(line, number); });
  if (out.slides.empty())
    throw Error(slides.string() + " holds no slide: nothing was measured", measure_again(out.folder));
  read_folds(out, run);
  return out;
}

void name_apart(std::vector<MeasuredRun>& runs) {
  const auto unique = [&] {
    std::set<std::string> names;
    for (const MeasuredRun& run : runs) names.insert(run.name);
    return names.size() == runs.size();
  };
  const auto experiment = [](const MeasuredRun& run) {
    const Value* const name = run.config.find("name");
    return name != nullptr && name->is(Value::Type::string) && !name->string().empty()
               ? name->string()
               : run.folder.parent_path().filename().string();
  };
  for (MeasuredRun& run : runs) run.name = experiment(run);
  if (unique()) return;
  for (MeasuredRun& run : runs) {
    const std::string folder = run.folder.filename().string();
    run.name =
        experiment(run) + "/" + folder.substr(folder.rfind('-') == std::string::npos ? 0 : folder.rfind('-') + 1);
  }
  if (unique()) return;
  for (MeasuredRun& run : runs)
    if (run.validation != run.folder / "validation") run.name += ":" + run.validation.filename().string();
  if (unique()) return;
  for (MeasuredRun& run : runs) run.name = run.validation.string();
}

std::optional<std::string> config_text(const MeasuredRun& run, const std::string& key) {
  for (const Leaf& leaf : leaves(run.config))
    if (leaf.key == key) return leaf.value->str();
  return std::nullopt;
}

}  // namespace nephron::host
