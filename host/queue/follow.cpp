#include <host/queue/follow.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/queue/change.hpp>
#include <host/queue/job_files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

using namespace std::chrono_literals;

class Follower {
 public:
  Follower(const Spool& spool, std::string id) : spool_(spool), id_(std::move(id)) {}

  void print_new() {
    // Its descriptor stays good when the file is put away.
    if (!log_.good()) log_ = Descriptor(::open(log_of(spool_, id_).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!log_.good()) return;
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(log_.get(), buffer, sizeof buffer)) > 0;)
      std::fwrite(buffer, 1, static_cast<std::size_t>(n), stdout);
    std::fflush(stdout);
  }

  /// While the files of a job are moved they may be nowhere for a moment.
  JobState state() {
    for (int tries = 0;; ++tries) try {
        return own_job(spool_, id_).state;
      } catch (const Error&) {
        if (tries == 20) throw;
        std::this_thread::sleep_for(50ms);
      }
  }

  void tell(const JobState& state) {
    if (state.at == JobState::At::running || state.at == told_) return;
    told_ = state.at;
    if (state.at == JobState::At::waiting)
      log().info("job " + id_ + " waits" + (state.why.empty() ? "" : ": " + state.why) +
                 "; nephron queue says for what");
  }

 private:
  const Spool& spool_;
  std::string id_;
  Descriptor log_;
  JobState::At told_ = JobState::At::running;
};

}  // namespace

std::optional<int> show_log(const Spool& spool, const std::string& asked, bool follow) {
  const std::string id = own_job(spool, asked).ticket.id;
  Follower follower(spool, id);
  while (true) {
    const JobState state = follower.state();  // before the log is read: what was said until then is all
    follower.print_new();
    if (state.at == JobState::At::ended) {
      if (state.how != JobState::How::finished)
        log().warning("job " + id + " " + (state.how == JobState::How::cancelled ? "was " : "") + name_of(state.how) +
                      (state.why.empty() ? "" : ": " + state.why));
      return state.code;
    }
    if (!follow) return std::nullopt;
    follower.tell(state);
    if (state.at == JobState::At::held) {
      log().warning("job " + id + " is held: " + state.why + "; nephron release " + id + " puts it in line again");
      return std::nullopt;
    }
    for (int i = 0; i < 5 && !interrupted(); ++i) std::this_thread::sleep_for(50ms);
    if (!interrupted()) continue;
    log().info("job " + id + " goes on; nephron attach " + id + " follows it again");
    return std::nullopt;
  }
}

}  // namespace nephron::host
