#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/queue/plan.hpp>

namespace nephron::host {

/// Use halves in a day.
inline constexpr double use_half_life = 86400;
double decayed(double use, double seconds);

/// The plan carried out in virtual time: what will happen, as far as it is known.
class VirtualTime {
 public:
  static constexpr double endless = std::numeric_limits<double>::infinity();

  explicit VirtualTime(PlanInput input);

  /// A job that comes now. `length`: seconds that it runs in all; the plan knows them only where `told`.
  void add(PlanJob job, double length, bool told);
  /// Carries out what the plan says now, and goes on to the next moment at which it may say something else, `most`
  /// seconds at most.
  void step(double most);
  double now() const noexcept { return now_; }
  /// Nothing runs or waits.
  bool over() const noexcept { return now_in_.jobs.empty(); }

  struct Job {
    double submitted = 0;
    std::optional<double> started, ended;
    double ran = 0, cost = 0;
    int stops = 0;
  };
  /// By name (PlanJob::name).
  const std::map<std::string, Job>& jobs() const noexcept { return jobs_; }
  const PlanInput& state() const noexcept { return now_in_; }
  /// GPU-seconds of each user since the beginning, none forgotten.
  const std::map<std::string, double>& spent() const noexcept { return spent_; }

 private:
  void carry_out();
  double until_next() const;
  void pass(double seconds);
  void end_jobs();

  PlanInput now_in_;
  double now_ = 0;
  std::map<std::string, Job> jobs_;
  std::map<std::string, double> lengths_;  ///< what is left of each
  std::map<std::string, bool> told_;
  std::map<std::string, double> spent_;
};

/// In how many seconds each job that waits would start, were none to come; nothing where that cannot be said, because a
/// run before it ends nobody knows when.
std::vector<std::optional<double>> expected_starts(const PlanInput& input);

}  // namespace nephron::host
