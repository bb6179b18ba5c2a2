#include <host/queue/queue_table.hpp>

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <host/queue/virtual_time.hpp>
#include <host/registry/run_table.hpp>
#include <host/util/counted.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

using At = JobState::At;

std::string state_of(const SceneJob& job) {
  if (job.state.at == At::ended) return name_of(job.state.how);
  if (job.state.at != At::running) return name_of(job.state.at);
  if (!job.kept) return "ended";
  switch (job.state.wish) {
    case JobState::Wish::none:
      return "running";
    case JobState::Wish::yield:
      return "yielding";
    case JobState::Wish::hold:
    case JobState::Wish::cancel:
      return "stopping";
  }
  return "running";
}

double sum_of(const std::map<std::string, double>& use) {
  double sum = 0;
  for (const auto& [user, seconds] : use) sum += seconds;
  return sum;
}

int place_of(const QueueTable::Row& row) {
  return row.job.state.at == At::running ? 0 : row.job.state.at == At::waiting ? 1 : 2;
}

std::string parts_text(const QueueTable::Row& row) {
  return row.job.state.at == At::running && row.job.kept ? nephron::host::text_of(row.job.state.parts)
                                                         : nephron::host::text_of(row.job.ticket.request);
}

std::string use_text(const std::map<std::string, double>& use) {
  const double sum = sum_of(use);
  if (sum < 60) return {};
  std::string out = "used, what is a day old counting half:";
  for (const auto& [user, seconds] : use) {
    char text[80];
    std::snprintf(text, sizeof text, " %.2f GPU-h (%.0f %%),", seconds / 3600, 100 * seconds / sum);
    out += " " + user + text;
  }
  out.back() = '\n';
  return out;
}

}  // namespace

QueueTable make_queue_table(const Scene& scene, const HostFile& host) {
  QueueTable out;
  out.now = scene.now;
  out.use = scene.use;
  out.problems = scene.problems;
  std::vector<std::size_t> index;
  const PlanInput input = plan_input(scene, host, ::geteuid(), index);
  const std::vector<Decision> decisions = plan(input);
  const auto starts = expected_starts(input);
  for (const SceneJob& job : scene.jobs) {
    QueueTable::Row row{job, state_of(job), job.state.why, seconds_between(job.state.since, scene.now), {}, {}};
    if (const auto left = rest_left(job, host, scene.now)) row.starts = left;
    else if (job.state.at == At::waiting) row.why = "its user's agent is not there: nephron queue, called by that user";
    out.rows.push_back(std::move(row));
  }
  for (std::size_t i = 0; i < index.size(); ++i) {
    QueueTable::Row& row = out.rows[index[i]];
    if (row.job.state.at == At::running) row.left = input.jobs[i].left;
    else row.starts = starts[i];
    if (decisions[i].what == Decision::What::wait) row.why = decisions[i].why;
    if (decisions[i].what == Decision::What::start) row.why = "starts now";
  }
  std::stable_sort(out.rows.begin(), out.rows.end(), [](const auto& a, const auto& b) {
    return std::tuple(place_of(a), a.starts.value_or(1e18), a.job.ticket.submitted.wall) <
           std::tuple(place_of(b), b.starts.value_or(1e18), b.job.ticket.submitted.wall);
  });
  return out;
}

void add_ended(QueueTable& table, std::vector<SceneJob> ended) {
  for (SceneJob& job : ended) {
    const std::string why = job.state.why;
    const double seconds = seconds_between(job.state.since, table.now);
    table.rows.push_back({std::move(job), {}, why, seconds, {}, {}});
    table.rows.back().state = state_of(table.rows.back().job);
  }
}

std::string to_text(const QueueTable& table) {
  if (table.rows.empty()) return "nothing runs or waits\n" + use_text(table.use);
  std::vector<std::vector<RunTable::Cell>> rows;
  for (const QueueTable::Row& row : table.rows) {
    const auto when = [&](const std::optional<double>& seconds) {
      return seconds ? RunTable::Cell(clock_text(table.now.wall + *seconds)) : RunTable::Cell();
    };
    rows.push_back({row.job.ticket.id, row.job.ticket.name, row.job.user,
                    std::string(name_of(row.job.ticket.request.priority)), row.state, parts_text(row),
                    duration_text(row.seconds), when(row.left), when(row.starts), row.why});
  }
  return to_text({"id", "name", "user", "priority", "state", "parts", "since", "ends", "starts", "why"}, rows,
                 terminal_width()) +
         use_text(table.use);
}

std::string to_json(const QueueTable& table) {
  Json jobs = Json::array(), use = Json::array();
  const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  for (const QueueTable::Row& row : table.rows) {
    const Ticket& t = row.job.ticket;
    jobs.push_back(
        {{"id", t.id},
         {"name", t.name},
         {"user", row.job.user},
         {"priority", name_of(t.request.priority)},
         {"state", row.state},
         {"why", row.why},
         {"since_s", row.seconds},
         {"left_s", number(row.left)},
         {"starts_in_s", number(row.starts)},
         {"gpus", t.request.gpus},
         {"gpu_bytes", t.request.gpu_bytes},
         {"cores", t.request.cores},
         {"parts", row.job.state.at == At::running && row.job.kept ? nephron::host::text_of(row.job.state.parts) : ""},
         {"starts", row.job.state.start},
         {"may_yield", t.may_yield()},
         {"exit_code", row.job.state.at == At::ended ? Json(row.job.state.code) : Json(nullptr)},
         {"run", t.run.string()},
         {"command", row.job.state.start > 0 && t.may_yield() ? t.again : t.first}});
  }
  const double sum = sum_of(table.use);
  for (const auto& [user, seconds] : table.use)
    use.push_back({{"user", user}, {"gpu_seconds", seconds}, {"share", sum > 0 ? seconds / sum : 0}});
  const Json out{{"jobs", std::move(jobs)}, {"use", std::move(use)}, {"problems", table.problems}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string text_of(const HostFile& host, const Scene& scene) {
  Parts free = Parts::all_of(host.machine);
  free.remove(scene.held);
  free.remove(scene.outside);
  std::string out = "spool: " + host.spool.string() + "\n";
  out += "described by: " + (host.file.empty() ? "the machine itself" : host.file.string()) + "\n";
  out += counted(host.machine.cores, "core") + ", " + std::to_string(free.count_cores()) + " free\n";
  if (host.machine.gpus.empty()) out += "no GPU\n";
  for (std::size_t i = 0; i < host.machine.gpus.size(); ++i) {
    const Gpu& gpu = host.machine.gpus[i];
    Parts outside;
    outside.gpus[i] = scene.outside.gpus[i];
    Parts left;
    left.gpus[i] = free.gpus[i];
    out += "GPU " + std::to_string(i) + ": " + gpu.name + ", " + bytes_text(gpu.bytes) + ", " +
           std::to_string(left.count_gpu_parts()) + "/16 free";
    if (outside.count_gpu_parts() > 0) out += ", " + std::to_string(outside.count_gpu_parts()) + "/16 used outside";
    out += gpu.made_up() ? " (made up: jobs compute on the CPU)\n" : "\n";
  }
  return out + "a run yields after " + duration_text(host.rules.slice) + ", not in its last " +
         duration_text(host.rules.last) + "; parts are kept for what has waited " + duration_text(host.rules.reserve) +
         "\n";
}

}  // namespace nephron::host
