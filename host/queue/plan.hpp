#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/queue/parts.hpp>

namespace nephron::host {

/// Times of the plan, in seconds.
struct PlanRules {
  double slice = 3600;     ///< a run that began or went on is left alone for so long
  double last = 600;       ///< and again when it is so near to its end
  double reserve = 1800;   ///< what has waited so long gets parts kept for it
  double overdue = 86400;  ///< a user of whom nothing runs, and whose first job has waited so long, goes first
};

/// A job as the plan sees it. No clock: times are how long ago, or how long still.
struct PlanJob {
  enum class At {
    waiting,
    running,
    leaving  ///< it was told to end, and holds its parts still
  };
  std::string user, id;
  Request request;
  At at = At::waiting;
  double submitted = 0;        ///< any number: of one user the smaller goes first
  double waited = 0;           ///< since it is in line
  double ran = 0;              ///< since it began or went on
  std::optional<double> left;  ///< until its end, where that is known
  bool may_yield = false;      ///< it goes on where it was stopped
  bool fills = false;          ///< it runs on parts that are kept for another, until that one can start
  Parts parts;                 ///< of one that runs or leaves

  std::string name() const { return id + " of " + user; }
};

struct PlanInput {
  Machine machine;
  Parts taken;  ///< by others than these jobs
  std::vector<PlanJob> jobs;
  std::map<std::string, double> use;  ///< GPU-seconds of each user, those long past counting less
  PlanRules rules;
};

struct Decision {
  enum class What { wait, start, stay, yield };
  What what = What::wait;
  Parts parts;         ///< that it starts on
  bool fills = false;  ///< see PlanJob
  std::string why;     ///< of one that waits or yields
};

/// What starts, what yields, and why the others wait; one decision a job, in their order. A function of its input
/// alone: agents that read the same agree without a word. docs/queue.md tells the rules.
std::vector<Decision> plan(const PlanInput& input);

}  // namespace nephron::host
