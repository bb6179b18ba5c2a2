#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <host/replay/snapshot.hpp>

namespace nephron::host {

/// What no run of a folder of runs names any more.
struct Garbage {
  std::vector<std::filesystem::path> objects;  ///< and what killed processes left half-written
  std::vector<std::filesystem::path> trees;    ///< programs that were laid out for reruns
  std::int64_t bytes = 0;                      ///< of the objects; a tree's files are links to them, or copies
  std::size_t kept = 0;                        ///< objects that stay
  std::size_t young = 0;                       ///< of these, such as no run names and that were put within the hour
};

/// Folder of the trees that were laid out from snapshots of a folder of runs.
std::filesystem::path trees_of(const std::filesystem::path& root);
/// The name of a snapshot's tree there.
std::string tree_name(const Snapshot& snapshot);

/// Looks through every snapshot below `root`, those in the trash too, and removes what none names, unless `only_look`.
/// Throws Error, and removes nothing, where a snapshot or a folder cannot be read, since nobody knows then what it
/// names, where the store is not one, and where a run begins at this moment. Only files named as objects are, in
/// folders that are no links, are ever removed.
Garbage collect_garbage(const std::filesystem::path& root, bool only_look);

}  // namespace nephron::host
