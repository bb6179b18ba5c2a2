// What a run may be gone on with, what it writes down of that, and runs that begin with the weights of others.
#include <chrono>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include <host/runs/ended.hpp>
#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class Resume : public Train {
 protected:
  static Json json(const fs::path& file) { return Json::parse(read_file(file)); }
  static Json sessions(const RunFolder& run) { return json(run.environment()).at("sessions"); }
  std::vector<std::string> resume(const fs::path& run, std::vector<std::string> more = {}) const {
    std::vector<std::string> out{"train", "--resume", run.string(), "--device", "cpu"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  /// A run that Ctrl-C cut after its first epoch.
  RunFolder cut_run() {
    Program program(train_command({"--set", "train.epochs=40"}), output());
    while (!program.done() && last_checkpoint().empty()) std::this_thread::sleep_for(2ms);
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130) << program.output();
    return only_run();
  }
  /// A plugin file that is another one but does the same.
  static void change_file(const fs::path& plugin) { std::ofstream(plugin, std::ios::app) << "more"; }
};

TEST_F(Resume, WhatWouldChangeResultsIsRefusedBeforeAnythingIsTouched) {
  const RunFolder cut = cut_run();
  const std::string before = read_file(cut.environment()), log = read_file(cut.log());
  const std::string said = run(
      resume(cut.folder(), {"--set", "train.epochs=5", "--set", "train.optimizer.lr=0.5", "--set", "data.workers=1"}),
      2);
  EXPECT_THAT(said, AllOf(HasSubstr("--set train.epochs=5: error: \"train.epochs\" of a run that has begun is 40"),
                          HasSubstr("\"train.optimizer.lr\""), Not(HasSubstr("\"data.workers\"")),
                          HasSubstr("--from " + cut.folder().string())));
  EXPECT_EQ(read_file(cut.environment()), before);
  EXPECT_EQ(read_file(cut.log()), log);
  // The same value again is no change.
  run(resume(cut.folder(), {"--set", "train.epochs=40"}), 0);
}

TEST_F(Resume, WhatChangesNothingIsAllowedAndWrittenDown) {
  const RunFolder cut = cut_run();
  ASSERT_EQ(sessions(cut).size(), 1U);
  EXPECT_EQ(sessions(cut)[0]["overrides"], Json({"train.epochs=40"}));
  run(resume(cut.folder(), {"--set", "data.workers=1", "--set", "train.checkpoint_minutes=7"}), 0);
  const Json second = sessions(cut).at(1);
  EXPECT_EQ(second["overrides"], Json({"data.workers=1", "train.checkpoint_minutes=7"}));
  EXPECT_EQ(second["device"], "cpu");
  EXPECT_GT(second["pid"].get<int>(), 0);
  for (const char* key : {"started", "host", "nephron", "commit"})
    EXPECT_FALSE(second.at(key).get<std::string>().empty());
  EXPECT_EQ(second["changed_plugins"], Json::array());
  EXPECT_EQ(second["experiment_edited"], false);
  EXPECT_EQ(losses(cut).size(), 800U);
}

TEST_F(Resume, AnotherPluginFileIsToldByName) {
  const fs::path plugin = root_ / "tiny.so";
  fs::copy_file(NEPHRON_TINY, plugin);
  std::vector<std::string> command = train_command({"--set", "train.epochs=1"});
  for (std::string& word : command)
    if (word == NEPHRON_TINY) word = plugin.string();
  run(command, 0);
  change_file(plugin);
  const RunFolder done = only_run();
  EXPECT_THAT(run(resume(done.folder()), 0),
              ContainsRegex("warning: plugin \"tiny\" \\(.*tiny\\.so\\) is another file"));
  const Json changed = sessions(done).at(1)["changed_plugins"];
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0]["plugin"], "tiny");
  EXPECT_NE(changed[0]["was"], changed[0]["sha256"]);
}

TEST_F(Resume, TheResolvedExperimentHoldsEveryKeyAndSpeaksOfThePersonsFile) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  const RunFolder done = only_run();
  const std::string text = read_file(done.experiment());
  const std::string own = (root_ / "tiny.toml").string();
  EXPECT_THAT(text, AllOf(ContainsRegex("\nclip_norm = 0\\.0 +# default\n"),
                          ContainsRegex("\nepochs = 1 +# --set train.epochs=1\n"),
                          ContainsRegex("\nbatch = 2 +# " + own + ":[0-9]+:9\n"),
                          ContainsRegex("\nclass_weights = \\[\\] +# default\n")));
  // Errors of a resumed run speak of what the person wrote.
  fs::rename(*data_ / "data", *data_ / "gone");
  const std::string said = run(resume(done.folder()), 1);
  fs::rename(*data_ / "gone", *data_ / "data");
  EXPECT_THAT(said, ContainsRegex(own + ":[0-9]+:8: dataset \"image_folder\""));
  // Not where the file was edited: its places may be wrong.
  std::ofstream(done.experiment(), std::ios::app) << "\n# mine\n";
  EXPECT_THAT(run(resume(done.folder()), 0), HasSubstr("experiment.resolved.toml was edited since this run began"));
  EXPECT_EQ(sessions(done).back()["experiment_edited"], true);
}

TEST_F(Resume, AnExperimentWithoutANameKeepsTheOneItGot) {
  std::string text = read_file(root_ / "tiny.toml");
  text.replace(text.find("name = \"tiny\"\n"), 14, "");
  std::ofstream(root_ / "tiny.toml") << text;
  run(train_command({"--set", "train.epochs=1"}), 0);
  EXPECT_THAT(read_file(only_run().experiment()), ContainsRegex("name = \"tiny\" +# default\n"));
}

TEST_F(Resume, ARunThatBeginsWithTheWeightsOfAnother) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  const RunFolder first = only_run();
  const std::vector<std::string> from{"--from", (root_ / "runs/tiny").string(), "--set", "train.epochs=1"};
  std::vector<std::string> still = from;  // a rate of 0 shows what it began with
  still.insert(still.end(), {"--set", "train.optimizer.lr=0", "--runs", (root_ / "second").string()});
  run(train_command(still), 0);
  const RunFolder second = RunFolder::open(root_ / "second/tiny");
  const TensorMap a = read_tensors(first.fold(0).weights("last")), b = read_tensors(second.fold(0).weights("last"));
  for (const auto& [name, tensor] : a) {
    if (!name.ends_with("weight") || tensor.dim() != 4) continue;
    EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  }
  const Json origin = json(second.environment()).at("from").at(0);
  EXPECT_EQ(origin["run"], first.folder().string());
  EXPECT_EQ(origin["from_fold"], 0);
  EXPECT_EQ(origin["step"], 20);
  EXPECT_EQ(origin["checkpoint"], "last");
  EXPECT_EQ(origin["sha256"], sha256_of(first.fold(0).weights("last")));
  EXPECT_THAT(read_file(second.log()),
              HasSubstr("fold 0 begins with the weights of fold 0 of " + first.folder().string()));
}

TEST_F(Resume, WeightsThatSawTheSlidesOrDoNotFitAreRefused) {
  run(train_command({"--set", "train.epochs=1"}), 0);
  const std::string first = only_run().folder().string();
  EXPECT_THAT(run(train_command({"--from", first + "/fold-0", "--fold", "1"}), 1),
              AllOf(HasSubstr("fold 1 holds out 2 slides that fold 0 of " + first + " was trained on: \"s"),
                    HasSubstr("would be too good")));
  EXPECT_THAT(run(train_command({"--from", first, "--fold", "1"}), 1), HasSubstr("fold 1 of " + first));
  EXPECT_THAT(run(train_command({"--from", first, "--set", "classes=[\"disc\", \"other\"]"}), 1),
              AllOf(HasSubstr("misshapen"), HasSubstr("segmentation_head")));
  EXPECT_THAT(run(train_command({"--from", first, "--resume", first}), 2), HasSubstr("--resume"));
  EXPECT_EQ(runs().size(), 1U) << "a start that failed left a run";
}

TEST_F(Resume, AStartThatFailsLeavesNoRun) {
  std::ofstream(root_ / "bad.safetensors") << "nonsense";
  run(train_command({"--set", "model.encoder.weights=\"" + (root_ / "bad.safetensors").string() + "\""}), 1);
  EXPECT_TRUE(runs().empty());
  fs::create_directories(root_ / "none/images");
  fs::create_directories(root_ / "none/masks");
  run(train_command({"--set", "dataset.0.root=\"" + (root_ / "none").string() + "\""}), 1);
  EXPECT_TRUE(runs().empty());
  write_experiment("", "{ type = \"test-brittle\", wrong_shape = true }");
  run(train_command(), 1);  // fails in its first step: that is a run
  EXPECT_EQ(runs().size(), 1U);
}

TEST_F(Resume, WhatWasSaidBeforeTheRunStandsInItsLog) {
  fs::copy(*data_ / "data", root_ / "data", fs::copy_options::recursive);
  fs::copy_file(root_ / "data/images/s0.png", root_ / "data/images/twin.png");
  fs::copy_file(root_ / "data/masks/s0.png", root_ / "data/masks/twin.png");
  run(train_command({"--set", "train.epochs=1", "--set", "dataset.0.root=\"" + (root_ / "data").string() + "\""}), 0);
  EXPECT_THAT(read_file(only_run().log()), AllOf(HasSubstr("have equal pixels"), HasSubstr("epoch 1/1")));
}

TEST_F(Resume, ADamagedCheckpointGoesBackToTheOneBefore) {
  const RunFolder cut = cut_run();
  run(resume(cut.folder()), 0);
  run(train_command({"--runs", (root_ / "whole").string(), "--set", "train.epochs=40"}), 0);
  const fs::path last = cut.fold(0).checkpoints() / "last";
  fs::resize_file(last / "state.safetensors", 100);
  fs::remove(cut.fold(0).done());
  const std::string said = run(resume(cut.folder()), 0);
  EXPECT_THAT(said, AllOf(HasSubstr((last / "state.safetensors").string()),
                          ContainsRegex("going on from the checkpoint before, of step 7[0-9]+")));
  expect_equal(tensors(RunFolder::open(root_ / "whole/tiny")), tensors(cut));
  EXPECT_EQ(losses(RunFolder::open(root_ / "whole/tiny")), losses(cut));
}

TEST_F(Resume, NumbersThatWereDamagedGoBackToTheOneBefore) {
  run(train_command(), 0);
  const RunFolder done = only_run();
  const TensorMap sound = tensors(done);
  const fs::path last = done.fold(0).checkpoints() / "last";
  for (const char* name : {"weights.safetensors", "state.safetensors"}) {
    spoil_numbers(last / name);
    fs::remove(done.fold(0).done());
    EXPECT_THAT(run(resume(done.folder()), 0), AllOf(HasSubstr((last / name).string() + " is damaged or was replaced"),
                                                     HasSubstr("going on from the checkpoint before, of step 40")));
    expect_equal(sound, tensors(done));
  }
  // No weights of it are taken for what they are not.
  spoil_numbers(last / "weights.safetensors");
  for (const auto& command :
       {train_command({"--from", done.folder().string()}),
        std::vector<std::string>{"export", done.folder().string(), "--checkpoint", "last", "--out",
                                 (root_ / "exported").string(), "--plugin", NEPHRON_TINY}})
    EXPECT_THAT(run(command, 1), HasSubstr("it is not the file that training wrote"));
  EXPECT_EQ(runs().size(), 1U);
}

TEST_F(Resume, ANanRightAfterItIsNoReasonToResumeAgain) {
  write_experiment("", "{ type = \"test-brittle\", good_calls = 6 }");
  const std::string first =
      run(train_command({"--set", "train.validate_every=100", "--set", "train.steps_per_epoch=5"}), 1);
  EXPECT_THAT(first, AllOf(HasSubstr("NaN at step 7"), HasSubstr("--resume goes on from the last good checkpoint")));
  std::string text = read_file(only_run().experiment());
  const std::string calls = "good_calls = 6";
  ASSERT_NE(text.find(calls), std::string::npos);
  text.replace(text.find(calls), calls.size(), "good_calls = 2");
  std::ofstream(only_run().experiment()) << text;
  EXPECT_THAT(run(resume(only_run().folder()), 1),
              AllOf(HasSubstr("NaN at step 8"), HasSubstr("went on from the checkpoint of step 5 and wrote none since"),
                    HasSubstr("--from " + only_run().folder().string()), Not(HasSubstr("last good checkpoint"))));
}

TEST_F(Resume, APausedRunGoesOnBitForBitWithTheScheduleOfTheWhole) {
  const std::vector<std::string> both{"--fold", "all", "--set", "data.folds.count=2"};
  std::vector<std::string> whole = both, until = both;
  whole.insert(whole.end(), {"--runs", (root_ / "whole").string()});
  until.insert(until.end(), {"--until-epoch", "1"});
  run(train_command(whole), 0);
  EXPECT_THAT(run(train_command(until), 0), HasSubstr("paused after epoch 1 of 3"));
  const RunFolder paused = only_run(), unbroken = RunFolder::open(root_ / "whole/tiny");
  EXPECT_EQ(json(ended_file(paused.folder())).at("how"), "paused");
  EXPECT_EQ(losses(paused, 1).size(), 20U);
  run(resume(paused.folder(), {"--until-epoch", "1"}), 0);  // nothing is left to do until then
  EXPECT_EQ(losses(paused, 1).size(), 20U);
  run(resume(paused.folder(), {"--until-epoch", "2", "--jobs", "2"}), 0);  // each fold in a process of its own
  EXPECT_EQ(losses(paused, 1).size(), 40U);
  EXPECT_FALSE(paused.fold(1).finished());
  run(resume(paused.folder()), 0);
  for (const int fold : {0, 1}) {
    EXPECT_TRUE(paused.fold(fold).finished());
    expect_equal(tensors(unbroken, fold), tensors(paused, fold));
    EXPECT_EQ(losses(unbroken, fold), losses(paused, fold));
  }
  run(train_command({"--until-epoch", "0"}), 2);
}

TEST_F(Resume, InTheFirstEpochItSaysWhatThereIs) {
  Program program(train_command({"--set", "train.steps_per_epoch=100000"}), output());
  while (!program.done() && !a_run_has("fold-0/metrics.jsonl")) std::this_thread::sleep_for(2ms);
  program.signal(SIGINT);
  ASSERT_EQ(program.wait(), 130);
  EXPECT_THAT(program.output(), AllOf(HasSubstr("nephron train --resume " + only_run().folder().string()),
                                      HasSubstr("fold 0 was not validated yet"), HasSubstr("--checkpoint last")));
}

TEST_F(Resume, TwoProcessesNeverTrainOneRun) {
  Program first(train_command({"--set", "train.epochs=100000", "--fold", "all"}), root_ / "first.txt");
  while (!first.done() && last_checkpoint().empty()) std::this_thread::sleep_for(2ms);
  // Another fold of it is no other run.
  for (const fs::path& named : {runs().at(0), runs().at(0) / "fold-0"})
    EXPECT_THAT(run(resume(named), 1), AllOf(ContainsRegex("another process is training " + runs().at(0).string() +
                                                           ": process [0-9]+ on [^ ]+\n"),
                                             HasSubstr("Wait for it, or stop it first.")));
  fs::create_directory(runs().at(0) / "fold-1");
  EXPECT_THAT(run(resume(runs().at(0) / "fold-1"), 1), HasSubstr("another process is training"));
  first.signal(SIGKILL);
  first.wait();
}

}  // namespace
}  // namespace nephron::host
