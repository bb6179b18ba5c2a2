#include <host/queue/agent.hpp>

#include <chrono>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include <host/queue/job.hpp>
#include <host/queue/run_progress.hpp>
#include <host/util/interrupt.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Agent : public testing::Test {
 protected:
  Agent() {
    host_.machine.cores = 1;
    host_.pin_cores = false;
  }
  void submit(const std::string& id, const fs::path& run = {}) {
    Ticket ticket;
    ticket.id = id;
    ticket.first = {"true"};
    ticket.folder = "/";
    ticket.run = run;
    ticket.request.cores = 1;
    ticket.submitted = {static_cast<double>(++submitted_), 1, "boot"};
    spool_.write(id + ".env.json", R"({"PATH": "/usr/bin:/bin"})", false);
    spool_.write(id + state_ending, text_of(JobState{}));
    spool_.write(id + ticket_ending, text_of(ticket));
  }
  bool is_over(const std::string& id) const { return spool_.has("ended/" + id + ticket_ending); }
  /// Lets an agent serve until it is so, or a while has passed.
  bool served_until(const std::function<bool()>& so) {
    std::thread agent([&] { run_agent(spool_, host_); });
    bool out = false;
    for (const auto end = std::chrono::steady_clock::now() + 15s; !out && std::chrono::steady_clock::now() < end;) {
      std::this_thread::sleep_for(50ms);
      out = so();
    }
    set_interrupted(true);
    agent.join();
    set_interrupted(false);
    return out;
  }

  const ScratchFolder scratch_{"queue-agent"};
  const Spool spool_{scratch_.path() / "spool"};
  HostFile host_;
  int submitted_ = 0;
};

TEST_F(Agent, ARunThatIsGoneKeepsNobodyWaiting) {
  const fs::path run = scratch_.path() / "run";  // what is left of one that was removed
  fs::create_directories(run / "fold-0" / "checkpoints");
  EXPECT_EQ(progress_of(run), "");
  submit("aaaaaa", run);
  submit("bbbbbb");
  EXPECT_TRUE(served_until([&] { return is_over("aaaaaa") && is_over("bbbbbb"); }));
}

TEST_F(Agent, AJobThatCannotBeStartedKeepsNobodyWaiting) {
  host_.machine.cores = 2;
  submit("aaaaaa");
  submit("bbbbbb");
  fs::create_directory(spool_.own() / "aaaaaa.lock");  // no lock file, so it cannot be locked
  EXPECT_TRUE(served_until([&] { return is_over("bbbbbb"); }));
  EXPECT_FALSE(is_over("aaaaaa"));
}

}  // namespace
}  // namespace nephron::host
