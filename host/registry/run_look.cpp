#include <host/registry/run_look.hpp>

#include <ctime>

#include <dirent.h>
#include <fcntl.h>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t second = 1'000'000'000;
/// A change that follows another one this soon may leave the same time: disks count in ticks, and those of a network
/// by another clock.
constexpr std::int64_t unsure = 3 * second;
std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out(1);
  for (const char c : text)
    if (c == at) out.emplace_back();
    else out.back() += c;
  return out;
}

Facts state_facts(const fs::path& run, const RunReader::State& state) {
  const std::string name = run.filename().string();
  Facts out{
      {"status", std::string(name_of(state.status))}, {"run", run.string()}, {"id", name.substr(name.rfind('-') + 1)}};
  if (!state.error.empty()) out.push_back({"error", state.error.substr(0, state.error.find('\n'))});
  return out;
}

Rest rest_of(RunStatus status) {
  switch (status) {
    case RunStatus::finished:
      return Rest::finished;
    case RunStatus::failed:
    case RunStatus::interrupted:
    case RunStatus::paused:
    case RunStatus::killed:
      return Rest::stopped;
    default:
      return Rest::none;
  }
}

}  // namespace

std::int64_t now_in_ns() {
  timespec time = {};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * second + time.tv_nsec;
}

std::int64_t mtime_in_ns(const struct stat& info) { return info.st_mtim.tv_sec * second + info.st_mtim.tv_nsec; }

bool Times::still(std::int64_t mtime_now) const { return mtime_now == mtime && mtime_now < looked - unsure; }

void read_run(Look& look) {
  look.after = look.before;
  look.after.times.looked = now_in_ns();
  struct stat info = {};
  look.after.times.mtime = ::stat(look.path.c_str(), &info) == 0 ? mtime_in_ns(info) : 0;
  look.after.validation = ::stat((look.path / "validation").c_str(), &info) == 0 ? mtime_in_ns(info) : 0;
  look.after.is_run = ::stat((look.path / "experiment.resolved.toml").c_str(), &info) == 0;
  if (!look.after.is_run) return;
  const RunReader reader(look.path);
  std::vector<std::string> before = split(look.stamps, '|');
  before.resize(fact_sources.size());
  for (std::size_t i = 0; i < fact_sources.size(); ++i) {
    const std::string stamp = reader.stamp(fact_sources[i]);
    look.stamps_now += (i > 0 ? "|" : "") + stamp;
    if (!look.before.is_run || stamp != before[i])
      look.sources.emplace_back(static_cast<int>(i), reader.read(fact_sources[i]));
  }
  const RunReader::State state = reader.state();
  look.state = state_facts(look.path, state);
  look.after.settled = state.may_change ? Rest::none : rest_of(state.status);
}

std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> out;
  DIR* const dir = ::opendir(folder.c_str());
  if (dir == nullptr) return out;
  while (const dirent* const entry = ::readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    struct stat info = {};
    const bool is_folder =
        entry->d_type == DT_DIR || ((entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) &&
                                    ::fstatat(::dirfd(dir), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode));
    if (is_folder) out.emplace_back(entry->d_name);
  }
  ::closedir(dir);
  return out;
}

}  // namespace nephron::host
