#include <host/queue/scene.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <host/queue/keeper.hpp>

namespace nephron::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SceneJob kept_by(std::int64_t process, std::int64_t born_at, uid_t uid) {
  SceneJob out;
  out.uid = uid;
  out.kept = true;
  out.begun = Begun{1, process, born_at};
  return out;
}

TEST(Scene, AKeeperIsAProcessOfTheJobsUserAndTheOneThatItWas) {
  const std::int64_t own = ::getpid();
  Scene scene;
  scene.jobs = {kept_by(own, born(own), ::getuid())};
  EXPECT_THAT(keepers_of(scene), ElementsAre(::getpid()));
  scene.jobs = {kept_by(own, born(own), ::getuid() + 1)};
  EXPECT_THAT(keepers_of(scene), IsEmpty()) << "who names another's process would hide what that one uses";
  scene.jobs = {kept_by(own, born(own) + 1, ::getuid())};
  EXPECT_THAT(keepers_of(scene), IsEmpty());
  scene.jobs = {kept_by((1 << 30) - 1, 0, ::getuid())};
  EXPECT_THAT(keepers_of(scene), IsEmpty()) << "there is no such process";
}

TEST(Scene, WhatIgnoresThatItIsToYieldIsNotWaitedForWithoutEnd) {
  HostFile host;
  SceneJob job;
  job.kept = true;
  job.ticket.again = {"x"};
  job.state.at = JobState::At::running;
  job.state.wish = JobState::Wish::yield;
  job.state.told = Moment{1000, 100, "boot"};
  job.state.left = 10;
  Scene scene;
  scene.jobs = {job};
  std::vector<std::size_t> index;
  const auto seen = [&](double seconds) {
    scene.now = {1000 + seconds, 100 + seconds, "boot"};
    return plan_input(scene, host, 0, index).jobs.at(0);
  };
  EXPECT_EQ(seen(299).at, PlanJob::At::leaving);
  EXPECT_EQ(seen(301).at, PlanJob::At::running) << "others make room now";
  EXPECT_FALSE(seen(301).may_yield) << "it was asked";
  EXPECT_FALSE(seen(301).left);
}

}  // namespace
}  // namespace nephron::host
