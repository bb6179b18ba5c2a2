#include <host/runs/files_of_start.hpp>

#include <host/runs/cost_record.hpp>
#include <host/runs/ended.hpp>
#include <host/runs/sweep_part.hpp>

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

bool remove_half_run(const fs::path& run) {
  std::error_code no;
  remove_files_of_start(run);
  fs::remove(sweep_part_file(run), no);
  // What else a kill may leave are files that were being written.
  for (fs::directory_iterator entry(run, no), end; !no && entry != end; entry.increment(no)) {
    std::error_code ignored;
    if (entry->path().filename().string().find(".tmp.") != std::string::npos) fs::remove(entry->path(), ignored);
  }
  std::error_code failed;
  fs::remove(run, failed);  // only when it is empty
  return !fs::exists(run, no);
}

}  // namespace nephron::host
