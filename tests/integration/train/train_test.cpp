// Whole runs of `nephron train`: what they leave behind, resuming, kills, errors.
#include <chrono>
#include <csignal>
#include <random>
#include <regex>
#include <thread>
#include <tuple>

#include <nlohmann/json.hpp>

#include <nephron/rng.hpp>

#include <tests/integration/train/train_fixture.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

TEST_F(Train, LeavesARunThatTellsEverything) {
  const std::string output = run(train_command({"--fold", "all", "--set", "train.epochs=4"}), 0);
  EXPECT_THAT(output, ContainsRegex("mean of best Dice 0\\.[0-9]+"));
  const RunFolder done = only_run();
  EXPECT_THAT(done.folds(), testing::ElementsAre(0, 1, 2));
  for (const int fold : {0, 1, 2}) {
    EXPECT_TRUE(done.fold(fold).finished());
    const auto steps = losses(done, fold);
    ASSERT_EQ(steps.size(), 80U);
    EXPECT_LT(steps.at(80), 0.7 * steps.at(1)) << "it learnt nothing";
    EXPECT_TRUE(done.fold(fold).has_checkpoint("best"));
    double best = 0, start = -1;
    for (const auto& [step, values] : read_metrics(done.fold(fold).metrics()))
      for (const auto& [name, value] : values) {
        if (name == "dice") best = std::max(best, value);
        if (name == "start_s") {
          EXPECT_EQ(step, 1);
          start = value;
        }
      }
    EXPECT_GT(best, 0.5);
    EXPECT_EQ(start > 0, fold == 0) << "later folds did not start with the process";
  }
  const auto environment = nlohmann::json::parse(read_file(done.environment()));
  EXPECT_EQ(environment["seed"], 7);
  EXPECT_EQ(environment["device"], "cpu");
  EXPECT_THAT(environment["plugins"].dump(), HasSubstr("encoder test-tiny"));
  EXPECT_THAT(read_file(done.log()), HasSubstr("epoch 4/4"));
  EXPECT_THAT(read_file(done.experiment()), HasSubstr("epochs = 4"));
  // The resolved experiment runs from anywhere, as it is.
  fs::copy_file(done.experiment(), root_ / "again.toml");
  run({"train", (root_ / "again.toml").string(), "--runs", (root_ / "again").string(), "--set", "train.epochs=1",
       "--device", "cpu"},
      0);
}

TEST_F(Train, ClassesMayExcludeEachOtherAndPixelsBeIgnored) {
  write_experiment("", R"({ type = "ce" }, { type = "dice", weight = 0.3 })");
  run(train_command({"--set", R"(classes=["disc", "other"])", "--set", "exclusive=true", "--set",
                     "dataset.0.values={disc=255, other=7, unsure=9}", "--set", R"(dataset.0.ignore=["unsure"])",
                     "--set", "data.ignore_outside=true", "--set", "data.window=3.5"}),
      0);
  double best = 0;
  for (const auto& [step, values] : read_metrics(only_run().fold(0).metrics()))
    for (const auto& [name, value] : values)
      if (name == "dice_disc") best = std::max(best, value);
  EXPECT_GT(best, 0.5);
}

TEST_F(Train, SameSeedSameBits) {
  run(train_command(), 0);
  run(train_command({"--set", "data.workers=1"}), 0);
  ASSERT_EQ(runs().size(), 2U) << "a run was overwritten";
  expect_equal(tensors(RunFolder::open(runs()[0])), tensors(RunFolder::open(runs()[1])));
  run(train_command({"--set", "seed=8"}), 0);
  bool same = true;
  for (const fs::path& path : runs())
    same = same && losses(RunFolder::open(path)) == losses(RunFolder::open(runs()[0]));
  EXPECT_FALSE(same) << "the seed changes nothing";
}

/// A mirror gives the same bytes wherever it is carried out, ignored pixels and the edge included.
TEST_F(Train, PlansThatTheDeviceCarriesOutGiveTheSameBits) {
  const std::vector<std::string> ignoring{
      "--set", R"(classes=["disc", "other"])",   "--set", "dataset.0.values={disc=255, other=7, unsure=9}",
      "--set", R"(dataset.0.ignore=["unsure"])", "--set", "data.ignore_outside=true"};
  for (const auto& settings : {std::vector<std::string>{}, ignoring}) {
    fs::remove_all(root_ / "runs");
    std::vector<std::string> on_device = settings;
    on_device.insert(on_device.end(), {"--set", "data.augment_on=device"});
    run(train_command(settings), 0);
    run(train_command(on_device), 0);
    ASSERT_EQ(runs().size(), 2U);
    expect_equal(tensors(RunFolder::open(runs()[0])), tensors(RunFolder::open(runs()[1])));
  }
}

TEST_F(Train, TakesTheBatchThatFitsAndRecordsIt) {
  const std::string said = run(train_command({"--batch", "auto", "--set", "train.epochs=1"}), 0);
  EXPECT_THAT(said, HasSubstr("train.batch = 64 fits into the memory that is free (--batch auto), with 1 batch an "
                              "epoch in place of 20 of 2"));  // tiles of 32 px always do
  EXPECT_THAT(read_file(only_run().experiment()), HasSubstr("batch = 64"));
  EXPECT_EQ(losses(only_run()).size(), 1U);
  EXPECT_THAT(run({"train", "--resume", only_run().folder().string(), "--batch", "auto"}, 2), HasSubstr("--batch"));
}

TEST_F(Train, TakesTheReferencesBatchAndEpochsByTheEncoder) {
  const auto waiting = [&](const std::vector<std::string>& more) {
    fs::remove_all(root_ / "runs");
    std::vector<std::string> command{"--batch", "reference", "--leave-waiting", "--set",
                                     "model.decoder={type=\"unet\"}"};
    command.insert(command.end(), more.begin(), more.end());
    const std::string said = run(train_command(command), 0);
    return std::pair(said, read_file(only_run().experiment()));
  };
  const auto [said, experiment] = waiting({"--set", "model.encoder={type=\"efficientnet-b4\"}"});
  EXPECT_THAT(said, HasSubstr("of efficientnet-b4 at 32 px: train.batch = 16, 40 epochs of 312 batches"));
  EXPECT_THAT(experiment, testing::AllOf(HasSubstr("\nbatch = 16 "), HasSubstr("\nepochs = 40 "),
                                         HasSubstr("\nsteps_per_epoch = 312 ")));
  // Half of it for larger tiles, and what is said by hand stays.
  const std::string other =
      waiting({"--set", "model.encoder={type=\"resnet18\"}", "--set", "data.tile=288", "--set", "train.epochs=7"})
          .second;
  EXPECT_THAT(other, testing::AllOf(HasSubstr("\nbatch = 32 "), HasSubstr("\nepochs = 7 "),
                                    HasSubstr("\nsteps_per_epoch = 156 ")));
  EXPECT_THAT(run(train_command({"--batch", "reference"}), 2),
              testing::AllOf(HasSubstr("--batch reference knows no batch for the encoder \"test-tiny\""),
                             HasSubstr("it knows resnet18, resnet34, ")));
}

TEST_F(Train, CtrlCSavesAndSaysHowToGoOn) {
  write_experiment("accumulate = 3\nclip_norm = 1.0\n[[batch_augmentation]]\ntype = \"cutmix\"\np = 0.7\n",
                   R"({ type = "bce" }, { type = "dice" })");
  run(train_command({"--runs", (root_ / "whole").string(), "--set", "train.epochs=40"}), 0);
  const RunFolder whole = RunFolder::open(fs::directory_iterator(root_ / "whole/tiny")->path());
  Program program(train_command({"--set", "train.epochs=40"}), output());
  while (!program.done() && !a_run_has("fold-0/checkpoints/last")) std::this_thread::sleep_for(2ms);
  program.signal(SIGINT);
  ASSERT_EQ(program.wait(), 130) << program.output();
  const RunFolder cut = only_run();
  EXPECT_THAT(program.output(), HasSubstr("nephron train --resume " + cut.folder().string()));
  EXPECT_FALSE(cut.fold(0).finished());
  run({"train", "--resume", cut.folder().string(), "--device", "cpu"}, 0);
  expect_equal(tensors(whole), tensors(cut));
  EXPECT_EQ(losses(whole), losses(cut));
  run({"train", "--resume", cut.folder().string(), "--device", "cpu"}, 0);  // nothing left to do
  expect_equal(tensors(whole), tensors(cut));
}

TEST_F(Train, KilledAtAnyMomentItGoesOnBitForBit) {
  const std::vector<std::string> more{"--set", "train.epochs=60",  "--set", "train.optimizer.type=\"sgd\"",
                                      "--set", "train.patience=55"};
  std::vector<std::string> whole_command = train_command(more);
  whole_command.insert(whole_command.end(), {"--runs", (root_ / "whole").string()});
  const auto start = std::chrono::steady_clock::now();
  run(whole_command, 0);
  const double whole_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const RunFolder whole = RunFolder::open(fs::directory_iterator(root_ / "whole/tiny")->path());

  std::mt19937 random(11);
  int kills = 0, resumed = 0;
  fs::path going;  // the run, once it is one
  for (int attempt = 0; attempt < 60; ++attempt) {
    Program program(going.empty() ? train_command(more)
                                  : std::vector<std::string>{"train", "--resume", going.string(), "--device", "cpu"},
                    output());
    if (attempt < 12) {  // then let it end
      // By turns: at any moment, most of which are start-up in so short a run, and just behind a checkpoint of its own.
      const auto deadline = [&](double most) {
        return std::chrono::duration<double>(whole_s * std::uniform_real_distribution(0.0, most)(random));
      };
      if (attempt % 2 == 0) {
        std::this_thread::sleep_for(deadline(0.15));
      } else {
        const fs::path before = last_checkpoint();
        while (!program.done() && last_checkpoint() == before) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(deadline(0.04));
      }
      if (program.done()) break;
      program.signal(SIGKILL);
      EXPECT_EQ(program.wait(), -SIGKILL);
      ++kills;
      resumed += program.output().find("going on after step") != std::string::npos;
      for (const fs::path& run : runs())
        if (fs::exists(run / "experiment.resolved.toml")) going = run;
      continue;
    }
    EXPECT_EQ(program.wait(), 0) << program.output();
    break;
  }
  EXPECT_GE(kills, 8);
  EXPECT_GE(resumed, 2) << "the kills fell into the start alone and prove nothing";
  ASSERT_FALSE(going.empty());
  const RunFolder cut = RunFolder::open(going);
  expect_equal(tensors(whole), tensors(cut));
  EXPECT_EQ(losses(whole), losses(cut));
  EXPECT_EQ(read_tensors(whole.fold(0).weights("best")).size(), read_tensors(cut.fold(0).weights("best")).size());
  const auto figures = [](const RunFolder& r) {
    auto json = nlohmann::json::parse(read_file(r.fold(0).done()));
    return std::make_tuple(json["steps"], json["best_dice"], json["best_step"], json["last_val_loss"]);
  };
  EXPECT_EQ(figures(whole), figures(cut));
}

TEST_F(Train, ANanStopsWithItsSamplesAndACheckpoint) {
  write_experiment("", "{ type = \"test-brittle\", good_calls = 26 }");
  const std::string output = run(train_command({"--set", "train.validate_every=100"}), 1);
  EXPECT_THAT(output, HasSubstr("the loss is NaN at step 27 (epoch 2)"));
  EXPECT_THAT(output, ContainsRegex("loss \"test-brittle\" of plugin \"?tiny\"? \\(.*\\) is NaN for class \"disc\""));
  EXPECT_THAT(output, ContainsRegex("s[0-9].* [0-9]+,[0-9]+"));
  EXPECT_THAT(output, HasSubstr("bad-loss-step-27"));
  const RunFolder run = only_run();
  EXPECT_TRUE(fs::exists(run.fold(0).checkpoints() / "bad-loss-step-27/weights.safetensors"));
  EXPECT_EQ(read_tensors(run.fold(0).weights("last").parent_path() / "state.safetensors")
                .at("steps.encoder.conv")
                .item<float>(),
            20)
      << "the checkpoint to go on from must be a good one";
}

TEST_F(Train, AnErrorOfAPluginNamesPluginComponentPlaceAndStep) {
  write_experiment("", "{ type = \"test-brittle\", good_calls = 26, throws = true }");
  const std::string output = run(train_command({"--set", "train.validate_every=100"}), 1);
  EXPECT_THAT(output,
              ContainsRegex("tiny\\.toml:24:[0-9]+: loss \"test-brittle\" of plugin \"?tiny\"? \\(.*tiny\\.so\\) "
                            "failed in forward: the forward of the fixture fails \\(fold 0, after step 26\\)"));
  EXPECT_THAT(output, HasSubstr("there is nothing to do about it"));
}

TEST_F(Train, WhatComponentsTellIsInTheMetrics) {
  write_experiment("accumulate = 2\n", "{ type = \"test-brittle\", good_calls = 1000 }");
  run(train_command({"--set", "train.epochs=2"}), 0);
  std::map<std::int64_t, double> calls;
  for (const auto& [step, values] : read_metrics(only_run().fold(0).metrics()))
    for (const auto& [name, value] : values)
      if (name == "test-brittle/calls") calls[step] = value;
  // Two batches a step, and the mean of two numbers each; what validation tells belongs to no step.
  ASSERT_EQ(calls.size(), 20U);
  EXPECT_EQ(calls.at(1), 2.5);
  EXPECT_EQ(calls.at(10), 20.5);
  EXPECT_GT(calls.at(11), 22.5);
}

// Samples are made ahead: what is told of one belongs to the step that uses it.
TEST_F(Train, WhatIsToldOfASampleIsInTheStepThatUsesIt) {
  std::string text = read_file(root_ / "tiny.toml");
  text.replace(text.find("\"flip\""), 6, "\"test-telling\"");
  write_file_atomically(root_ / "tiny.toml", text);
  run(train_command({"--set", "train.epochs=2", "--set", "data.workers=3", "--set", "data.prefetch=8"}), 0);
  std::map<std::int64_t, double> told;
  for (const auto& [step, values] : read_metrics(only_run().fold(0).metrics()))
    for (const auto& [name, value] : values)
      if (name == "test-telling/u") told[step] = value;
  ASSERT_EQ(told.size(), 40U);
  for (const auto& [step, value] : told) {
    double sum = 0;
    for (int i = 0; i < 2; ++i) {
      Rng rng(7, "augmentation[0]", static_cast<std::uint64_t>((step - 1) / 20),
              static_cast<std::uint64_t>((step - 1) % 20 * 2 + i));
      rng.chance(1);
      sum += rng.uniform();
    }
    EXPECT_NEAR(value, sum / 2, 1e-12) << "step " << step;
  }
}

TEST_F(Train, SaysWhatIsWrongBeforeTraining) {
  EXPECT_THAT(run(train_command({"--set", "train.precision=fp16"}), 2), HasSubstr("needs a CUDA device"));
  EXPECT_THAT(run(train_command({"--set", "train.cuda_graph=true"}), 2),
              AllOf(HasSubstr("\"cuda_graph\" needs a CUDA device"), HasSubstr("--set train.cuda_graph=false")));
  EXPECT_THAT(run(train_command({"--fold", "3"}), 2),
              HasSubstr("--fold 3: expected 0 to 2, several with \",\" between them, or \"all\""));
  EXPECT_THAT(run(train_command({"--fold", "first"}), 2), HasSubstr("--fold first: expected 0 to 2"));
  EXPECT_THAT(run(train_command({"--device", "gpu"}), 2), HasSubstr("unknown device"));
  EXPECT_THAT(run(train_command({"--set", "train.epoch=1"}), 2), HasSubstr("epochs"));
  EXPECT_THAT(run({"train", "--resume", (root_ / "none").string()}, 1), HasSubstr("no such folder"));
  EXPECT_THAT(run({"train"}, 2), HasSubstr("experiment"));
  write_experiment("", "{ type = \"test-brittle\", wrong_shape = true }");
  EXPECT_THAT(run(train_command(), 1), testing::AllOf(HasSubstr("test-brittle"), HasSubstr("[2 or 1, 1]")));
}

TEST_F(Train, TheSamplerOfValidationThatNobodyWroteIsAmongThePlugins) {
  std::string text = read_file(root_ / "tiny.toml");
  const std::string written = "[validation]\nsampler = { type = \"grid\" }\n";
  text.replace(text.find(written), written.size(), "");
  write_file_atomically(root_ / "tiny.toml", text);
  run(train_command({"--set", "train.epochs=1"}), 0);
  std::map<std::string, std::string> files;
  const auto environment = nlohmann::json::parse(read_file(only_run().environment()));
  for (const auto& plugin : environment.at("plugins"))
    for (const auto& component : plugin.at("components")) files[component] = plugin.at("sha256");
  EXPECT_TRUE(files.contains("sampler uniform"));
  ASSERT_TRUE(files.contains("sampler grid"));
  EXPECT_EQ(files.at("sampler grid").size(), 64U);
}

TEST_F(Train, SaysThatAFolderCannotBeWritten) {
  std::vector<std::string> command = train_command();
  command[3] = "/proc/nephron-runs";
  EXPECT_THAT(run(command, 1), HasSubstr("/proc/nephron-runs"));
}

TEST_F(Train, DebugKeepsNothing) {
  const std::string output = run(train_command({"--debug", "--set", "train.steps_per_epoch=1000000"}), 0);
  EXPECT_THAT(output, HasSubstr("epoch 2/2"));
  EXPECT_TRUE(runs().empty());
}

TEST_F(Train, StopsEarly) {
  const std::string output =
      run(train_command({"--set", "train.patience=2", "--set", "train.optimizer.lr=0", "--set", "train.epochs=50"}), 0);
  EXPECT_THAT(output, HasSubstr("stopping early"));
  EXPECT_EQ(losses(only_run()).size(), 3 * 20U);
}

TEST_F(Train, OneProcessAFold) {
  Program first(train_command({"--set", "train.epochs=1000"}), root_ / "first.txt");
  while (!first.done() && !a_run_has("fold-0/checkpoints/last")) std::this_thread::sleep_for(2ms);
  EXPECT_THAT(run({"train", "--resume", runs().at(0).string(), "--device", "cpu"}, 1),
              HasSubstr("another process is training"));
  first.signal(SIGKILL);
  first.wait();
}

}  // namespace
}  // namespace nephron::host
