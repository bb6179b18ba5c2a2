#include <cstdio>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/feed/store_slides.hpp>
#include <host/store/inventory.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void print(const Json& json) { std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str()); }

std::string list_of(const std::vector<int>& numbers) {
  std::string out;
  for (const int n : numbers) out += (out.empty() ? "" : ",") + std::to_string(n);
  return out;
}

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

/// "folder-1a2b3c4d/slide": where a slide lies in its store.
std::string place(const fs::path& store, const StoredEntry& entry) {
  return entry.folder.path().lexically_relative(store).string();
}

int list(const fs::path& store, bool json) {
  const auto entries = list_store(store);
  Json out = Json::array();
  std::int64_t bytes = 0;
  for (const StoredEntry& e : entries) {
    bytes += e.bytes;
    Json line{{"place", place(store, e)}, {"bytes", e.bytes}, {"problems", e.problems}};
    std::string text;
    if (e.picture) {
      const PictureRecord& p = *e.picture;
      line.update({{"slide", p.slide},
                   {"dataset", p.dataset},
                   {"size", {p.size.width, p.size.height}},
                   {"mpp", p.mpp},
                   {"factors", p.factors},
                   {"source", p.source.path.string()}});
      text =
          std::to_string(p.size.width) + " x " + std::to_string(p.size.height) + " px, factors " + list_of(p.factors);
    }
    line["labels"] = Json::array();
    for (const LabelsRecord& l : e.labels) {
      line["labels"].push_back({{"classes", l.classes}, {"annotated", l.annotated}, {"factors", l.factors}});
      std::string names;
      for (const std::string& name : l.classes) names += (names.empty() ? "" : ",") + name;
      text += l.annotated ? ", labels " + names : ", no annotation";
    }
    if (!json) std::printf("%-40s %12s  %s\n", place(store, e).c_str(), megabytes(e.bytes).c_str(), text.c_str());
    if (!json)
      for (const std::string& problem : e.problems) std::printf("  %s\n", problem.c_str());
    out.push_back(std::move(line));
  }
  if (json) print(out);
  else std::printf("%zu slides, %s\n", entries.size(), megabytes(bytes).c_str());
  return Exit::done;
}

int verify(const fs::path& store, const VerifyRequest& request, bool json) {
  const auto entries = list_store(store);
  std::vector<std::string> problems;
  Progress progress("verifying slides", static_cast<std::int64_t>(entries.size()));
  std::int64_t done = 0;
  for (const StoredEntry& e : entries) {
    if (interrupted()) throw Cancelled();
    for (std::string& problem : verify_slide(e, request)) problems.push_back(std::move(problem));
    progress.update(++done);
  }
  progress.finish();
  if (json) print({{"slides", entries.size()}, {"problems", problems}});
  else {
    for (const std::string& problem : problems) std::printf("%s\n", problem.c_str());
    std::printf("%zu slides, %zu problems\n", entries.size(), problems.size());
  }
  return problems.empty() ? Exit::done : Exit::failed;
}

struct PruneRequest {
  std::vector<fs::path> experiments;
  std::vector<fs::path> plugins;
  bool dry_run = false, json = false;
};

/// Removes what none of the experiments, which name one store, would open.
int prune(const PruneRequest& request) {
  fs::path store;
  std::set<fs::path> folders, labels;
  for (const fs::path& file : request.experiments) {
    PluginSearch search;
    search.command_line = request.plugins;
    std::unique_ptr<Registry> registry;
    const Experiment experiment = load_experiment(file, {}, search, registry);
    if (experiment.data.store.empty()) throw Error(file.string() + " names no store");
    if (!store.empty() && store != experiment.data.store)
      throw Error(file.string() + " names the store " + experiment.data.store.string() + ", not " + store.string(),
                  "prune one store at a time, with all experiments that use it");
    store = experiment.data.store;
    const Listing listing(experiment, *registry);
    for (const auto& slide : listing.slides()) {
      const StorePlace wanted = place_of(listing, slide);
      folders.insert(wanted.folder.path());
      labels.insert(wanted.folder.labels_record(wanted.wish.classes));
    }
  }
  std::vector<std::string> removed;
  std::int64_t bytes = 0;
  for (const StoredEntry& e : list_store(store)) {
    if (interrupted()) throw Cancelled();
    if (!folders.contains(e.folder.path())) {
      removed.push_back(place(store, e));
      bytes += e.bytes;
      if (!request.dry_run) remove_slide(e.folder);
      continue;
    }
    for (const LabelsRecord& l : e.labels) {
      if (labels.contains(e.folder.labels_record(l.classes))) continue;
      removed.push_back(e.folder.labels(l.classes).lexically_relative(store).string());
      bytes += l.bytes;
      if (!request.dry_run) remove_labels(e.folder, l.classes);
    }
  }
  if (request.json) print({{"removed", removed}, {"bytes", bytes}, {"dry_run", request.dry_run}});
  else {
    for (const std::string& name : removed) std::printf("%s\n", name.c_str());
    std::printf("%s %zu of %s, %s\n", request.dry_run ? "would remove" : "removed", removed.size(), store.c_str(),
                megabytes(bytes).c_str());
  }
  return Exit::done;
}

struct ExportRequest {
  fs::path store;
  std::string slide;
  std::string labels;
  std::vector<std::int64_t> region;
  ExportWish wish;
};

/// The folder of a slide by its id, or by its place where an id is there twice.
StoredEntry find_slide(const fs::path& store, const std::string& name) {
  std::vector<std::string> ids;
  std::vector<StoredEntry> found;
  for (StoredEntry& e : list_store(store)) {
    const std::string id = e.picture ? e.picture->slide : "";
    ids.push_back(id.empty() ? place(store, e) : id);
    if (id == name || place(store, e) == name) found.push_back(std::move(e));
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    const std::string near = nearest(name, ids);
    throw Error(store.string() + " holds no slide \"" + name + "\"",
                near.empty() ? "nephron store list names them" : "did you mean \"" + near + "\"?");
  }
  throw Error(store.string() + " holds " + std::to_string(found.size()) + " slides \"" + name + "\"",
              "name one by its place, such as " + place(store, found.front()));
}

int export_command(const ExportRequest& request) {
  const StoredEntry entry = find_slide(request.store, request.slide);
  ExportWish wish = request.wish;
  if (!request.region.empty())
    wish.region = {request.region[0], request.region[1], request.region[2], request.region[3]};
  if (wish.what == ExportWish::What::labels) {
    std::vector<const LabelsRecord*> there;
    for (const LabelsRecord& l : entry.labels)
      if (l.annotated) there.push_back(&l);
    if (there.size() != 1 && wish.classes.empty())
      throw Error("slide \"" + request.slide + "\" has " + std::to_string(there.size()) + " sets of labels",
                  "choose one with --classes A,B");
    if (wish.classes.empty()) wish.classes = there.front()->classes;
  }
  export_slide(entry.folder, wish);
  std::printf("%s\n", wish.out.c_str());
  return Exit::done;
}

void add_export(CLI::App& store, int& exit) {
  auto* command = store.add_subcommand("export", "Write a prepared slide or its labels as PNG or TIFF");
  const auto request = std::make_shared<ExportRequest>();
  const auto labels = std::make_shared<bool>(false);
  command->add_option("store", request->store, "Folder of prepared slides")->required();
  command->add_option("slide", request->slide, "Id of the slide, or its place as `store list` shows it")->required();
  command->add_option("--out", request->wish.out, "File to write: .png, .tif, .tiff")->required();
  command->add_option("--factor", request->wish.factor, "Level; the least that is there by default")
      ->check(CLI::Range(1, 64));
  command->add_option("--region", request->region, "X,Y,W,H in pixels of that level")->delimiter(',')->expected(4);
  command->add_flag("--labels", *labels, "Labels, one bit a class, in place of the picture");
  command->add_option("--classes", request->wish.classes, "Which labels, where there are several")->delimiter(',');
  command->callback([request, labels, &exit] {
    if (*labels) request->wish.what = ExportWish::What::labels;
    exit = export_command(*request);
  });
}

void add_store(CLI::App& app, int& exit) {
  auto* store = app.add_subcommand("store", "Look after prepared slides");
  store->require_subcommand(1);
  struct Shared {
    fs::path folder;
    VerifyRequest verify;
    bool json = false;
  };
  const auto shared = std::make_shared<Shared>();
  auto* lister = store->add_subcommand("list", "What is prepared, and how much room it takes");
  auto* verifier = store->add_subcommand("verify", "Read every tile and compare with what was written");
  for (auto* command : {lister, verifier}) {
    command->add_option("store", shared->folder, "Folder of prepared slides")->required();
    command->add_flag("--json", shared->json, "As JSON");
  }
  verifier->add_flag("--sources", shared->verify.sources, "Compare the content of source files too");
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
  add_export(*store, exit);
}

}  // namespace

NEPHRON_COMMAND("store", 26, add_store)

}  // namespace nephron::host
