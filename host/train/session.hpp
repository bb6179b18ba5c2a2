#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nephron::host {

/// In a process that works for another one: what of the machine is its own.
struct FoldWorker {
  int fold = -1;    ///< that it trains for a process that holds the run; none: the run is its own
  int threads = 0;  ///< of the CPU backend; 0: as of a process by itself
  int cores = 0;    ///< 0: all
};

/// What `nephron train` was asked for.
struct TrainRequest {
  std::filesystem::path experiment;            ///< empty with `resume`
  std::vector<std::string> overrides;          ///< --set
  std::vector<std::filesystem::path> plugins;  ///< --plugin
  std::string fold = "0";                      ///< a number, several with "," between them, or "all"
  std::filesystem::path runs = "runs";
  std::filesystem::path into;       ///< folder of a new run; empty: one of its own below `runs`
  std::filesystem::path resume;     ///< a run to go on with
  std::filesystem::path from;       ///< a run whose weights a new one begins with
  std::string checkpoint = "last";  ///< of `from`
  std::string device = "auto";
  int jobs = 1;                      ///< folds at a time, each in a process of its own where there are several
  std::vector<std::string> devices;  ///< in place of `device` and `jobs`: a process for each of them
  std::int64_t until_epoch = 0;      ///< epochs that are done when it pauses; 0: it goes on to its end
  bool auto_batch = false;           ///< of a new run: as many tiles as fit into memory
  bool reference_batch = false;      ///< of a new run: batch and epochs by the encoder, as the reference has them
  bool strict = false;               ///< no slide may be lost
  bool debug = false;                ///< one fold, few steps, nothing kept
  std::filesystem::path rerun_of;    ///< a run that this one starts again: what is another one now is refused
  bool anyway = false;               ///< what is another one than that of `rerun_of` is only warned of
  bool alone = false;                ///< one process, whatever torchrun or srun say
  double rank_silence = 60;          ///< seconds after which a rank that is not heard of counts as lost
  bool with_parent = false;          ///< ends at once when the process that started it is gone
  bool writes = true;                ///< false: another rank keeps the run
  int ranks = 1;                     ///< that train one model together
  bool leave_waiting = false;        ///< make the run, and train nothing
  bool elsewhere = false;            ///< with it: another machine trains it, whose device is not looked for here
  int wait_for_run = 0;              ///< seconds to wait for another process that trains `resume`
  bool share_run = false;            ///< one fold of `resume`, while other processes train others
  FoldWorker worker;
};

/// Trains, and prints the table of folds on stdout. Returns the program's exit code.
int train(const TrainRequest& request);

}  // namespace nephron::host
