#include <host/sweep/sweep_program.hpp>

#include <memory>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/replay/rerun.hpp>
#include <host/replay/snapshot.hpp>
#include <host/sweep/sweep_setup.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

bool keep_program(const SweepFolder& sweep, const fs::path& folder) try {
  std::unique_ptr<Registry> registry;
  load_experiment(trial_file(sweep.trials(), 0), {}, {}, registry);  // all trials take the same plugins
  ObjectStore store(sweep.path().parent_path());
  const ObjectsInUse in_use(store);
  const Snapshot snapshot = take_snapshot(store, package_root(), registry->components());
  fs::create_directories(folder);
  write_snapshot(folder / snapshot_name, snapshot);
  return true;
} catch (const std::exception& e) {  // also what the standard library throws of files
  log().warning(
      std::string("no copy of this program is kept for the sweep's jobs, so that they begin with the one that "
                  "is there then: ") +
      e.what());
  return false;
}

}  // namespace

fs::path sweep_program(const SweepFolder& sweep) {
  const fs::path folder = sweep.path() / "program";
  std::error_code failed;
  const bool known = fs::exists(folder / snapshot_name, failed);
  if (!known && !keep_program(sweep, folder)) return "nephron";
  if (known)
    log().info("its jobs start the program of " + read_snapshot(folder / snapshot_name).made +
               ", when it was first put in line");
  return lay_out_program(folder, /*trust=*/false) / "bin" / "nephron";
}

}  // namespace nephron::host
