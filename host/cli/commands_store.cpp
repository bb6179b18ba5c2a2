#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/store_places.hpp>
#include <host/data/store_slides.hpp>
#include <host/store/inventory.hpp>
#include <host/store/marker.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/printable.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void print_json(const Json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

template <class Record>
std::string list_of(const std::vector<Record>& records) {
  std::string out;
  for (const Record& r : records) out += (out.empty() ? "" : ",") + r.reduction.str();
  return out;
}

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

/// "pictures/slide-1a2b3c4d": where a folder lies in its store.
std::string place(const fs::path& store, const StoredFolder& stored) {
  return stored.folder.path().lexically_relative(store).string();
}

std::string text_of(const StoredFolder& stored) {
  if (stored.earlier) return "a slide of an earlier version, which is not read any more";
  if (!stored.pictures.empty()) {
    const PictureRecord& p = stored.pictures.front();
    return std::to_string(p.size.width) + " x " + std::to_string(p.size.height) + " px, factors " +
           list_of(stored.pictures) + ", " + p.reader;
  }
  if (stored.labels.empty()) return "";
  const LabelsRecord& l = stored.labels.front();
  std::string names;
  for (const std::string& name : l.classes) names += (names.empty() ? "" : ",") + name;
  return "slide " + l.slide + " of " + l.dataset + ", factors " + list_of(stored.labels) + ", " +
         (l.annotated ? "labels " + names : "no annotation") + ", of pictures/" + l.picture;
}

Json json_of(const PictureRecord& p) {
  return {{"reduction", p.reduction.value()},
          {"reader", p.reader},
          {"size", {p.size.width, p.size.height}},
          {"mpp", p.mpp},
          {"bytes", p.bytes},
          {"source", p.source.path.string()},
          {"digest", p.digest}};
}

Json json_of(const LabelsRecord& l) {
  return {{"reduction", l.reduction.value()},
          {"slide", l.slide},
          {"dataset", l.dataset},
          {"picture", l.picture},
          {"classes", l.classes},
          {"annotated", l.annotated},
          {"foreground", l.foreground},
          {"bytes", l.bytes},
          {"digest", l.digest}};
}

Json json_of(const std::string& name, const StoredFolder& stored) {
  Json pictures = Json::array(), labels = Json::array();
  for (const PictureRecord& p : stored.pictures) pictures.push_back(json_of(p));
  for (const LabelsRecord& l : stored.labels) labels.push_back(json_of(l));
  return {{"place", name},    {"bytes", stored.bytes},     {"pictures", pictures},
          {"labels", labels}, {"earlier", stored.earlier}, {"problems", stored.problems}};
}

int list(const fs::path& store, bool json) {
  const auto folders = list_store(store);
  Json out = Json::array();
  std::int64_t bytes = 0;
  std::size_t pictures = 0, labels = 0;
  for (const StoredFolder& stored : folders) {
    bytes += stored.bytes;
    pictures += stored.pictures.empty() ? 0 : 1, labels += stored.labels.empty() ? 0 : 1;
    if (json) {
      out.push_back(json_of(place(store, stored), stored));
      continue;
    }
    std::printf("%-40s %12s  %s\n", printable_name(place(store, stored)).c_str(), megabytes(stored.bytes).c_str(),
                printable_name(text_of(stored)).c_str());
    for (const std::string& problem : stored.problems) print("  " + problem + "\n");
  }
  if (json) print_json(out);
  else
    std::printf("%s, %s of labels, %s\n", counted(pictures, "picture").c_str(), counted(labels, "set").c_str(),
                megabytes(bytes).c_str());
  return Exit::done;
}

int verify(const fs::path& store, const FolderChecks& request, bool json) {
  const auto folders = list_store(store);
  std::vector<std::string> problems;
  Progress progress("verifying", static_cast<std::int64_t>(folders.size()));
  std::int64_t done = 0;
  for (const StoredFolder& stored : folders) {
    if (interrupted()) throw Cancelled();
    for (std::string& problem : verify_folder(stored, request)) problems.push_back(std::move(problem));
    progress.update(++done);
  }
  progress.finish();
  if (json) print_json({{"folders", folders.size()}, {"problems", problems}});
  else {
    for (const std::string& problem : problems) print(problem + "\n");
    std::printf("%s, %s\n", counted(folders.size(), "folder").c_str(), counted(problems.size(), "problem").c_str());
  }
  return problems.empty() ? Exit::done : Exit::failed;
}

struct PruneRequest {
  std::vector<fs::path> experiments;
  std::vector<fs::path> plugins;
  bool dry_run = false, json = false;
};

/// What the experiments, which name one store, open: reductions by folder, as places below it.
struct Used {
  fs::path store;
  std::map<fs::path, std::set<Reduction>> folders;
  std::map<fs::path, std::set<Reduction>> sources;  ///< of slides whose labels are not prepared, and name no picture
};

/// Of a dataset that lists no slides nothing would be left.
void require_slides(const Listing& listing, const fs::path& file) {
  for (std::size_t d = 0; d < listing.experiment().datasets.size(); ++d)
    if (std::none_of(listing.slides().begin(), listing.slides().end(), [&](const auto& s) { return s.dataset == d; }))
      throw Error("dataset \"" + listing.dataset_name(d) + "\" of " + file.string() +
                      " lists no slides, so all that are prepared of it would be removed",
                  "bring its files back, or take the dataset out of the experiment");
}

void note_used(const Listing& listing, const Listing::Entry& entry, Used& used) {
  const LabelsPlace wanted = labels_place(listing, entry);
  const auto below = [&](const fs::path& path) {
    return used.store / path.lexically_relative(listing.experiment().data.store);
  };
  const auto& reductions = wanted.wish.reductions;
  used.folders[below(wanted.folder.path())].insert(reductions.begin(), reductions.end());
  if (const auto picture = known_picture(wanted))
    used.folders[below(picture->path())].insert(reductions.begin(), reductions.end());
  else if (!entry.info.source.empty())
    used.sources[fs::weakly_canonical(entry.info.source)].insert(reductions.begin(), reductions.end());
}

Used used_by(const PruneRequest& request) {
  Used used;
  for (const fs::path& file : request.experiments) {
    PluginSearch search;
    search.command_line = request.plugins;
    std::unique_ptr<Registry> registry;
    const Experiment experiment = load_experiment(file, {}, search, registry);
    if (experiment.data.store.empty()) throw Error(file.string() + " names no store");
    const fs::path store = fs::weakly_canonical(experiment.data.store);
    if (!used.store.empty() && store != used.store)
      throw Error(file.string() + " names the store " + store.string() + ", not " + used.store.string(),
                  "prune one store at a time, with all experiments that use it");
    used.store = store;
    const Listing listing(experiment, *registry);
    require_slides(listing, file);
    for (const auto& slide : listing.slides()) note_used(listing, slide, used);
  }
  return used;
}

struct Pruned {
  std::vector<std::string> removed, left;
  std::int64_t bytes = 0;
};

/// A folder that no experiment opens.
void prune_folder(const StoredFolder& stored, const std::string& name, bool dry_run, Pruned& out) {
  if (!stored.has_record()) {
    out.left.push_back(stored.problems.front() + "; without a record it is not removed");
    return;
  }
  for (std::string& foreign : dry_run ? foreign_in(stored.folder) : remove_folder(stored.folder))
    out.left.push_back(std::move(foreign) + " is not nephron's");
  out.removed.push_back(name);
  out.bytes += stored.bytes;
}

/// Reductions of a folder that no experiment opens.
template <class Record>
void prune_reductions(const StoredFolder& stored, const std::vector<Record>& records, const std::set<Reduction>& used,
                      const std::string& name, bool dry_run, Pruned& out) {
  for (const Record& record : records) {
    if (used.contains(record.reduction)) continue;
    out.removed.push_back(name + ", factor " + record.reduction.str());
    out.bytes += record.bytes;
    if (!dry_run) remove_reduction(stored.folder, record.reduction);
  }
}

/// Removes what none of the experiments would open, and tells what is left because it is not ours.
int prune(const PruneRequest& request) {
  const Used used = used_by(request);
  const auto folders = list_store(used.store);
  if (!request.dry_run && !folders.empty()) claim_store(used.store);
  Pruned out;
  for (const StoredFolder& stored : folders) {
    if (interrupted()) throw Cancelled();
    const std::string name = place(used.store, stored);
    std::set<Reduction> wanted;
    if (const auto found = used.folders.find(stored.folder.path()); found != used.folders.end()) wanted = found->second;
    for (const PictureRecord& record : stored.pictures)
      if (const auto found = used.sources.find(record.source.path); found != used.sources.end())
        wanted.insert(found->second.begin(), found->second.end());
    if (wanted.empty()) {
      prune_folder(stored, name, request.dry_run, out);
      continue;
    }
    prune_reductions(stored, stored.pictures, wanted, name, request.dry_run, out);
    prune_reductions(stored, stored.labels, wanted, name, request.dry_run, out);
  }
  if (request.json)
    print_json({{"removed", out.removed}, {"left", out.left}, {"bytes", out.bytes}, {"dry_run", request.dry_run}});
  else {
    for (const std::string& name : out.removed) print(printable_name(name) + "\n");
    for (const std::string& what : out.left) print("left: " + what + "\n");
    std::printf("%s %zu of %s, %s\n", request.dry_run ? "would remove" : "removed", out.removed.size(),
                used.store.c_str(), megabytes(out.bytes).c_str());
  }
  return Exit::done;
}

void add_store(CLI::App& app, int& exit) {
  auto* store = app.add_subcommand("store", "Look after prepared slides");
  store->require_subcommand(1);
  struct Shared {
    fs::path folder;
    FolderChecks verify;
    bool json = false;
  };
  const auto shared = std::make_shared<Shared>();
  auto* lister = store->add_subcommand("list", "What is prepared, and how much room it takes");
  auto* verifier = store->add_subcommand("verify", "Read every tile and compare with what was written");
  for (auto* command : {lister, verifier}) {
    command->add_option("store", shared->folder, "Folder of prepared slides")->required();
    command->add_flag("--json", shared->json, "As JSON");
  }
  verifier->add_flag("--sources", shared->verify.sources,
                     "Look at source files too: are they there, with the content that was read?");
  lister->callback([shared, &exit] { exit = list(shared->folder, shared->json); });
  verifier->callback([shared, &exit] { exit = verify(shared->folder, shared->verify, shared->json); });

  auto* pruner = store->add_subcommand("prune", "Remove what none of the named experiments uses");
  const auto request = std::make_shared<PruneRequest>();
  pruner->add_option("experiments", request->experiments, "All experiments that use the store (TOML)")->required();
  pruner->add_flag("--dry-run", request->dry_run, "Only say what would go");
  pruner->add_flag("--json", request->json, "As JSON");
  pruner->add_option("--plugin", request->plugins, "A plugin file to use besides; may be repeated")
      ->allow_extra_args(false);
  pruner->callback([request, &exit] { exit = prune(*request); });
}

}  // namespace

NEPHRON_COMMAND("store", 26, add_store)

}  // namespace nephron::host
