#include <host/queue/virtual_time.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace nephron::host {

using At = PlanJob::At;

double decayed(double use, double seconds) { return use * std::exp2(-std::max(0.0, seconds) / use_half_life); }

VirtualTime::VirtualTime(PlanInput input) : now_in_(std::move(input)) {
  for (PlanJob& job : std::exchange(now_in_.jobs, {})) {
    const double left = job.left.value_or(endless);
    add(std::move(job), left, left < endless);
  }
}

void VirtualTime::add(PlanJob job, double length, bool told) {
  const std::string name = job.name();
  Job& record = jobs_[name];
  record.submitted = now_;
  if (job.at != At::waiting) record.started = now_;
  lengths_[name] = length;
  told_[name] = told;
  if (told) job.left = length;
  else job.left.reset();
  now_in_.jobs.push_back(std::move(job));
}

void VirtualTime::carry_out() {
  const std::vector<Decision> decisions = plan(now_in_);
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    PlanJob& job = now_in_.jobs[i];
    Job& record = jobs_[job.name()];
    if (decisions[i].what == Decision::What::yield) {
      job.at = At::leaving;
    } else if (decisions[i].what == Decision::What::start) {
      job.at = At::running;
      job.ran = job.waited = 0;
      job.parts = decisions[i].parts;
      job.fills = decisions[i].fills;
      if (!record.started) record.started = now_;
    }
  }
}

/// To the next end, end of a slice, or time at which a job has waited long enough for something.
double VirtualTime::until_next() const {
  const PlanRules& rules = now_in_.rules;
  double out = endless;
  const auto not_before = [&](double seconds) {
    if (seconds > 0) out = std::min(out, seconds);
  };
  for (const PlanJob& job : now_in_.jobs) {
    if (job.at == At::leaving) not_before(1);
    if (job.at == At::running) {
      not_before(lengths_.at(job.name()));
      not_before(rules.slice - job.ran);
    }
    if (job.at == At::waiting) {
      not_before(rules.reserve - job.waited);
      not_before(rules.overdue - job.waited + 1);
    }
  }
  return out;
}

void VirtualTime::pass(double seconds) {
  now_ += seconds;
  for (auto& [user, use] : now_in_.use) use = decayed(use, seconds);
  for (PlanJob& job : now_in_.jobs) {
    if (job.at == At::waiting) {
      job.waited += seconds;
      continue;
    }
    const double cost = cost_per_second(job.parts, now_in_.machine) * seconds;
    now_in_.use[job.user] += cost;
    spent_[job.user] += cost;
    Job& record = jobs_[job.name()];
    record.ran += seconds;
    record.cost += cost;
    job.ran += seconds;
    if (job.at == At::running) lengths_[job.name()] -= seconds;
    if (job.left) job.left = std::max(0.0, *job.left - seconds);
  }
}

void VirtualTime::end_jobs() {
  for (PlanJob& job : now_in_.jobs) {
    if (job.at != At::leaving) continue;
    job.at = At::waiting;
    job.ran = job.waited = 0;
    job.fills = false;
    job.parts = {};
    ++jobs_[job.name()].stops;
  }
  std::erase_if(now_in_.jobs, [&](const PlanJob& job) {
    if (job.at != At::running || lengths_[job.name()] > 1e-6) return false;
    jobs_[job.name()].ended = now_;
    return true;
  });
}

void VirtualTime::step(double most) {
  carry_out();
  pass(std::max(1.0, std::min(most, until_next())));
  end_jobs();
}

std::vector<std::optional<double>> expected_starts(const PlanInput& input) {
  std::vector<std::optional<double>> out(input.jobs.size());
  if (std::none_of(input.jobs.begin(), input.jobs.end(), [](const PlanJob& j) { return j.at == At::waiting; }))
    return out;
  VirtualTime ahead(input);
  constexpr int most_steps = 400;
  const auto all_started = [&] {
    return std::all_of(ahead.jobs().begin(), ahead.jobs().end(), [](const auto& j) { return j.second.started; });
  };
  for (int i = 0; i < most_steps && !ahead.over() && !all_started(); ++i) ahead.step(900);
  for (std::size_t i = 0; i < input.jobs.size(); ++i)
    if (input.jobs[i].at == At::waiting) out[i] = ahead.jobs().at(input.jobs[i].name()).started;
  return out;
}

}  // namespace nephron::host
