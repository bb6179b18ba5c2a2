#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/store_slides.hpp>
#include <host/store/inventory.hpp>
#include <host/store/marker.hpp>
#include <host/util/command_output.hpp>
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
    if (!json)
      std::printf("%-40s %12s  %s\n", printable_name(place(store, e)).c_str(), megabytes(e.bytes).c_str(),
                  printable_name(text).c_str());
    if (!json)
      for (const std::string& problem : e.problems) print("  " + problem + "\n");
    out.push_back(std::move(line));
  }
  if (json) print_json(out);
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
  if (json) print_json({{"slides", entries.size()}, {"problems", problems}});
  else {
    for (const std::string& problem : problems) print(problem + "\n");
    std::printf("%zu slides, %zu problems\n", entries.size(), problems.size());
  }
  return problems.empty() ? Exit::done : Exit::failed;
}

struct PruneRequest {
  std::vector<fs::path> experiments;
  std::vector<fs::path> plugins;
  bool dry_run = false, json = false;
};

/// What the experiments, which name one store, open: places below it.
struct Used {
  fs::path store;
  std::set<fs::path> folders, labels;
};

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
    for (std::size_t d = 0; d < experiment.datasets.size(); ++d)
      if (std::none_of(listing.slides().begin(), listing.slides().end(), [&](const auto& s) { return s.dataset == d; }))
        throw Error("dataset \"" + listing.dataset_name(d) + "\" of " + file.string() +
                        " lists no slides, so all that are prepared of it would be removed",
                    "bring its files back, or take the dataset out of the experiment");
    for (const auto& slide : listing.slides()) {
      const StorePlace wanted = place_of(listing, slide);
      const auto below = [&](const fs::path& path) { return store / path.lexically_relative(experiment.data.store); };
      used.folders.insert(below(wanted.folder.path()));
      used.labels.insert(below(wanted.folder.labels_record(wanted.wish.classes)));
    }
  }
  return used;
}

struct Pruned {
  std::vector<std::string> removed, left;
  std::int64_t bytes = 0;
};

/// A slide that no experiment opens.
void prune_slide(const StoredEntry& e, const std::string& name, bool dry_run, Pruned& out) {
  if (!e.picture) {
    out.left.push_back(e.problems.front() + "; without a record it is not removed");
    return;
  }
  for (std::string& foreign : dry_run ? foreign_in(e.folder) : remove_slide(e.folder))
    out.left.push_back(std::move(foreign) + " is not nephron's");
  out.removed.push_back(name);
  out.bytes += e.bytes;
}

/// Removes what none of the experiments would open, and tells what is left because it is not ours.
int prune(const PruneRequest& request) {
  const Used used = used_by(request);
  const auto entries = list_store(used.store);
  if (!request.dry_run && !entries.empty()) claim_store(used.store);
  Pruned out;
  for (const StoredEntry& e : entries) {
    if (interrupted()) throw Cancelled();
    if (!used.folders.contains(e.folder.path())) {
      prune_slide(e, place(used.store, e), request.dry_run, out);
      continue;
    }
    for (const LabelsRecord& l : e.labels) {
      if (used.labels.contains(e.folder.labels_record(l.classes))) continue;
      out.removed.push_back(e.folder.labels(l.classes).lexically_relative(used.store).string());
      out.bytes += l.bytes;
      if (!request.dry_run) remove_labels(e.folder, l.classes);
    }
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

struct ExportRequest {
  fs::path store;
  std::string slide;
  std::string labels;
  std::vector<std::int64_t> region;
  ExportWish wish;
  bool overwrite = false;
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
  CommandOutput output(request.wish.out, request.overwrite);
  const StoredEntry entry = find_slide(request.store, request.slide);
  if (entry.picture) output.require_none_of({entry.picture->source.path});
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
  output.prepare();
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
  command->add_flag("--overwrite", request->overwrite, "Replace a file that exists");
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
