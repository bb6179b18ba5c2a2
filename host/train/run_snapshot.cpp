#include <host/train/run_snapshot.hpp>

#include <map>
#include <utility>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/data/fold_slides.hpp>
#include <host/data/folds.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>
#include <host/weights/named_weights.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

std::string brief(const std::string& sha256) { return sha256.substr(0, 12); }

std::string then_and_now(const std::string& was, const std::string& now) {
  return " (SHA-256 " + brief(was) + " then, " + brief(now) + " now)";
}

/// Slides of one side, by dataset and id.
using Sides = std::map<std::pair<std::string, std::string>, SlideEntry>;

void compare_side(const Sides& was, const Sides& now, const std::string& doing, std::vector<std::string>& out) {
  for (const auto& [name, slide] : was) {
    const auto found = now.find(name);
    if (found == now.end()) {
      out.push_back("slide \"" + name.second + "\" was " + doing + " then, and is not now");
      continue;
    }
    const auto tell = [&](const std::string& what, const std::string& before, const std::string& after) {
      if (!before.empty() && before != after)
        out.push_back("slide \"" + name.second + "\" (" + doing + "): " + what + then_and_now(before, after));
    };
    tell("other pixels", slide.picture, found->second.picture);
    tell("another mask", slide.labels, found->second.labels);
  }
  for (const auto& [name, slide] : now)
    if (!was.contains(name)) out.push_back("slide \"" + name.second + "\" is " + doing + " now, and was not then");
}

Sides by_name(const std::vector<SlideEntry>& slides) {
  Sides out;
  for (const SlideEntry& slide : slides) out.emplace(std::pair(slide.dataset, slide.id), slide);
  return out;
}

Sides by_name(const Experiment& experiment, const PreparedData& data, const std::vector<std::size_t>& which) {
  Sides out;
  for (const std::size_t i : which) {
    const PreparedSlide& slide = *data.slides[i];
    const Digests digests = slide.digests();
    SlideEntry entry;
    entry.picture = digests.picture, entry.labels = digests.labels;
    out.emplace(std::pair(dataset_name(experiment, slide), slide.info().id), entry);
  }
  return out;
}

void compare_program(const Snapshot& snapshot, std::vector<std::string>& out) {
  const fs::path tree = package_root();
  for (const SnapshotFile& file : snapshot.program) {
    if (file.place.ends_with(".commands")) continue;  // words of --help
    std::error_code failed;
    const fs::path now = tree / file.place;
    if (!fs::exists(now, failed)) out.push_back("program: " + file.place + " is not there now");
    else if (const std::string digest = sha256_of(now); digest != file.object.sha256)
      out.push_back("program: " + file.place + " is another one" + then_and_now(file.object.sha256, digest));
  }
}

/// Plugins that the experiment takes; what else lies beside them computes nothing.
void compare_plugins(const Snapshot& snapshot, const Experiment& experiment, const Registry& registry,
                     std::vector<std::string>& out) {
  std::map<std::string, std::string> was;
  for (const SnapshotPlugin& plugin : snapshot.plugins) was[plugin.plugin] = plugin.object.sha256;
  for (const UsedPlugin& plugin : used_plugins(experiment, registry)) {
    const std::string before = was[plugin.plugin];
    if (before.empty()) out.push_back("plugin \"" + plugin.plugin + "\" was not there then");
    else if (before != plugin.sha256)
      out.push_back("plugin \"" + plugin.plugin + "\" (" + plugin.file.string() + ") is another file" +
                    then_and_now(before, plugin.sha256));
  }
}

void compare_torch(const TorchLibrary& was, std::vector<std::string>& out) {
  const TorchLibrary now = torch_library();
  if (was.build != now.build) out.push_back("torch: LibTorch " + was.build + " then, " + now.build + " now");
  else if (!was.ends.empty() && !now.ends.empty() && (was.bytes != now.bytes || was.ends != now.ends))
    out.push_back("torch: " + now.file.string() + " is another build of LibTorch " + was.build + " than then");
}

void compare_weights(const Snapshot& snapshot, const Experiment& experiment, std::vector<std::string>& out) {
  std::map<std::string, SnapshotWeights> was;
  for (const SnapshotWeights& w : snapshot.weights) was.emplace(w.key, w);
  for (const SnapshotWeights& now : weights_of(experiment)) {
    const auto then = was.find(now.key);
    if (then == was.end()) out.push_back("weights: " + now.key + " named none then");
    else if (then->second.object.sha256 != now.object.sha256)
      out.push_back("weights: " + now.file.string() + " (" + now.key + ") is another file" +
                    then_and_now(then->second.object.sha256, now.object.sha256));
  }
}

}  // namespace

std::vector<SnapshotWeights> weights_of(const Experiment& experiment) {
  std::vector<SnapshotWeights> out;
  for (const auto& [key, named] : {std::pair{"model.encoder.weights", experiment.model.encoder.weights},
                                   std::pair{"model.weights", experiment.model.weights}})
    if (!named.empty()) {
      const fs::path file = weights_file(named);
      out.push_back({key, file, name_of(file)});
    }
  return out;
}

void keep_snapshot(const RunFolder& run, const RunSnapshotParts& parts) try {
  ObjectStore store(run.folder().parent_path().parent_path());
  const ObjectsInUse in_use(store);
  Snapshot snapshot = take_snapshot(store, package_root(), parts.registry.components());
  snapshot.experiment = store.put_text(parts.resolved);
  std::error_code failed;
  if (fs::exists(run.splits(), failed)) snapshot.splits = store.put(run.splits());
  if (parts.own_weights) snapshot.weights = weights_of(parts.experiment);
  write_snapshot(run.folder() / snapshot_name, snapshot);
} catch (const std::exception& e) {  // also what the standard library throws of files
  log().warning(std::string("this run keeps no snapshot, so that nephron rerun cannot start it again: ") + e.what());
}

std::vector<std::string> differences_from_snapshot(const Snapshot& snapshot, const Experiment& experiment,
                                                   const Registry& registry) {
  std::vector<std::string> out;
  compare_plugins(snapshot, experiment, registry, out);
  compare_program(snapshot, out);
  compare_torch(snapshot.torch, out);
  if (!snapshot.weights.empty()) compare_weights(snapshot, experiment, out);
  return out;
}

std::vector<std::string> differences_of_slides(const fs::path& then, const Experiment& experiment,
                                               const PreparedData& data, int fold) {
  std::vector<std::string> out;
  std::error_code failed;
  if (!fs::exists(then, failed)) return out;
  const FoldSlidesRecord was = read_fold_slides(then);
  const FoldSlides now = slides_of(data, fold);
  compare_side(by_name(was.trained_on), by_name(experiment, data, now.training), "trained on", out);
  compare_side(by_name(was.held_out), by_name(experiment, data, now.held_out), "held out", out);
  return out;
}

}  // namespace nephron::host
