#include <host/runs/files_of_start.hpp>

#include <host/runs/cost_record.hpp>
#include <host/runs/ended.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

void remove_files_of_start(const fs::path& run) {
  std::error_code ignored;
  for (const char* name : {"splits.json", "environment.json", "experiment.resolved.toml", "snapshot.json", "log.txt",
                           "ended.json", ".lock"})
    fs::remove(run / name, ignored);
  fs::remove(cost_file(run), ignored);
  release_ended(run);
}

}  // namespace nephron::host
