#include <host/train/warm_start.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <nephron/error.hpp>

#include <host/runs/checkpoint_digests.hpp>
#include <host/runs/run.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/counted.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/weights/weights.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Of the weights' metadata; 0 when they say nothing.
std::int64_t step_of(const std::map<std::string, std::string>& metadata) {
  const auto entry = metadata.find("step");
  std::int64_t step = 0;
  if (entry != metadata.end()) std::from_chars(entry->second.data(), entry->second.data() + entry->second.size(), step);
  return std::max<std::int64_t>(step, 0);
}

std::string words_of(const FoldOrigin& origin) {
  return "fold " + std::to_string(origin.from_fold) + " of " + origin.run.string();
}

/// Slides that networks were trained on.
struct Seen {
  std::set<std::pair<std::string, std::string>> ids;  ///< dataset, id
  std::set<std::string> sources;
};

Seen seen_by(const fs::path& file) {
  Seen out;
  for (const JsonNode& slide : JsonNode::read(file).at("trained_on").items()) {
    out.ids.emplace(slide.at("dataset").text(), slide.at("id").text());
    if (const std::string source = slide.at("source").text(); !source.empty()) out.sources.insert(source);
  }
  return out;
}

}  // namespace

std::vector<FoldOrigin> find_origins(const fs::path& path, const std::string& checkpoint,
                                     const std::vector<int>& folds) {
  const RunFolder run = RunFolder::open(path);
  std::vector<FoldOrigin> out;
  for (const int k : folds) {
    FoldOrigin origin{k, run.folder(), run.opened_fold() >= 0 ? run.opened_fold() : k, checkpoint, 0, {}, {}};
    // A run that still trains moves its links, so the folder behind them is what counts.
    origin.weights = fs::canonical(run.fold(origin.from_fold).weights(checkpoint));
    std::map<std::string, std::string> metadata;
    read_tensors(origin.weights, &metadata);  // says what is damaged before any work
    origin.step = step_of(metadata);
    origin.sha256 = sha256_of(origin.weights);
    require_as_written(origin.weights, origin.sha256);
    out.push_back(std::move(origin));
  }
  return out;
}

void require_unseen_by(const FoldOrigin& origin, const Experiment& experiment, const PreparedData& data,
                       const FoldSlides& slides) {
  const fs::path file = RunFolder::open(origin.run).fold(origin.from_fold).slides();
  if (!fs::exists(file)) {
    log().warning(words_of(origin) + " does not say which slides it was trained on (" + file.string() +
                  " is not there): if slides that are held out now are among them, their Dice is too good");
    return;
  }
  const Seen seen = seen_by(file);
  std::vector<std::string> both;
  for (const std::size_t i : slides.held_out) {
    const SlideInfo& info = data.slides[i]->info();
    if (seen.ids.contains({experiment.datasets.at(data.slides[i]->dataset()).name, info.id}) ||
        seen.sources.contains(info.source.string()))
      both.push_back(info.id);
  }
  if (both.empty()) return;
  constexpr std::size_t shown = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(both.size(), shown); ++i) names += (i == 0 ? "\"" : ", \"") + both[i] + "\"";
  if (both.size() > shown) names += " and " + std::to_string(both.size() - shown) + " more";
  throw Error("fold " + std::to_string(origin.fold) + " holds out " + counted(both.size(), "slide") + " that " +
                  words_of(origin) + " was trained on: " + names,
              "Its Dice would be too good. Take a fold that held out the same slides (--from RUN/fold-K), and the same "
              "datasets and data.folds.");
}

void load_origin(const FoldOrigin& origin, torch::nn::Module& network) {
  if (!fs::exists(origin.weights))
    throw Error(origin.weights.string() + " is not there any more: this fold begins with the weights of " +
                words_of(origin));
  if (sha256_of(origin.weights) != origin.sha256)
    throw Error(origin.weights.string() + " is another file than the one that this fold begins with",
                "Start a new run: nephron train EXP.toml --from " + origin.run.string());
  try {
    apply_weights(network, read_tensors(origin.weights), /*strict=*/true, words_of(origin));
  } catch (const Error& e) {
    throw Error(e.what(), "--from takes a run of the same encoder, decoder and classes. model.weights = \"" +
                              origin.weights.string() + "\" with model.strict = false takes what fits.");
  }
}

}  // namespace nephron::host
