#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/plugins/registry.hpp>
#include <host/replay/objects.hpp>

namespace nephron::host {

/// A file of a program's tree: bin/nephron, lib/libnephron_sdk.so.0, ...
struct SnapshotFile {
  std::string place;  ///< in the tree
  ObjectName object;
  bool executable = false;
};

/// A plugin file that the program could load.
struct SnapshotPlugin {
  std::string plugin;          ///< its name
  std::filesystem::path file;  ///< where it lay
  std::string place;           ///< in the tree: lib/nephron/plugins/NAME.so
  ObjectName object;
};

/// LibTorch, which is too large to be kept: by what it can be told from another one.
struct TorchLibrary {
  std::string build;           ///< that the program was compiled for: "2.11.0+cpu"
  std::filesystem::path file;  ///< libtorch_cpu.so as the process had loaded it; empty: it had not
  std::int64_t bytes = 0;
  std::string ends;  ///< SHA-256 of the first and the last mebibyte
};

/// A file of weights that a run begins with.
struct SnapshotWeights {
  std::string key;  ///< of the experiment: "model.encoder.weights"
  std::filesystem::path file;
  ObjectName object;  ///< by what it can be recognised; it is not kept
};

/// What a run was made with: RUN/snapshot.json. The files that it names lie in the object store of its folder of runs.
struct Snapshot {
  std::string made, user, host;
  std::vector<SnapshotFile> program;
  std::vector<SnapshotPlugin> plugins;
  TorchLibrary torch;
  std::optional<ObjectName> experiment;  ///< experiment.resolved.toml
  std::optional<ObjectName> splits;      ///< splits.json
  std::vector<SnapshotWeights> weights;

  /// All that lies in the store.
  std::vector<ObjectName> objects() const;
};

inline constexpr const char* snapshot_name = "snapshot.json";
/// Where the experiment lies in a tree that was laid out, and beside it its folds.
inline constexpr const char* snapshot_experiment = "run/experiment.resolved.toml";
inline constexpr const char* snapshot_splits = "run/splits.json";

/// Keeps the program's files and plugins; the rest is the caller's. `tree`: the folder above bin/ (package_root() of
/// util/pages.hpp). `components`: those of the registry, whose plugin files are kept, used or not, so that a key may
/// name another one later. Hold ObjectsInUse from before this until the snapshot is written. Throws Error, also where
/// the program was built anew since this process began.
Snapshot take_snapshot(ObjectStore& store, const std::filesystem::path& tree,
                       const std::vector<ComponentInfo>& components);
/// LibTorch as this process has loaded it, or only the build that it was compiled for.
TorchLibrary torch_library();
/// The same of another file, which is called libtorch_cpu.so.
TorchLibrary torch_library_of(const std::filesystem::path& file);
/// SHA-256 over those of the program that runs and of nephron's libraries that it has loaded, whatever their names.
std::string program_digest();
/// A file by what ObjectName has of it.
ObjectName name_of(const std::filesystem::path& file);

std::string snapshot_text(const Snapshot& snapshot);
/// Writes it so that its owner alone can change it, whatever the umask: who can, says what runs with the rights of
/// whoever starts the run again. Throws Error.
void write_snapshot(const std::filesystem::path& file, const Snapshot& snapshot);
/// Throws Error that names file and place for anything but what snapshot_text() gives: places outside the tree, names
/// that are no digests, and so on.
Snapshot read_snapshot(const std::filesystem::path& file);

/// Lays out the program in `folder`, which is made: bin/, libexec/, lib/ with its plugins, run/ with the experiment,
/// and the snapshot, which says that no other plugins are looked for (plugins/search.hpp). Every file is checked. A
/// folder that is there already must be of this user and hold just that. Throws Error that names what is missing or
/// damaged, and leaves nothing behind then.
void materialise(const Snapshot& snapshot, const ObjectStore& store, const std::filesystem::path& folder);

}  // namespace nephron::host
