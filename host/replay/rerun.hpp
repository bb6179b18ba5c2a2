#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <host/replay/snapshot.hpp>

namespace nephron::host {

/// What `nephron rerun` was asked for.
struct RerunRequest {
  std::filesystem::path run;           ///< its folder
  std::vector<std::string> overrides;  ///< --set
  std::string fold;                    ///< empty: those of the run
  std::string device;                  ///< empty: that of the run
  std::filesystem::path runs;          ///< empty: where the run lies
  bool trust = false;                  ///< run a program that another user has kept
  bool anyway = false;                 ///< though data or weights are not as they were
};

/// Lays out the program that a run was made with and gives its folder, in the store of the folder of runs `into`;
/// empty: of the run's own. Where others may write there, or this user may not, in the user's cache. Throws Error where
/// the snapshot is gone, damaged, or another user's (without `trust`), and where its LibTorch is not there.
std::filesystem::path lay_out_program(const std::filesystem::path& run, bool trust,
                                      const std::filesystem::path& into = {});

/// What `train` and `verify` of that program want besides, so that the run's experiment takes the plugins of the
/// snapshot and no others.
std::vector<std::string> plugin_options(const std::filesystem::path& run, const std::filesystem::path& program);

/// The command that starts the run again with that program, its first word the program.
std::vector<std::string> rerun_command(const RerunRequest& request);

/// As many threads as the run had, since sums depend on how they are divided: says so, and sets OMP_NUM_THREADS, which
/// holds where neither the experiment nor `overrides` say a number. Nothing where the run left no digests.
void take_threads_of(const RerunRequest& request);

/// Becomes the program. Comes back only by throwing Error.
[[noreturn]] void become(const std::vector<std::string>& command);

}  // namespace nephron::host
