#include <host/queue/host_file.hpp>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/queue/gpu_use.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr const char* system_file = "/etc/nephron/host.toml";
constexpr std::size_t most_bytes = 1 << 20;

/// Reads a host.toml, and gathers its faults.
class Reader {
 public:
  /// `of_spool`: it lies in the spool, and cannot say where that is.
  Reader(const Value& table, HostFile& out, bool of_spool) : table_(table), out_(out), of_spool_(of_spool) {}

  void read() {
    for (const Value::Member& member : table_.table()) take(member);
    if (!faults_.empty()) throw ConfigError(std::move(faults_));
  }

 private:
  void fault(const Value& at, std::string message, std::string hint = {}) {
    faults_.push_back({at.source, std::move(message), std::move(hint)});
  }

  void take(const Value::Member& member) {
    const Value& v = member.value;
    if (member.key == "spool") take_spool(v);
    else if (member.key == "cores") take_cores(v);
    else if (member.key == "gpu") take_gpus(v);
    else if (member.key == "slice_minutes") take_minutes(v, out_.rules.slice);
    else if (member.key == "last_minutes") take_minutes(v, out_.rules.last);
    else if (member.key == "reserve_minutes") take_minutes(v, out_.rules.reserve);
    else if (member.key == "stop_seconds") take_number(v, out_.stop_seconds, 1, 86400);
    else if (member.key == "rest_seconds") take_number(v, out_.rest_seconds, 1, 86400);
    else unknown(member);
  }

  void unknown(const Value::Member& member) {
    const std::vector<std::string> keys{"spool",        "cores",           "gpu",          "slice_minutes",
                                        "last_minutes", "reserve_minutes", "stop_seconds", "rest_seconds"};
    const std::string near = nearest(member.key, keys);
    faults_.push_back(
        {member.source, "unknown key \"" + member.key + "\"", near.empty() ? "" : "did you mean \"" + near + "\"?"});
  }

  void take_spool(const Value& v) {
    if (of_spool_)
      fault(v, "spool: this file lies in the spool, and cannot say where that is",
            "Remove the line; /etc/nephron/host.toml or NEPHRON_SPOOL may say it.");
    else if (v.is(Value::Type::string) && fs::path(v.string()).is_absolute()) out_.spool = v.string();
    else fault(v, "spool: an absolute path was expected");
  }

  void take_cores(const Value& v) {
    if (!v.is(Value::Type::integer) || v.integer() < 1 || v.integer() > static_cast<std::int64_t>(most_cores))
      return fault(v, "cores: a whole number from 1 to " + std::to_string(most_cores) + " was expected");
    out_.pin_cores = v.integer() <= out_.machine.cores;
    out_.machine.cores = static_cast<int>(v.integer());
  }

  void take_number(const Value& v, double& to, double least, double most) {
    const bool number = v.is(Value::Type::integer) || v.is(Value::Type::real);
    if (number && v.number() >= least && v.number() <= most) to = v.number();
    else fault(v, "a number from " + Value(least).str() + " to " + Value(most).str() + " was expected");
  }

  void take_minutes(const Value& v, double& seconds) {
    double minutes = seconds / 60;
    take_number(v, minutes, 0.0, 100000);
    seconds = 60 * minutes;
  }

  void take_gpus(const Value& v) {
    if (!v.is(Value::Type::array)) return fault(v, "gpu: tables [[gpu]] were expected");
    if (v.array().size() > most_gpus) return fault(v, "more than " + std::to_string(most_gpus) + " GPUs");
    out_.machine.gpus.clear();
    for (const Value& entry : v.array()) out_.machine.gpus.push_back(gpu(entry));
  }

  Gpu gpu(const Value& entry) {
    Gpu out{"made up", "", 0};
    if (!entry.is(Value::Type::table)) {
      fault(entry, "gpu: a table with name and memory was expected");
      return out;
    }
    for (const Value::Member& m : entry.table()) {
      const auto bytes = m.value.is(Value::Type::string) ? bytes_of(m.value.string()) : std::nullopt;
      if (m.key == "name" && m.value.is(Value::Type::string)) out.name = m.value.string();
      else if (m.key == "memory" && bytes) out.bytes = *bytes;
      else if (m.key == "memory") fault(m.value, "memory: a size such as \"16G\" was expected");
      else faults_.push_back({m.source, "a [[gpu]] has name and memory, both texts", ""});
    }
    if (out.bytes <= 0 && faults_.empty())
      fault(entry, "a [[gpu]] without memory: a size such as \"16G\" was expected");
    return out;
  }

  const Value& table_;
  HostFile& out_;
  bool of_spool_;
  Diagnostics faults_;
};

/// Whoever writes it decides for all, so it is root's or the spool's owner's.
void require_trusted(const fs::path& file, const fs::path& spool) {
  struct stat of_file = {}, of_spool = {};
  if (::lstat(file.c_str(), &of_file) != 0 || ::stat(spool.c_str(), &of_spool) != 0) return;
  if (!S_ISREG(of_file.st_mode)) throw Error(file.string() + " is no plain file", "Replace it by one.");
  if ((of_file.st_uid == 0 || of_file.st_uid == of_spool.st_uid) && (of_file.st_mode & S_IWOTH) == 0) return;
  throw Error(file.string() + " belongs to user " + std::to_string(of_file.st_uid) +
                  " or may be written by everybody; it must be root's or the spool's owner's alone",
              "The spool's owner can remove it.");
}

}  // namespace

HostFile parse_host(const std::string& text, const std::string& name, HostFile otherwise, bool of_spool) {
  const Value table = parse_toml(text, name);
  Reader(table, otherwise, of_spool).read();
  return otherwise;
}

HostFile read_host() {
  HostFile out;
  out.machine.cores =
      std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, static_cast<int>(most_cores));
  std::error_code no;
  const bool of_system = fs::exists(system_file, no);
  out.spool = "/var/tmp/nephron-queue";
  const HostFile bare = out;
  if (of_system) out = parse_host(read_file(system_file, most_bytes), system_file, out);
  if (const char* const spool = std::getenv("NEPHRON_SPOOL"); spool != nullptr && *spool != '\0')
    out.spool = fs::absolute(spool).lexically_normal();
  const fs::path own = out.spool / "host.toml";
  if (of_system) out.file = system_file;
  if (fs::exists(fs::symlink_status(own, no))) {
    require_trusted(own, out.spool);
    HostFile base = bare;
    base.spool = out.spool;
    out = parse_host(read_file(own, most_bytes), own.string(), base, /*of_spool=*/true);
    out.file = own;
  }
  if (out.machine.gpus.empty()) out.machine.gpus = gpus_here();
  return out;
}

}  // namespace nephron::host
