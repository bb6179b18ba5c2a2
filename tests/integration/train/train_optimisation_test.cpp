// Whole runs that freeze, group, average and lower their rate by what validation says.
#include <chrono>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include <tests/integration/train/train_fixture.hpp>
#include <tests/support/pixel_bytes.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Optimisation : public Train {
 protected:
  /// The same run twice: as a whole, and cut by Ctrl-C behind its checkpoint of this step.
  RunFolder whole_run(const std::vector<std::string>& more) {
    std::vector<std::string> command = train_command(more);
    command.insert(command.end(), {"--runs", (root_ / "whole").string()});
    run(command, 0);
    return RunFolder::open(root_ / "whole/tiny");
  }
  RunFolder cut_run(const std::vector<std::string>& more, std::int64_t step) {
    Program program(train_command(more), output());
    while (!program.done() && last_step() < step) std::this_thread::sleep_for(2ms);
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130) << program.output();
    return only_run();
  }
  /// Of the last checkpoint; -1 when there is none.
  std::int64_t last_step() const {
    const std::string name = last_checkpoint().string();  // step-N
    return name.empty() ? -1 : std::stoll(name.substr(name.find('-') + 1));
  }
  void go_on(const RunFolder& cut) { run({"train", "--resume", cut.folder().string(), "--device", "cpu"}, 0); }
  static TensorMap averaged(const RunFolder& run) { return read_tensors(run.fold(0).weights("average")); }
  static void expect_same(const RunFolder& a, const RunFolder& b) {
    expect_equal(tensors(a), tensors(b));
    expect_equal(averaged(a), averaged(b));
    EXPECT_EQ(losses(a), losses(b));
    EXPECT_EQ(figures(a, "average_dice"), figures(b, "average_dice"));
    EXPECT_EQ(figures(a, "lr"), figures(b, "lr"));
  }
  /// A figure of the metrics by its step.
  static std::map<std::int64_t, double> figures(const RunFolder& run, const std::string& wanted) {
    std::map<std::int64_t, double> out;
    for (const auto& [step, values] : read_metrics(run.fold(0).metrics()))
      for (const auto& [name, value] : values)
        if (name == wanted) out[step] = value;
    return out;
  }
};

TEST_F(Optimisation, ARunThatFreezesAveragesAndFallsGoesOnBitForBit) {
  write_experiment(R"(
group = [ { match = "decoder", lr_factor = 0.5, weight_decay = 0.01 } ]
freeze = [ { match = "encoder", until = 20 } ]
average = { type = "ema", decay = 0.95, start = 2 }
schedule = { type = "plateau", patience = 2, factor = 0.5 }
)");
  const std::vector<std::string> more{"--set", "train.epochs=40"};
  const RunFolder whole = whole_run(more);
  EXPECT_THAT(read_file(whole.log()),
              AllOf(HasSubstr("parameters:\n  \"decoder\": 1 tensor, 576 values, rate x 0.5, weight decay 0.01\n"),
                    HasSubstr("the rest: 3 tensors, 289 values, rate x 1, weight decay 0\n"),
                    HasSubstr("epoch 1: 1 of 4 parameters (216 of 865 values) are frozen"),
                    HasSubstr("epoch 21: nothing is frozen"), ContainsRegex("averaged 0\\.[0-9]+  rate x 0\\.5")));
  const RunFolder cut = cut_run(more, 5 * 20);  // frozen, averaging, and some validations are behind the plateau
  const TensorMap first = read_tensors(cut.fold(0).weights("best")), then = read_tensors(cut.fold(0).weights("last"));
  ASSERT_LT(figures(cut, "lr").rbegin()->first, 20 * 20) << "it was cut too late to prove anything";
  EXPECT_TRUE(at::equal(first.at("encoder.conv"), then.at("encoder.conv")));
  go_on(cut);
  expect_same(whole, cut);
  EXPECT_FALSE(at::equal(first.at("encoder.conv"), read_tensors(cut.fold(0).weights("last")).at("encoder.conv")));
  EXPECT_EQ(figures(whole, "average_dice").begin()->first, 3 * 20) << "it began after the second epoch";
  EXPECT_EQ(figures(whole, "average_dice").size(), 38U);
  EXPECT_LT(figures(whole, "lr").at(800), 0.011);
}

// Whatever the rate, the rule, the arithmetic and what is frozen when: a function of the step, or in the checkpoint.
TEST_F(Optimisation, EveryScheduleRuleAndPrecisionGoesOnBitForBit) {
  const struct {
    const char *name, *train;
  } cases[] = {
      {"cosine",
       "schedule = { type = \"cosine\", warmup = 0.3, end = 0.1 }\n"
       "freeze = [ { match = \"decoder\", from = 1, until = 3 } ]\n"},
      {"one_cycle", "schedule = { type = \"one_cycle\", warmup = 0.3 }\naccumulate = 3\nclip_norm = 0.2\n"},
      {"poly", "schedule = { type = \"poly\", power = 2 }\n"},
      {"bf16", "schedule = { type = \"constant\" }\nprecision = \"bf16\"\n"},
      {"radam", ""},
      {"lion", ""},
      {"sgd", ""},
      {"adamw", ""},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    const std::string rule = one.name, train = one.train;
    write_experiment(train);
    std::vector<std::string> more{"--set", "train.epochs=4", "--set", "train.steps_per_epoch=12"};
    if (train.empty())
      more.insert(more.end(), {"--set", "train.optimizer={type=\"" + rule + "\", lr=0.01, weight_decay=0.01}"});
    fs::remove_all(root_ / "whole");
    fs::remove_all(root_ / "runs");
    const RunFolder whole = whole_run(more);
    std::vector<std::string> paused = train_command(more);
    paused.insert(paused.end(), {"--until-epoch", "2"});
    run(paused, 0);
    const RunFolder cut = only_run();
    ASSERT_LT(losses(cut).size(), losses(whole).size());
    go_on(cut);
    expect_equal(tensors(whole), tensors(cut));
    EXPECT_EQ(losses(whole), losses(cut));
    EXPECT_EQ(figures(whole, "lr"), figures(cut, "lr"));
    EXPECT_EQ(figures(whole, "dice"), figures(cut, "dice"));
  }
}

// Three batches of two, whose gradients are added, are a batch of six: the loss is a mean over samples.
TEST_F(Optimisation, BatchesThatAreAddedAreOneLargeBatch) {
  const std::vector<std::string> plain{"--set", "train.epochs=1", "--set", "model.encoder.dropout=0"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), plain.begin(), plain.end());
    return more;
  };
  const RunFolder large = whole_run(with({"--set", "train.batch=6", "--set", "train.steps_per_epoch=8"}));
  run(train_command(with({"--set", "train.accumulate=3", "--set", "train.steps_per_epoch=24"})), 0);
  const auto of_large = losses(large), added = losses(only_run());
  ASSERT_EQ(of_large.size(), 8U);
  ASSERT_EQ(added.size(), 8U);
  for (const auto& [step, loss] : of_large) EXPECT_NEAR(added.at(step), loss, 1e-5) << step;
  const TensorMap a = read_tensors(large.fold(0).weights("last")), b = read_tensors(only_run().fold(0).weights("last"));
  for (const auto& [name, tensor] : a) EXPECT_LT((tensor - b.at(name)).abs().max().item<double>(), 1e-4) << name;
}

TEST_F(Optimisation, AuxiliaryMapsAreTrainedBesidesAndGoOnBitForBit) {
  const auto with = [](const char* auxiliary) {
    return std::vector<std::string>{"--set", "train.epochs=4",
                                    "--set", "model.decoder.type=test-supervised",
                                    "--set", std::string("loss.auxiliary=") + auxiliary};
  };
  const RunFolder whole = whole_run(with("0.5"));
  const auto head = [](const TensorMap& weights) { return weights.at("auxiliary_heads.0.weight"); };
  const auto weights_of = [](const RunFolder& run, const char* name) {
    return read_tensors(run.fold(0).weights(name));
  };
  std::vector<std::string> paused = train_command(with("0.5"));
  paused.insert(paused.end(), {"--until-epoch", "1"});
  run(paused, 0);
  const RunFolder cut = only_run();
  const TensorMap first = weights_of(cut, "last");
  go_on(cut);
  expect_equal(tensors(whole), tensors(cut));
  EXPECT_EQ(losses(whole), losses(cut));
  EXPECT_FALSE(at::equal(head(first), head(weights_of(cut, "last")))) << "its head learns";
  fs::remove_all(root_ / "runs");
  run(train_command(with("0")), 0);
  EXPECT_TRUE(at::equal(head(weights_of(only_run(), "previous")), head(weights_of(only_run(), "last"))));
  EXPECT_FALSE(
      at::equal(weights_of(only_run(), "last").at("encoder.conv"), weights_of(whole, "last").at("encoder.conv")))
      << "what comes before it learns from it too";
  // The same network without the map predicts the same.
  const auto pixels = [&](const RunFolder& trained) {
    run({"predict", trained.folder().string(), "--images", (*data_ / "data/images").string(), "--out",
         (root_ / "out").string(), "--overwrite", "--checkpoint", "last", "--device", "cpu"},
        0);
    return pixel_bytes(root_ / "out/probabilities/disc/s0.png");
  };
  const std::string supervised = pixels(only_run());
  fs::remove_all(root_ / "runs");
  run(train_command({"--set", "train.epochs=4"}), 0);
  EXPECT_EQ(pixels(only_run()) == supervised, true);
}

TEST_F(Optimisation, LastBestAndAveragedStandSideBySide) {
  write_experiment("average = { type = \"ema\", decay = 0.9 }\n");
  const std::string said = run(train_command({"--fold", "all", "--set", "train.epochs=2"}), 0);
  EXPECT_THAT(said, AllOf(ContainsRegex("fold +epochs +best Dice +epoch +last Dice +averaged +tiles/s"),
                          ContainsRegex("\n +0 +2 +0\\.[0-9]{4} +[12] +0\\.[0-9]{4} +0\\.[0-9]{4} "),
                          ContainsRegex("mean of best Dice 0\\.[0-9]+, deviation 0\\.[0-9]+\n"
                                        "mean of last Dice 0\\.[0-9]+, deviation 0\\.[0-9]+\n"
                                        "mean of averaged Dice 0\\.[0-9]+, deviation 0\\.[0-9]+\n")));
  const auto done = nlohmann::json::parse(read_file(only_run().fold(1).done()));
  for (const char* key : {"best_dice", "last_dice", "average_dice"}) EXPECT_GE(done.at(key).get<double>(), 0) << key;
  fs::remove_all(root_ / "runs");
  EXPECT_THAT(run(train_command({"--set", "train.epochs=1", "--set", "train.average.type=none"}), 0),
              Not(HasSubstr("averaged")));
}

TEST_F(Optimisation, HardExamplesComeAgainAndGoOnBitForBit) {
  write_experiment("hard_examples = { share = 0.25, memory = 30 }\naverage = { type = \"swa\", start = 1 }\n");
  const std::vector<std::string> more{"--set", "train.epochs=40", "--set", "train.checkpoint_minutes=1"};
  const RunFolder whole = whole_run(more);
  const auto share = figures(whole, "hard_share"), hard = figures(whole, "hard_loss"),
             fresh = figures(whole, "fresh_loss");
  ASSERT_EQ(share.size(), 40U);
  EXPECT_EQ(share.at(20), 0) << "nothing is known in the first epoch";
  for (const auto& [step, value] : share) EXPECT_EQ(value, step > 20 ? 0.25 : 0) << step;
  EXPECT_EQ(hard.size(), 39U);
  EXPECT_GT(hard.at(40), fresh.at(40)) << "they were chosen for their loss";
  const RunFolder cut = cut_run(more, 5 * 20);
  ASSERT_LT(figures(cut, "lr").rbegin()->first, 30 * 20) << "it was cut too late to prove anything";
  run({"train", "--resume", cut.folder().string(), "--device", "cpu", "--set", "data.workers=1", "--set",
       "data.prefetch=7"},
      0);
  expect_same(whole, cut);
  EXPECT_EQ(share, figures(cut, "hard_share"));
  EXPECT_EQ(hard, figures(cut, "hard_loss"));
}

TEST_F(Optimisation, TheMeanOfEpochsHasItsOwnStatisticsAndIsPredictedWith) {
  write_experiment("average = { type = \"swa\", start = 3, batches = 5 }\n");
  const std::vector<std::string> more{"--set", "train.epochs=5", "--set", "model.encoder.norm=true"};
  const RunFolder whole = whole_run(more);
  const TensorMap mean = averaged(whole), last = read_tensors(whole.fold(0).weights("last")),
                  before = read_tensors(whole.fold(0).checkpoints() / "previous/weights.safetensors");
  ASSERT_EQ(mean.size(), last.size());
  for (const auto& [name, tensor] : mean) {
    const double off = (tensor - (last.at(name) + before.at(name)) / 2).abs().max().item<double>();
    if (name.find("running") == std::string::npos) {
      EXPECT_LT(off, 1e-6) << name;
    } else {
      EXPECT_GT(off, 1e-4) << name << " is made anew";
    }
  }
  EXPECT_EQ(figures(whole, "average_dice").size(), 2U);
  const double dice = figures(whole, "average_dice").rbegin()->second;
  EXPECT_EQ(nlohmann::json::parse(read_file(whole.fold(0).done())).at("average_dice"), dice);
  // Killed within the epochs that are averaged.
  Program program(train_command(more), output());
  while (!program.done() && last_checkpoint() != "step-80") std::this_thread::sleep_for(1ms);
  program.signal(SIGKILL);
  program.wait();
  go_on(only_run());
  expect_same(whole, only_run());

  const fs::path out = root_ / "predicted";
  const auto predict = [&](int code) {
    return run({"predict", whole.folder().string(), "--images", (*data_ / "data/images").string(), "--out",
                out.string(), "--overwrite", "--checkpoint", "average", "--device", "cpu"},
               code);
  };
  predict(0);
  EXPECT_THAT(read_file(out / "predict.json"), HasSubstr("step-100/average.safetensors"));
  fs::remove(whole.fold(0).weights("average"));
  EXPECT_THAT(predict(1), HasSubstr("has no averaged weights"));
}

TEST_F(Optimisation, PatternsAreCheckedAgainstTheNetwork) {
  write_experiment(
      "group = [ { match = \"encoder.cnv\" } ]\nfreeze = [\n  { match = \"decoder\" },\n  { match = \"head\" } ]\n");
  std::vector<std::string> check{"config", "check", (root_ / "tiny.toml").string(), "--plugin", NEPHRON_TINY};
  for (const auto& command : {check, train_command()})
    EXPECT_THAT(run(command, 2),
                AllOf(ContainsRegex("tiny\\.toml:31:21: error: \"encoder.cnv\" matches no parameter of the network"),
                      HasSubstr("did you mean \"encoder.conv\"? \"encoder\" holds conv"),
                      ContainsRegex("tiny\\.toml:34:13: error: \"head\" matches no parameter of the network"),
                      HasSubstr("the network holds encoder, decoder, segmentation_head"),
                      Not(HasSubstr("\"decoder\" matches"))));
  EXPECT_TRUE(runs().empty());
  write_experiment("freeze = [ { match = \"*\" } ]\n");
  EXPECT_THAT(run(check, 2), HasSubstr("everything is frozen in epoch 1: it would train nothing"));
  write_experiment("");
  check.insert(check.end(), {"--set", "train.optimizer.layer_decay=0.7"});
  EXPECT_THAT(run(check, 2), HasSubstr("this encoder tells no layers apart"));
}

// Dropout is drawn once, and statistics move once, though the encoder runs twice.
TEST_F(Optimisation, BlocksThatAreRunAgainGiveTheSameBits) {
  const std::vector<std::string> one{"--set", "train.epochs=1", "--set", "model.encoder.norm=true"};
  run(train_command(one), 0);
  fs::rename(root_ / "runs", root_ / "plain");
  std::vector<std::string> twice = one;
  twice.insert(twice.end(), {"--set", "model.checkpointing=true"});
  EXPECT_THAT(run(train_command(twice), 0), Not(HasSubstr("saves nothing")));
  expect_equal(tensors(only_run()), tensors(RunFolder::open(root_ / "plain/tiny")));
}

}  // namespace
}  // namespace nephron::host
