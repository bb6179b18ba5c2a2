#include <host/queue/job_files.hpp>

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/queue/run_progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_ended = 2000;

fs::path ended_folder(const Spool& spool) { return spool.own() / "ended"; }

/// Those that have ended first, of those that are too many; runs keep their own logs. The state is what is written at
/// a job's end, the ticket when it was submitted.
void forget_oldest(const Spool& spool) {
  std::vector<std::pair<fs::file_time_type, std::string>> all;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(ended_folder(spool), failed))
    if (const std::string name = entry.path().filename(); name.ends_with(ticket_ending))
      all.emplace_back(fs::last_write_time(ended_folder(spool) / (name.substr(0, 6) + state_ending), failed),
                       name.substr(0, 6));
  if (all.size() <= most_ended) return;
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size() - most_ended; ++i)
    for (const char* ending : {ticket_ending, state_ending, ".log", ".env.json"})
      fs::remove(ended_folder(spool) / (all[i].second + ending), failed);
}

}  // namespace

void write_state(const Spool& spool, const SceneJob& job) {
  spool.write(job.ticket.id + state_ending, text_of(job.state));
}

UseSum read_own_use(const Spool& spool) {
  const UserFolder own(spool.folder(), ::geteuid());
  try {
    const auto text = own.read("use.json");
    return text ? read_use(*text, own.file("use.json").string()) : UseSum{};
  } catch (const Error&) {  // damaged: the scene tells of it; it is begun anew
    return {};
  }
}

void put_away(const Spool& spool, const SceneJob& job) {
  const fs::path to = ended_folder(spool);
  ::mkdir(to.c_str(), 0755);
  const auto move = [&](const std::string& ending) {
    return ::rename((spool.own() / (job.ticket.id + ending)).c_str(), (to / (job.ticket.id + ending)).c_str()) == 0;
  };
  // The ticket last: as long as it lies there, the job is found and this is done again.
  for (const char* ending : {".begun.json", ".end.json", ".lock"}) spool.remove(job.ticket.id + ending);
  for (const char* ending : {".log", ".env.json"}) move(ending);
  std::error_code failed;
  fs::copy_file(spool.own() / (job.ticket.id + state_ending), to / (job.ticket.id + state_ending),
                fs::copy_options::overwrite_existing, failed);
  // Of a full disk: how it ended is known here alone, and the next agent puts it away (put_away_left).
  if (failed || !move(ticket_ending)) return;
  spool.remove(job.ticket.id + state_ending);
  forget_oldest(spool);
}

void put_away_left(const Spool& spool) {
  const UserFolder own(spool.folder(), ::geteuid());
  for (const std::string& name : own.names(ticket_ending)) try {
      const SceneJob job = read_job(own, name.substr(0, name.size() - std::string(ticket_ending).size()));
      if (job.state.at == JobState::At::ended) put_away(spool, job);
    } catch (const Error&) {  // the scene tells of it
    }
}

void take_back(const Spool& spool, SceneJob job, const Moment& now) {
  const fs::path from = ended_folder(spool);
  job.state.at = JobState::At::waiting;
  job.state.how = JobState::How::none;
  job.state.since = now;
  job.state.kills = 0;
  job.state.why.clear();
  write_state(spool, job);
  for (const char* ending : {".log", ".env.json", ticket_ending})
    ::rename((from / (job.ticket.id + ending)).c_str(), (spool.own() / (job.ticket.id + ending)).c_str());
  ::unlink((from / (job.ticket.id + state_ending)).c_str());
  tell_run(job.ticket, job.state);
}

std::vector<SceneJob> ended_jobs(const Spool& spool, std::vector<std::string>& problems) {
  std::vector<SceneJob> out;
  const UserFolder own(spool.folder(), ::geteuid());
  for (const std::string& name : own.names(ticket_ending)) try {
      SceneJob job = read_job(own, name.substr(0, name.size() - std::string(ticket_ending).size()));
      if (job.state.at == JobState::At::ended) out.push_back(std::move(job));
    } catch (const Error&) {  // the scene tells of it
    }
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(ended_folder(spool), failed)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(ticket_ending)) continue;
    try {
      out.push_back(read_job(own, "ended/" + name.substr(0, name.size() - std::string(ticket_ending).size())));
    } catch (const Error& e) {
      problems.emplace_back(e.what());
    }
  }
  std::sort(out.begin(), out.end(),
            [](const SceneJob& a, const SceneJob& b) { return a.state.since.wall > b.state.since.wall; });
  return out;
}

fs::path log_of(const Spool& spool, const std::string& id) {
  for (const fs::path& folder : {spool.own(), ended_folder(spool)}) {
    std::error_code no;
    if (fs::exists(folder / (id + ".log"), no)) return folder / (id + ".log");
  }
  return {};
}

}  // namespace nephron::host
