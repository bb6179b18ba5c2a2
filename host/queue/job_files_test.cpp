#include <host/queue/job_files.hpp>

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;

class JobFiles : public testing::Test {
 protected:
  SceneJob over(const std::string& id) const {
    SceneJob out;
    out.uid = ::geteuid();
    out.ticket.id = id;
    out.ticket.first = {"true"};
    out.ticket.folder = "/";
    out.ticket.request.cores = 1;
    out.state.at = JobState::At::ended;
    out.state.how = JobState::How::failed;
    out.state.why = "exit code 3";
    return out;
  }
  SceneJob written(const SceneJob& job) const {
    write_state(spool_, job);
    spool_.write(job.ticket.id + ticket_ending, text_of(job.ticket));
    return job;
  }
  fs::path ended(const std::string& name) const { return spool_.own() / "ended" / name; }

  const ScratchFolder scratch_{"queue-files"};
  const Spool spool_{scratch_.path() / "spool"};
};

TEST_F(JobFiles, ThoseThatEndedFirstAreForgotten) {
  using Clock = fs::file_time_type::clock;
  fs::create_directories(ended(""));
  const auto hours_ago = [](int hours) { return Clock::now() - std::chrono::hours(hours); };
  const auto put = [&](const std::string& id, int submitted, int over) {
    std::ofstream(ended(id + ticket_ending)) << "{}";
    std::ofstream(ended(id + state_ending)) << "{}";
    fs::last_write_time(ended(id + ticket_ending), hours_ago(submitted));
    fs::last_write_time(ended(id + state_ending), hours_ago(over));
  };
  for (int i = 0; i < 1998; ++i) {
    char id[8];
    std::snprintf(id, sizeof id, "%06x", static_cast<unsigned>(i));
    put(id, 10, 9);
  }
  put("aaaaaa", 100, 1);  // in line first, and over last
  put("bbbbbb", 11, 20);
  put_away(spool_, written(over("cccccc")));
  EXPECT_TRUE(fs::exists(ended(std::string("aaaaaa") + ticket_ending)));
  EXPECT_TRUE(fs::exists(ended(std::string("cccccc") + ticket_ending)));
  EXPECT_FALSE(fs::exists(ended(std::string("bbbbbb") + ticket_ending)));
}

TEST_F(JobFiles, HowAJobEndedIsKnownThoughItCannotBePutAway) {
  const SceneJob job = written(over("abcdef"));
  fs::create_directories(ended(std::string("abcdef") + state_ending));  // in the way, as a full disk is
  put_away(spool_, job);
  std::vector<std::string> problems;
  std::vector<SceneJob> all = ended_jobs(spool_, problems);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state.why, "exit code 3");
  EXPECT_TRUE(problems.empty());
  fs::remove(ended(std::string("abcdef") + state_ending));
  put_away_left(spool_);
  EXPECT_FALSE(spool_.has(std::string("abcdef") + ticket_ending));
  all = ended_jobs(spool_, problems);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state.why, "exit code 3");
}

}  // namespace
}  // namespace nephron::host
