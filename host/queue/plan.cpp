#include <host/queue/plan.hpp>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <limits>
#include <tuple>

#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

using At = PlanJob::At;
using What = Decision::What;
constexpr double never = std::numeric_limits<double>::infinity();
/// A gap that is not worth filling: loading a run takes its time, too.
constexpr double least_gap = 300;
/// How much less a user must have used for whom another's run is stopped, in slices of the smaller of the two. Without
/// it two users would take turns whenever one is a second ahead.
constexpr double margin = 0.5;
constexpr int rank_overdue = 3;

Parts sum(Parts a, const Parts& b) {
  a.add(b);
  return a;
}

Parts difference(Parts a, const Parts& b) {
  a.remove(b);
  return a;
}

/// Parts that are kept for a job; nobody knows until when where `at` is never.
struct Kept {
  Parts parts;
  double at = never;
  std::string whose;
};

class Planner {
 public:
  explicit Planner(const PlanInput& input)
      : in_(input),
        free_(difference(Parts::all_of(input.machine), input.taken)),
        out_(input.jobs.size()),
        rank_(input.jobs.size()) {}

  std::vector<Decision> decide() {
    look_at_running();
    rank_jobs();
    make_lines();
    while (const auto next = take_next()) decide(*next);
    return std::move(out_);
  }

 private:
  const PlanJob& job(std::size_t i) const { return in_.jobs[i]; }
  double cost(std::size_t i) const { return cost_per_second(job(i).request, in_.machine); }

  void look_at_running() {
    for (std::size_t i = 0; i < in_.jobs.size(); ++i) {
      const PlanJob& j = job(i);
      ahead_.try_emplace(j.user, 0.0);
      if (j.at == At::waiting) continue;
      free_.remove(j.parts);
      if (j.at == At::leaving) leaving_.add(j.parts);
      else running_.push_back(i);
      out_[i].what = What::stay;
    }
    for (auto& [user, seconds] : ahead_)
      if (const auto used = in_.use.find(user); used != in_.use.end()) seconds = used->second;
    // What is begun counts as used to the end of its slice, so that a user who had little does not take everything.
    for (const std::size_t i : running_)
      ahead_[job(i).user] += cost_per_second(job(i).parts, in_.machine) * std::max(0.0, in_.rules.slice - job(i).ran);
  }

  /// Urgent is for those who have used no more than others: else all would be urgent.
  void rank_jobs() {
    double mean = 0;
    for (const auto& [user, seconds] : ahead_) mean += seconds / static_cast<double>(ahead_.size());
    for (std::size_t i = 0; i < in_.jobs.size(); ++i) {
      const Priority priority = job(i).request.priority;
      rank_[i] = priority == Priority::idle                                                        ? 0
                 : priority == Priority::urgent && ahead_[job(i).user] <= mean * (1 + 1e-9) + 1e-9 ? 2
                                                                                                   : 1;
    }
  }

  /// The jobs of each user that wait, the first to start first.
  void make_lines() {
    for (std::size_t i = 0; i < in_.jobs.size(); ++i)
      if (job(i).at == At::waiting) lines_[job(i).user].push_back(i);
    const auto before = [&](std::size_t a, std::size_t b) {
      return std::tuple(-rank_[a], job(a).submitted, std::string_view(job(a).id)) <
             std::tuple(-rank_[b], job(b).submitted, std::string_view(job(b).id));
    };
    for (auto& [user, line] : lines_) {
      std::sort(line.begin(), line.end(), before);
      const bool runs = std::any_of(running_.begin(), running_.end(), [&](auto i) { return job(i).user == user; });
      if (!runs && job(line.front()).waited > in_.rules.overdue) rank_[line.front()] = rank_overdue;
    }
  }

  std::optional<std::size_t> take_next() {
    std::deque<std::size_t>* best = nullptr;
    const auto key = [&](std::size_t i) {
      return std::tuple(-rank_[i], ahead_[job(i).user], job(i).submitted, std::string_view(job(i).user));
    };
    for (auto& [user, line] : lines_)
      if (!line.empty() && (best == nullptr || key(line.front()) < key(best->front()))) best = &line;
    if (best == nullptr) return std::nullopt;
    const std::size_t out = best->front();
    best->pop_front();
    return out;
  }

  void decide(std::size_t i) {
    if (out_[i].why = never_fits(job(i).request, in_.machine); !out_[i].why.empty()) return;
    const bool starts = start(i);
    if (starts || wait_for_leaving(i) || make_yield(i)) {
      ahead_[job(i).user] += cost(i) * in_.rules.slice;
    } else {
      out_[i].why = why_not(i);
      if (job(i).waited >= in_.rules.reserve) keep_soonest(i);
    }
    waiting_ += !starts;
  }

  Parts unkept(const Parts& parts) const { return difference(parts, kept_sum_); }

  bool start(std::size_t i) {
    if (const auto parts = place(job(i).request, in_.machine, unkept(free_))) return start_on(i, *parts, false);
    if (kept_.empty()) return false;
    // Gaps: what ends in time may have parts that are kept, and what can be stopped as long as they are not needed.
    Parts ends = free_, stops = free_;
    for (const Kept& kept : kept_) {
      if (!job(i).left || *job(i).left > kept.at) ends.remove(kept.parts);
      if (kept.at < least_gap) stops.remove(kept.parts);
    }
    if (const auto parts = place(job(i).request, in_.machine, ends)) return start_on(i, *parts, false);
    if (!job(i).may_yield) return false;
    if (const auto parts = place(job(i).request, in_.machine, stops)) return start_on(i, *parts, true);
    return false;
  }

  bool start_on(std::size_t i, const Parts& parts, bool fills) {
    free_.remove(parts);
    out_[i] = {What::start, parts, fills, {}};
    return true;
  }

  bool wait_for_leaving(std::size_t i) {
    if (leaving_.empty()) return false;
    const auto parts = place(job(i).request, in_.machine, unkept(sum(free_, leaving_)));
    if (!parts) return false;
    for (const PlanJob& other : in_.jobs)
      if (other.at == At::leaving && other.parts.meets(*parts)) out_[i].why = other.name() + " is ending for it";
    keep(i, *parts, 0);
    return true;
  }

  /// Whether `v` may be stopped at all for `i`: it has had its slice, or was told that it would be stopped.
  bool may_stop(std::size_t i, std::size_t v) const {
    const PlanJob& run = job(v);
    if (!run.may_yield || out_[v].what == What::yield || rank_[i] < rank_[v]) return false;
    if (run.left && *run.left <= in_.rules.last) return false;
    return run.ran >= in_.rules.slice || (run.fills && job(i).waited >= in_.rules.reserve);
  }

  double least_lead(std::size_t i, std::size_t v) const {
    return margin * in_.rules.slice * std::min(cost(i), cost_per_second(job(v).parts, in_.machine));
  }

  /// Whether `v` is stopped for `i`: it ranks lower, or its user has used more.
  bool goes_before(std::size_t i, std::size_t v) {
    if (!may_stop(i, v)) return false;
    if (rank_[i] != rank_[v] || job(v).fills) return true;
    return job(v).user != job(i).user && ahead_[job(i).user] + least_lead(i, v) <= ahead_[job(v).user];
  }

  /// What a large job waits for may run for several users; those who used more stand for the others.
  bool used_more_together(std::size_t i, const std::vector<std::size_t>& runs) {
    double over = 0;
    for (const std::size_t v : runs) {
      const double lead = ahead_[job(v).user] - ahead_[job(i).user] - least_lead(i, v);
      over += cost_per_second(job(v).parts, in_.machine) * (goes_before(i, v) ? std::max(0.0, lead) : lead);
    }
    return over >= 0;
  }

  bool make_yield(std::size_t i) {
    std::vector<std::size_t> each, together;
    for (const std::size_t v : running_) {
      if (goes_before(i, v)) each.push_back(v);
      if (may_stop(i, v)) together.push_back(v);
    }
    if (make_yield(i, each)) return true;
    return job(i).waited >= in_.rules.reserve && together.size() > each.size() && make_yield(i, together);
  }

  bool make_yield(std::size_t i, std::vector<std::size_t> runs) {
    if (runs.empty()) return false;
    std::stable_sort(runs.begin(), runs.end(), [&](std::size_t a, std::size_t b) {
      return std::tuple(!job(a).fills, rank_[a], -ahead_[job(a).user], -job(a).ran) <
             std::tuple(!job(b).fills, rank_[b], -ahead_[job(b).user], -job(b).ran);
    });
    Parts pool = unkept(sum(free_, leaving_));
    std::optional<Parts> parts;
    std::size_t count = 0;
    while (!parts && count < runs.size()) {
      pool.add(unkept(job(runs[count++]).parts));
      parts = place(job(i).request, in_.machine, pool);
    }
    if (!parts) return false;
    runs.resize(count);
    spare_some(i, runs, pool, *parts);
    if (!used_more_together(i, runs)) return false;
    for (const std::size_t v : runs) {
      out_[v] = {What::yield, {}, false, job(i).name() + (job(v).fills ? " can start now" : " used less")};
      if (rank_[i] > rank_[v] && !job(v).fills) out_[v].why = job(i).name() + " goes first";
      leaving_.add(job(v).parts);
      out_[i].why = job(v).name() + " is stopped for it";
    }
    keep(i, *parts, 0);
    return true;
  }

  /// Those without which it fits, too, are left alone.
  void spare_some(std::size_t i, std::vector<std::size_t>& runs, Parts& pool, Parts& parts) const {
    for (std::size_t k = 0; k < runs.size() && runs.size() > 1;) {
      const Parts without = difference(pool, job(runs[k]).parts);
      if (const auto enough = place(job(i).request, in_.machine, without)) {
        pool = without;
        parts = *enough;
        runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(k));
      } else {
        ++k;
      }
    }
  }

  /// When `v` may make room for `i`, by itself or because it is stopped.
  double gone_in(std::size_t i, std::size_t v) const {
    const PlanJob& run = job(v);
    double out = run.left.value_or(never);
    if (!run.may_yield || rank_[i] < rank_[v]) return out;
    return std::min(out, run.fills ? 0 : std::max(0.0, in_.rules.slice - run.ran));
  }

  /// Keeps the parts that are free the soonest.
  void keep_soonest(std::size_t i) {
    std::vector<std::pair<double, std::size_t>> ends;
    for (const std::size_t v : running_)
      if (out_[v].what != What::yield) ends.emplace_back(gone_in(i, v), v);
    std::sort(ends.begin(), ends.end());
    Parts pool = unkept(sum(free_, leaving_));
    for (const auto& [at, v] : ends) {
      pool.add(unkept(job(v).parts));
      if (const auto parts = place(job(i).request, in_.machine, pool)) {
        out_[i].why += "; parts are kept for it";
        return keep(i, *parts, at);
      }
    }
  }

  void keep(std::size_t i, const Parts& parts, double at) {
    kept_.push_back({parts, at, job(i).name()});
    kept_sum_.add(parts);
  }

  std::string why_not(std::size_t i) const {
    const Request& request = job(i).request;
    if (!place(request, in_.machine, difference(Parts::all_of(in_.machine), in_.taken)))
      return "parts are in use outside of the queue: " + text_of(in_.taken);
    std::string text = text_of(request) + (request.gpus + request.cores == 1 ? " is" : " are") + " not free";
    if (place(request, in_.machine, free_)) text = "what is free is kept for " + kept_.front().whose;
    return waiting_ > 0 ? text + "; " + counted(waiting_, "job") + " before it" : text;
  }

  const PlanInput& in_;
  Parts free_, leaving_, kept_sum_;
  std::vector<Kept> kept_;
  std::size_t waiting_ = 0;  ///< jobs so far that do not start
  std::vector<Decision> out_;
  std::vector<int> rank_;
  std::vector<std::size_t> running_;
  std::map<std::string, double> ahead_;  ///< use of each user, with what is begun
  std::map<std::string, std::deque<std::size_t>> lines_;
};

}  // namespace

std::vector<Decision> plan(const PlanInput& input) { return Planner(input).decide(); }

}  // namespace nephron::host
