#include <host/ranks/place.hpp>

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/usage_error.hpp>

namespace nephron::host {
namespace {

using Variables = std::map<std::string, std::string>;
using testing::HasSubstr;

std::optional<RankPlace> place_of(const Variables& variables) {
  return place_among_ranks([&](const char* name) {
    const auto entry = variables.find(name);
    return entry == variables.end() ? nullptr : entry->second.c_str();
  });
}

std::string complaint(const Variables& variables) {
  try {
    place_of(variables);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "none";
}

const Variables torchrun{{"RANK", "3"},           {"WORLD_SIZE", "4"},
                         {"LOCAL_RANK", "1"},     {"LOCAL_WORLD_SIZE", "2"},
                         {"MASTER_ADDR", "here"}, {"MASTER_PORT", "29500"}};
const Variables srun{{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_NTASKS", "4"},      {"SLURM_PROCID", "2"},
                     {"SLURM_LOCALID", "0"},        {"SLURM_JOB_ID", "123456"}, {"SLURM_JOB_NODELIST", "gpu[003-004]"}};

Variables with(Variables v, const std::string& name, const std::string& value) {
  v[name] = value;
  return v;
}
Variables without(Variables v, const std::string& name) {
  v.erase(name);
  return v;
}

TEST(RankPlace, AProcessWithoutVariablesIsAlone) {
  EXPECT_FALSE(place_of({}));
  EXPECT_FALSE(place_of({{"MASTER_ADDR", "left"}, {"MASTER_PORT", "29500"}}));
  EXPECT_FALSE(place_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}}));
  // A batch script that asked for several tasks, and srun of one.
  EXPECT_FALSE(place_of({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}}));
  EXPECT_FALSE(place_of(with(srun, "SLURM_STEP_NUM_TASKS", "1")));
}

TEST(RankPlace, OfTorchrun) {
  const auto place = place_of(torchrun);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->count, 4);
  EXPECT_EQ(place->local, 1);
  EXPECT_EQ(place->local_count, 2);
  EXPECT_EQ(place->address, "here");
  EXPECT_EQ(place->port, 29500);
  EXPECT_FALSE(place->store_is_there);
  EXPECT_TRUE(place_of(with(torchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"))->store_is_there);
}

TEST(RankPlace, OfSrun) {
  const auto place = place_of(srun);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 2);
  EXPECT_EQ(place->count, 4);
  EXPECT_EQ(place->local, 0);
  EXPECT_EQ(place->address, "gpu003");
  EXPECT_GE(place->port, 15000);
  EXPECT_EQ(place->port, place_of(with(srun, "SLURM_PROCID", "0"))->port);
  EXPECT_NE(place->port, place_of(with(srun, "SLURM_JOB_ID", "123457"))->port);
  EXPECT_EQ(place_of(with(srun, "MASTER_PORT", "4000"))->port, 4000);
  EXPECT_EQ(place_of(with(srun, "MASTER_ADDR", "10.0.0.1"))->address, "10.0.0.1");
  // torchrun inside srun: torchrun's ranks count.
  Variables both = srun;
  both.insert(torchrun.begin(), torchrun.end());
  EXPECT_EQ(place_of(both)->starter, "torchrun");
}

TEST(RankPlace, HalfOfThemIsAnErrorThatNamesTheOther) {
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"})
    EXPECT_THAT(complaint(without(torchrun, name)), HasSubstr(std::string(name) + " is not set"));
  for (const char* name : {"SLURM_PROCID", "SLURM_LOCALID", "SLURM_JOB_ID"})
    EXPECT_THAT(complaint(without(srun, name)), HasSubstr(std::string(name) + " is not set"));
  EXPECT_THAT(complaint(without(srun, "SLURM_JOB_NODELIST")), HasSubstr("SLURM_JOB_NODELIST"));
}

TEST(RankPlace, WhatCannotBeIsRefused) {
  EXPECT_THAT(complaint(with(torchrun, "RANK", "4")), HasSubstr("RANK=4: expected a whole number from 0 to 3"));
  EXPECT_THAT(complaint(with(torchrun, "RANK", "-1")), HasSubstr("RANK=-1"));
  EXPECT_THAT(complaint(with(torchrun, "WORLD_SIZE", "two")), HasSubstr("WORLD_SIZE=two"));
  EXPECT_THAT(complaint(with(torchrun, "MASTER_PORT", "65536")), HasSubstr("MASTER_PORT=65536"));
  EXPECT_THAT(complaint(with(srun, "SLURM_PROCID", "4x")), HasSubstr("SLURM_PROCID=4x"));
}

TEST(RankPlace, TheFirstMachineOfAList) {
  EXPECT_EQ(first_host("node7"), "node7");
  EXPECT_EQ(first_host("a,b,c"), "a");
  EXPECT_EQ(first_host("gpu[003-007,9],login"), "gpu003");
  EXPECT_EQ(first_host("gpu[5,7]"), "gpu5");
  EXPECT_EQ(first_host("r[1-2]n[08-12].site"), "r1n08.site");
  EXPECT_EQ(first_host(""), "");
  EXPECT_EQ(first_host("broken[1-"), "");
}

}  // namespace
}  // namespace nephron::host
