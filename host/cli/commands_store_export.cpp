#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include <nephron/value.hpp>

#include <host/cli/command.hpp>
#include <host/store/inventory.hpp>
#include <host/util/command_output.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;

/// "pictures/slide-1a2b3c4d": where a folder lies in its store.
std::string place(const fs::path& store, const StoredFolder& stored) {
  return stored.folder.path().lexically_relative(store).string();
}

struct ExportRequest {
  fs::path store;
  std::string slide;
  bool labels = false;
  std::vector<std::string> classes;
  std::string factor;
  std::vector<std::int64_t> region;
  ExportWish wish;
  bool overwrite = false;
};

/// What is exported: one folder of labels, or one of pictures.
struct Chosen {
  fs::path folder;
  std::vector<Reduction> reductions;
  fs::path source;
};

template <class Records>
std::vector<Reduction> reductions_of(const Records& records) {
  std::vector<Reduction> out;
  for (const auto& record : records) out.push_back(record.reduction);
  return out;
}

Chosen one_of(const std::vector<Chosen>& found, const fs::path& store, const std::string& what,
              const std::string& hint) {
  if (found.size() == 1) return found.front();
  throw Error(store.string() + " holds " + std::to_string(found.size()) + " " + what,
              hint + (found.empty() ? "" : ", such as " + found.front().folder.lexically_relative(store).string()));
}

/// The folders of a slide by its id or its place.
std::vector<StoredFolder> folders_of(const fs::path& store, const std::string& name) {
  std::vector<std::string> ids;
  std::vector<StoredFolder> found;
  for (StoredFolder& stored : list_store(store)) {
    const std::string id = stored.labels.empty() ? place(store, stored) : stored.labels.front().slide;
    ids.push_back(id);
    if (id == name || place(store, stored) == name) found.push_back(std::move(stored));
  }
  if (!found.empty()) return found;
  const std::string near = nearest(name, ids);
  throw Error(store.string() + " holds no slide \"" + name + "\"",
              near.empty() ? "nephron store list names them" : "did you mean \"" + near + "\"?");
}

Chosen chosen_labels(const ExportRequest& request, const std::vector<StoredFolder>& folders) {
  std::vector<Chosen> found;
  for (const StoredFolder& stored : folders) {
    if (stored.labels.empty() || !stored.labels.front().annotated) continue;
    if (request.classes.empty() || stored.labels.front().classes == request.classes)
      found.push_back({stored.folder.path(), reductions_of(stored.labels), {}});
  }
  return one_of(found, request.store, "sets of labels of slide \"" + request.slide + "\"",
                "choose one with --classes A,B, or by its place");
}

Chosen chosen_picture(const ExportRequest& request, const std::vector<StoredFolder>& folders) {
  std::map<fs::path, Chosen> found;
  for (const StoredFolder& stored : folders) {
    PictureFolder folder(stored.folder.path());
    if (!stored.labels.empty()) folder = LabelsFolder(stored.folder.path()).picture_of(stored.labels.front());
    const std::vector<Reduction> reductions = folder.reductions();
    if (reductions.empty()) continue;
    const auto record = folder.record(reductions.front());
    found[folder.path()] = {folder.path(), reductions, record ? record->source.path : fs::path()};
  }
  std::vector<Chosen> all;
  for (auto& [path, chosen] : found) all.push_back(std::move(chosen));
  return one_of(all, request.store, "pictures of slides \"" + request.slide + "\"", "name one by its place");
}

int export_command(const ExportRequest& request) {
  CommandOutput output(request.wish.out, request.overwrite);
  const auto folders = folders_of(request.store, request.slide);
  const Chosen chosen = request.labels ? chosen_labels(request, folders) : chosen_picture(request, folders);
  if (!chosen.source.empty()) output.require_none_of({chosen.source});
  ExportWish wish = request.wish;
  if (chosen.reductions.empty()) throw Error(chosen.folder.string() + " is unfinished", "prepare the slide again");
  wish.reduction = chosen.reductions.front();
  if (!request.factor.empty()) {
    const auto wanted = Reduction::parse(request.factor);
    const auto found =
        wanted ? std::find(chosen.reductions.begin(), chosen.reductions.end(), *wanted) : chosen.reductions.end();
    if (found == chosen.reductions.end())
      throw Error(chosen.folder.string() + " is not prepared at factor " + request.factor,
                  "nephron store list shows its factors");
    wish.reduction = *found;
  }
  if (!request.region.empty())
    wish.region = {request.region[0], request.region[1], request.region[2], request.region[3]};
  output.prepare();
  if (request.labels) export_labels(LabelsFolder(chosen.folder), wish);
  else export_picture(PictureFolder(chosen.folder), wish);
  std::printf("%s\n", wish.out.c_str());
  return Exit::done;
}

void add_export(CLI::App& app, int& exit) {
  const auto groups = app.get_subcommands([](CLI::App* group) { return group->get_name() == "store"; });
  auto* command = groups.at(0)->add_subcommand("export", "Write a prepared slide or its labels as PNG or TIFF");
  const auto request = std::make_shared<ExportRequest>();
  command->add_option("store", request->store, "Folder of prepared slides")->required();
  command->add_option("slide", request->slide, "Id of the slide, or a place as `store list` shows it")->required();
  command->add_option("--out", request->wish.out, "File to write: .png, .tif, .tiff")->required();
  command->add_flag("--overwrite", request->overwrite, "Replace a file that exists");
  command->add_option("--factor", request->factor, "Reduction, as `store list` shows it; the least by default");
  command->add_option("--region", request->region, "X,Y,W,H in pixels of that level")->delimiter(',')->expected(4);
  command->add_flag("--labels", request->labels, "Labels, one bit a class, in place of the picture");
  command->add_option("--classes", request->classes, "Which labels, where there are several")->delimiter(',');
  command->callback([request, &exit] { exit = export_command(*request); });
}

}  // namespace

NEPHRON_COMMAND("store export", 27, add_export)  // after the group that it belongs to

}  // namespace nephron::host
