#include <host/queue/change.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <host/queue/job_files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using At = JobState::At;
using Wish = JobState::Wish;

class Change : public testing::Test {
 protected:
  SceneJob job(At at) const {
    SceneJob out;
    out.uid = ::geteuid();
    out.ticket.id = "abcdef";
    out.ticket.first = out.ticket.again = {"true"};
    out.ticket.folder = "/";
    out.ticket.request.cores = 1;
    out.state.at = at;
    out.state.start = 1;
    return out;
  }
  SceneJob written(const SceneJob& job) const {
    write_state(spool_, job);
    spool_.write(job.ticket.id + ticket_ending, text_of(job.ticket));
    return job;
  }
  JobState state() const { return own_job(spool_, "abcdef").state; }

  const ScratchFolder scratch_{"queue-change"};
  const Spool spool_{scratch_.path() / "spool"};
  /// As if an agent were there: none is started by a change.
  const std::optional<Descriptor> agent_ = spool_.lock(agent_lock, false);
};

TEST_F(Change, WhatRunsIsToldByItsAgent) {
  written(job(At::running));
  cancel_job(spool_, "abcdef");
  EXPECT_EQ(state().wish, Wish::cancel);
  EXPECT_FALSE(state().told) << "its agent does that";
}

TEST_F(Change, WhatIsSavingIsNotToldASecondTime) {
  SceneJob saving = job(At::running);
  saving.state.wish = Wish::yield;
  saving.state.told = Moment{1, 2, "boot"};
  written(saving);
  hold_job(spool_, "abcdef");
  EXPECT_EQ(state().wish, Wish::hold);
  ASSERT_TRUE(state().told) << "it would be told again, and end without what it saves";
  cancel_job(spool_, "abcdef");
  ASSERT_TRUE(state().told);
  EXPECT_GT(state().told->boot, 2) << "it would be killed at once: its time to save began long ago";
  const double first = state().told->boot;
  cancel_job(spool_, "abcdef");
  ASSERT_TRUE(state().told);
  EXPECT_EQ(state().told->boot, first) << "who is impatient does not put off its end";
}

TEST_F(Change, OfThoseThatArePickedOnlyWhatWaitsIsTakenOut) {
  const auto one = [&](const std::string& id, At at, const std::string& word) {
    SceneJob out = job(at);
    out.ticket.id = id;
    out.ticket.first = {word};
    out.state.rests = at == At::waiting;
    written(out);
  };
  one("000001", At::waiting, "this");
  one("000002", At::running, "this");
  one("000003", At::held, "this");
  one("000004", At::waiting, "other");
  const auto is_this = [](const Ticket& ticket) { return ticket.first.front() == "this"; };
  EXPECT_EQ(cancel_waiting(spool_.folder(), is_this, "stopped"), std::vector<std::string>{"000001"});
  EXPECT_EQ(own_job(spool_, "000001").state.how, JobState::How::cancelled);
  EXPECT_EQ(own_job(spool_, "000001").state.why, "stopped");
  EXPECT_EQ(own_job(spool_, "000002").state.wish, Wish::none);
  EXPECT_EQ(own_job(spool_, "000003").state.at, At::held);
  EXPECT_EQ(own_job(spool_, "000004").state.at, At::waiting);
  release_job(spool_, "000001");
  EXPECT_EQ(own_job(spool_, "000001").state.at, At::waiting);
  EXPECT_FALSE(own_job(spool_, "000001").state.rests) << "it is in line at once";
  EXPECT_TRUE(cancel_waiting(scratch_.path() / "none", is_this, "").empty());
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "none")) << "asking makes no queue";
}

}  // namespace
}  // namespace nephron::host
