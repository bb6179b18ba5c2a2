#pragma once

#include <filesystem>
#include <vector>

#include <host/registry/database.hpp>
#include <host/registry/run_index.hpp>

namespace nephron::host {

struct RunIndex::State {
  explicit State(const std::filesystem::path& index) : file(index), database(index) {}

  std::filesystem::path file;  ///< empty: in memory
  Database database;
  std::vector<IndexedRun> runs;
  std::size_t looked_at = 0;
};

/// Brings an index up to date with what lies in `roots`, and lists their runs in it.
void refresh(const std::filesystem::path& file, Database& database, const std::vector<std::filesystem::path>& roots,
             std::vector<IndexedRun>& runs, std::size_t& looked_at);

}  // namespace nephron::host
