#include <host/runs/status.hpp>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tests/support/error_of.hpp>
#include <tests/support/scratch_folder.hpp>
#include <tests/support/small_disk.hpp>

namespace nephron::host {
namespace {

using State = FolderLock::State;

StatusEvidence begun_here(State lock) { return {lock, false, 2, "here", std::nullopt}; }

SessionEnd end_of(std::int64_t session, EndedBy by) {
  return {session, by, by == EndedBy::error ? "the disk is full" : "", "", ""};
}

TEST(RunStatus, FollowsFromLocksAndRecords) {
  EXPECT_EQ(status_of(begun_here(State::held), "here"), RunStatus::running);
  EXPECT_EQ(status_of(begun_here(State::free), "here"), RunStatus::killed);
  EXPECT_EQ(status_of(begun_here(State::free), "elsewhere"), RunStatus::unknown);
  EXPECT_EQ(status_of(begun_here(State::unknown), "here"), RunStatus::unknown);
  EXPECT_EQ(status_of({State::free, false, 0, "", {}}, "here"), RunStatus::waiting);
  EXPECT_EQ(status_of({State::free, false, 0, "", end_of(0, EndedBy::error)}, "here"), RunStatus::failed);
  EXPECT_EQ(status_of({State::free, false, 0, "", end_of(1, EndedBy::error)}, "here"), RunStatus::waiting);
}

TEST(RunStatus, WhoHoldsTheLockRunsWhateverIsWritten) {
  StatusEvidence evidence = begun_here(State::held);
  evidence.folds_done = true;
  evidence.ended = end_of(2, EndedBy::error);
  EXPECT_EQ(status_of(evidence, "elsewhere"), RunStatus::running);
}

TEST(RunStatus, OnlyTheLastSessionsEndCounts) {
  StatusEvidence evidence = begun_here(State::free);
  evidence.ended = end_of(2, EndedBy::error);
  EXPECT_EQ(status_of(evidence, "here"), RunStatus::failed);
  evidence.ended = end_of(2, EndedBy::interruption);
  EXPECT_EQ(status_of(evidence, "elsewhere"), RunStatus::interrupted);
  evidence.ended = end_of(2, EndedBy::pause);
  EXPECT_EQ(status_of(evidence, "elsewhere"), RunStatus::paused);
  evidence.ended = end_of(1, EndedBy::interruption);
  EXPECT_EQ(status_of(evidence, "here"), RunStatus::killed) << "a later session has gone without a word";
}

class EndRecord : public testing::Test {
 protected:
  const ScratchFolder scratch_{"ended"};
  const std::filesystem::path& run_ = scratch_.path();
};

TEST_F(EndRecord, IsOfTheLastSession) {
  std::ofstream(run_ / "environment.json") << R"({"sessions": [{}, {}, {}]})";
  write_ended(run_, EndedBy::error, "no \xff space\nleft", "make room");
  const auto read = read_ended(run_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session, 3);
  EXPECT_EQ(read->by, EndedBy::error);
  EXPECT_THAT(read->error, testing::HasSubstr("space\nleft"));
  EXPECT_EQ(read->hint, "make room");
}

TEST_F(EndRecord, WhatStopsItStopsNothingElse) {
  write_ended(run_, EndedBy::interruption);
  EXPECT_FALSE(read_ended(run_)) << "of a run without environment.json";
}

TEST_F(EndRecord, HasItsPlaceOnADiskThatIsFull) {
  const std::filesystem::path run = run_ / "run";
  const SmallDisk disk(run, 64);
  if (!disk.there()) GTEST_SKIP() << "no disk can be mounted here";
  std::ofstream(run / "environment.json") << R"({"sessions": [{}]})";
  reserve_ended(run);
  {
    std::ofstream full(run / "full");
    const std::string some(1000, 'x');
    while (full << some << std::flush) {}
  }
  write_ended(run, EndedBy::error, "no space left: " + std::string(5000, '"'), "make room");
  const auto read = read_ended(run);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->by, EndedBy::error);
  EXPECT_THAT(read->error, testing::StartsWith("no space left: \""));
  EXPECT_EQ(read->hint, "make room");
  release_ended(run);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(run), {}), 3) << "nothing else is left there";
}

TEST_F(EndRecord, DamageIsToldByName) {
  std::ofstream(ended_file(run_)) << R"({"session": 1, "how": "fai)";
  EXPECT_THAT(error_of([&] { read_ended(run_); }), testing::HasSubstr("ended.json"));
}

}  // namespace
}  // namespace nephron::host
