#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/sweep/halving.hpp>
#include <host/sweep/sweep_folder.hpp>

namespace nephron::host {

/// What the files of one run of a sweep say.
struct MemberState {
  enum class Folder { none, half, run };
  Folder folder = Folder::none;  ///< half: a start was killed before it was a run
  bool held = false;             ///< a process trains it, or is about to
  int rung = -1;                 ///< that was begun last
  std::int64_t epochs = 0;       ///< done, in all its folds
  bool finished = false;
  bool validated = false;                         ///< nephron validate has measured it
  std::vector<std::vector<double>> dice_by_fold;  ///< of each epoch; NaN where it has none
  std::string failure;                            ///< why it is given up; "" where it is not

  /// Mean over the folds of the Dice at that epoch, or of the best until then; nothing where one has none.
  std::optional<double> score(const std::string& which, std::int64_t epoch) const;
};

/// A trial: all its runs that choose.
struct TrialState {
  HalvingTrial halving;
  std::vector<MemberState> members;  ///< as SweepMembers::of()
  std::string failure;               ///< with the name of the run
  bool held = false;
};

/// Whether a run has done what the rung asks for.
bool has_completed(const SweepPlan& plan, const MemberState& member, int rung);

struct SweepState {
  std::vector<TrialState> trials;
  std::vector<std::string> problems;  ///< runs that are in the way, one line each
  std::vector<HalvingTrial> halving() const;
  /// What is to begin next; nothing where none is, or others have to come first.
  std::optional<Promotion> next(const SweepPlan& plan) const;
  /// All that chooses is done.
  bool searched(const SweepPlan& plan) const;
};

/// Reads the state of a sweep from the files of its runs; what did not change is not read again.
class SweepReader {
 public:
  explicit SweepReader(const SweepFolder& sweep) : sweep_(sweep) {}
  SweepState read();
  MemberState read(const SweepMember& member);

 private:
  struct Kept {
    std::string stamp;
    std::vector<double> dice;
  };
  const std::vector<double>& dice_of(const std::filesystem::path& metrics);
  void read_run(const SweepMember& member, MemberState& out);

  const SweepFolder& sweep_;
  std::map<std::string, Kept> kept_;
};

}  // namespace nephron::host
