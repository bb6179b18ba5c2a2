#include <host/slurm/slurm_script.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nephron::host {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

SlurmJob training() {
  SlurmJob job;
  job.name = "it's unet";
  job.words = {"/opt/nephron", "train", "--resume", "/runs/a b/20260131"};
  job.goes_on = true;
  job.run = "/runs/a b/20260131";
  job.folder = "/work";
  job.umask = 027;
  return job;
}

TEST(SlurmScripts, SayTheOptionsThatSbatchIsGivenToo) {
  SlurmJob job = training();
  job.gres = "gpu:2";
  job.cores = 4;
  job.memory_bytes = std::int64_t{6} << 30;
  job.partition = "long";
  job.time = "1-00";
  job.idle = true;
  job.more = {"--account=lab"};
  const auto options = sbatch_options(job, "/runs/%j.log");
  EXPECT_THAT(options, testing::IsSupersetOf({"--job-name=it's unet", "--output=/runs/%j.log", "--gres=gpu:2",
                                              "--cpus-per-task=4", "--mem=6291456K", "--partition=long", "--time=1-00",
                                              "--account=lab", "--requeue", "--signal=TERM@120",
                                              "--comment=nephron /runs/a b/20260131"}));
  EXPECT_THAT(options, Contains(StartsWith("--nice=")));
  const std::string script = sbatch_script(job, "/runs/%j.log");
  EXPECT_THAT(script, AllOf(StartsWith("#!/bin/bash\n#SBATCH "), HasSubstr("\n#SBATCH '--gres=gpu:2'\n"),
                            HasSubstr("\numask 0027\ncd /work || exit 1\n"), HasSubstr("OMP_NUM_THREADS:-4"),
                            HasSubstr("set -- /opt/nephron train --resume '/runs/a b/20260131'\n"),
                            HasSubstr("scontrol requeue")));
}

TEST(SlurmScripts, WhatCannotGoOnIsNeverStartedTwice) {
  SlurmJob job = training();
  job.goes_on = false;
  EXPECT_THAT(sbatch_options(job, "x"), AllOf(Contains("--no-requeue"), Not(Contains(StartsWith("--signal")))));
  EXPECT_THAT(sbatch_script(job, "x"), Not(HasSubstr("scontrol")));
}

TEST(SlurmScripts, TasksOfAnArrayAreToldByTheLastWord) {
  SlurmJob job = training();
  job.array = SlurmArray{{0, 2}, std::pair("/runs/a b/fold-", "")};
  EXPECT_THAT(sbatch_options(job, "x"), Contains("--array=0,2"));
  EXPECT_THAT(sbatch_script(job, "x"), HasSubstr(" '/runs/a b/fold-'\"$SLURM_ARRAY_TASK_ID\"\n"));
  EXPECT_THAT(sbatch_script(job, "x"), HasSubstr("job=\"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"));
  job.array = SlurmArray{{1, 2, 3}, std::pair("", "/3")};
  EXPECT_THAT(sbatch_script(job, "x"), HasSubstr(" \"$SLURM_ARRAY_TASK_ID\"/3\n"));
  job.array = SlurmArray{{1, 2}, {}};
  EXPECT_THAT(sbatch_script(job, "x"), HasSubstr("set -- /opt/nephron train --resume '/runs/a b/20260131'\n"));
}

// One that is told to save two minutes before the end of its time would do nothing else in a short one.
TEST(SlurmScripts, OfAShortTimeNoneIsTakenForSaving) {
  for (const auto& [time, told] : {std::pair{"5", false},
                                   {"9:59", false},
                                   {"10", true},
                                   {"0:09:00", false},
                                   {"1:00:00", true},
                                   {"0-0:30", true},
                                   {"1-", true},
                                   {"nonsense", true}}) {
    SlurmJob job = training();
    job.time = time;
    const auto options = sbatch_options(job, "x");
    EXPECT_EQ(std::count(options.begin(), options.end(), "--signal=TERM@120"), told ? 1 : 0) << time;
  }
}

TEST(SlurmScripts, PercentSignsOfAFolderAreNoNumbersOfSlurm) {
  EXPECT_EQ(without_patterns("/data/100%j"), "/data/100%%j");
}

}  // namespace
}  // namespace nephron::host
