#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/store/inventory.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct StainsRequest {
  fs::path store, out;
  std::string factor;
  bool overwrite = false;
};

Json json_of(const SlideColours& c) {
  return {{"stains", c.stains},
          {"strength", c.strength},
          {"lab_mean", c.lab_mean},
          {"lab_deviation", c.lab_deviation},
          {"background", c.background}};
}

/// The level that is asked for, or the finest.
const PictureRecord* level_of(const StoredFolder& stored, const std::string& factor) {
  for (const PictureRecord& p : stored.pictures)
    if (factor.empty() || p.reduction.str() == factor) return &p;
  return nullptr;
}

int stains(const StainsRequest& request) {
  std::optional<CommandOutput> output;
  if (!request.out.empty()) output.emplace(request.out, request.overwrite);
  const auto folders = list_store(request.store);
  std::multimap<std::string, const LabelsRecord*> slides;  // by the picture's folder: datasets may share it
  for (const StoredFolder& stored : folders)
    for (const LabelsRecord& l : stored.labels) slides.emplace(l.picture, &l);
  std::map<std::string, std::map<std::string, Json>> known;  // by name, then by dataset
  std::set<std::string> alike;                               // names that several slides of a dataset have
  std::size_t without = 0;
  Progress progress("measuring", static_cast<std::int64_t>(folders.size()));
  std::int64_t done = 0;
  for (const StoredFolder& stored : folders) {
    if (interrupted()) throw Cancelled();
    progress.update(++done);
    const auto [first, last] = slides.equal_range(stored.folder.path().filename().string());
    const PictureRecord* const record = level_of(stored, request.factor);
    if (first == last || record == nullptr) continue;
    const auto colours = PictureFolder(stored.folder.path()).colours(*record);
    if (!colours || !(colours->strength[0] > 0)) {
      ++without;
      continue;
    }
    for (auto slide = first; slide != last; ++slide) {
      const auto [place, fresh] = known[slide->second->slide].emplace(slide->second->dataset, json_of(*colours));
      if (!fresh && place->second != json_of(*colours)) alike.insert(slide->second->slide);
    }
  }
  progress.finish();
  if (!alike.empty())
    throw Error(
        request.store.string() + " holds other slides of the same name, such as \"" + *alike.begin() +
            "\", of one dataset: a name does not say whose stains are meant",
        "remove what no experiment uses any more (nephron store prune), or leave the statistics file out: `stains = "
        "\"slide\"` takes each slide's own");
  if (known.empty())
    throw Error(request.store.string() + " has no slide " +
                    (request.factor.empty() ? "" : "at factor " + request.factor + " ") + "whose stains are known",
                "nephron store list shows what it holds");
  if (without > 0) log().warning(counted(without, "slide") + " left out: too little tissue, or one stain alone");
  Json all = Json::object();
  for (auto& [slide, of_dataset] : known) {
    const Json first = of_dataset.begin()->second;
    const bool one =
        std::all_of(of_dataset.begin(), of_dataset.end(), [&](const auto& d) { return d.second == first; });
    if (one) all[slide] = first;
    for (auto& [dataset, colours] : of_dataset)
      if (!one) all[dataset + "/" + slide] = std::move(colours);
  }
  const std::string text = Json{{"slides", all}}.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (!output) return std::printf("%s", text.c_str()), Exit::done;
  output->write(text);
  std::printf("%s: stains of %s\n", request.out.c_str(), counted(all.size(), "slide").c_str());
  return Exit::done;
}

void add_stains(CLI::App& app, int& exit) {
  const auto groups = app.get_subcommands([](CLI::App* group) { return group->get_name() == "store"; });
  auto* command = groups.at(0)->add_subcommand(
      "stains", "Stains and colours of each slide's tissue, as augmentations are told: JSON, for their `statistics`");
  const auto request = std::make_shared<StainsRequest>();
  command->add_option("store", request->store, "Folder of prepared slides")->required();
  command->add_option("--out", request->out, "JSON file to write [what is found is printed]");
  command->add_flag("--overwrite", request->overwrite, "Replace a file that exists");
  command->add_option("--factor", request->factor, "Reduction, as `store list` shows it; the least by default");
  command->callback([request, &exit] { exit = stains(*request); });
}

}  // namespace

NEPHRON_COMMAND("store stains", 28, add_stains)  // after the group that it belongs to

}  // namespace nephron::host
