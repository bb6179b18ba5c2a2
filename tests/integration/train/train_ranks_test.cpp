// One training by several processes: as one process gives, whoever starts them, and what happens when one is lost.
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>

#include <tests/integration/train/train_fixture.hpp>
#include <tests/support/free_port.hpp>

namespace nephron::host {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class Ranked : public Train {
 protected:
  using Programs = std::vector<std::unique_ptr<StartedProgram>>;
  using Commands = std::vector<std::vector<std::string>>;

  /// Samples of five a batch, so that ranks have shares of two and three; a loss of the whole batch; samples that mix.
  void write(const std::string& encoder, const std::string& train = "") {
    write_experiment("clip_norm = 0.5\n" + train, "{ type = \"bce\" }, { type = \"dice\" }");
    std::string text = read_file(root_ / "tiny.toml");
    const auto put = [&](const std::string& what, const std::string& with) {
      ASSERT_NE(text.find(what), std::string::npos) << what;
      text.replace(text.find(what), what.size(), with);
    };
    put("encoder = { type = \"test-tiny\" }", "encoder = { type = \"test-tiny\", dropout = 0, " + encoder + " }");
    put("batch = 2", "batch = 5\naccumulate = 2");
    put("type = \"adam\", lr = 0.02", "type = \"sgd\", lr = 0.05");
    put("[model]", "[[batch_augmentation]]\ntype = \"cutmix\"\n[model]");
    std::ofstream(root_ / "tiny.toml") << text;
  }

  static std::vector<std::string> as_rank(int rank, int count, const std::string& port,
                                          std::vector<std::string> command) {
    std::vector<std::string> out{"/usr/bin/env",
                                 "RANK=" + std::to_string(rank),
                                 "WORLD_SIZE=" + std::to_string(count),
                                 "LOCAL_RANK=" + std::to_string(rank),
                                 "MASTER_ADDR=127.0.0.1",
                                 "MASTER_PORT=" + port,
                                 NEPHRON_PROGRAM};
    out.insert(out.end(), command.begin(), command.end());
    return out;
  }
  Programs start(const Commands& commands) const {
    const std::string port = std::to_string(free_port());
    Programs out;
    for (std::size_t r = 0; r < commands.size(); ++r)
      out.push_back(std::make_unique<StartedProgram>(
          as_rank(static_cast<int>(r), static_cast<int>(commands.size()), port, commands[r]), output_of(r)));
    return out;
  }
  Programs start(int count, const std::vector<std::string>& command) const {
    return start(Commands(static_cast<std::size_t>(count), command));
  }
  fs::path output_of(std::size_t rank) const { return root_ / ("rank" + std::to_string(rank) + ".txt"); }
  static void expect_codes(const Programs& programs, int code) {
    for (const auto& p : programs) EXPECT_EQ(p->wait(), code) << p->output();
  }
  std::vector<std::string> command(const char* runs, std::vector<std::string> more = {}) const {
    std::vector<std::string> out = train_command(std::move(more));
    for (std::size_t i = 0; i + 1 < out.size(); ++i)
      if (out[i] == "--runs") out[i + 1] = (root_ / runs).string();
    return out;
  }
  RunFolder only_run_of(const char* runs) const { return RunFolder::open(root_ / runs / "tiny"); }
  std::vector<std::string> resume(const RunFolder& run) const {
    return {"train", "--resume", run.folder().string(), "--device", "cpu"};
  }
  static TensorMap weights(const RunFolder& run) { return read_tensors(run.fold(0).weights("last")); }
  /// The largest difference of any value.
  static double difference(const TensorMap& a, const TensorMap& b) {
    EXPECT_EQ(a.size(), b.size());
    double most = 0;
    for (const auto& [name, tensor] : a)
      if (tensor.numel() > 0)
        most = std::max(most, (tensor.to(at::kDouble) - b.at(name).to(at::kDouble)).abs().max().item<double>());
    return most;
  }
  /// What validations said, by step and name.
  static std::map<std::string, double> validations(const RunFolder& run) {
    std::map<std::string, double> out;
    for (const auto& [step, values] : read_metrics(run.fold(0).metrics()))
      for (const auto& [name, value] : values)
        if (name == "val_loss" || name.find("dice") != std::string::npos)
          out.emplace(name + " of step " + std::to_string(step), value);
    return out;
  }
  /// Waits until a rank 0 has written its first checkpoint.
  void wait_for_checkpoint(const Programs& programs) const {
    while (!programs[0]->done() && last_checkpoint().empty()) std::this_thread::sleep_for(5ms);
  }
};

// The rule is exact (whole_batch_test.cpp, in double precision). Here sums over 5000 pixels are in another order, so
// that gradients of float32 differ by some 1e-7 of their norm: weights around 0.3 stay within 1e-6 for 20 updates, and
// what adds gradients up within 1e-5.
constexpr double tolerance = 1e-6, of_sums = 1e-5;

TEST_F(Ranked, GiveWhatOneProcessGives) {
  write("norm = false");
  run(command("one", {"--set", "train.epochs=2"}), 0);
  expect_codes(start(2, command("two", {"--set", "train.epochs=2"})), 0);
  expect_codes(start(3, command("three", {"--set", "train.epochs=2"})), 0);
  const RunFolder one = only_run_of("one"), two = only_run_of("two"), three = only_run_of("three");
  for (const RunFolder& other : {two, three}) {
    EXPECT_LT(difference(weights(one), weights(other)), tolerance);
    EXPECT_LT(difference(tensors(one), tensors(other)), of_sums);
  }
  const auto of_one = losses(one), of_two = losses(two);
  ASSERT_EQ(of_one.size(), 20U);
  ASSERT_EQ(of_two.size(), 20U);
  for (const auto& [step, loss] : of_one) EXPECT_NEAR(of_two.at(step), loss, tolerance) << step;
  const auto of_all = validations(one);
  ASSERT_EQ(of_all.size(), 12U);  // two epochs: val_loss, dice, dice_disc, tile_dice_disc, best_dice, best_dice_disc
  for (const RunFolder& other : {two, three}) {  // of three ranks one has no slide: two are held out
    const auto of_ranks = validations(other);
    // A pixel whose probability lies within rounding of one half may be counted otherwise.
    for (const auto& [name, value] : of_all) EXPECT_NEAR(of_ranks.at(name), value, 1e-4) << name;
  }
  EXPECT_THAT(read_file(two.log()), HasSubstr("training with 2 ranks"));
  EXPECT_THAT(read_file(output_of(1)), Not(HasSubstr("fold 0"))) << "rank 0 alone speaks";
}

TEST_F(Ranked, AStepOfSeveralIsNotRecorded) {
  write("norm = false");
  expect_codes(start(2, command("two", {"--set", "train.cuda_graph=true"})), 2);
  EXPECT_THAT(read_file(output_of(0)), HasSubstr("\"cuda_graph\" records the work of one process, and 2 ranks"));
  EXPECT_FALSE(fs::exists(root_ / "two"));
}

TEST_F(Ranked, ValidateTilesTogether) {
  write("norm = false");
  const std::vector<std::string> more{"--set", "train.epochs=1", "--set", "validation.how=tiles"};
  run(command("one", more), 0);
  expect_codes(start(2, command("two", more)), 0);
  const auto of_one = validations(only_run_of("one")), of_two = validations(only_run_of("two"));
  ASSERT_GE(of_one.size(), 4U);
  for (const auto& [name, value] : of_one) EXPECT_NEAR(of_two.at(name), value, 1e-4) << name;
}

TEST_F(Ranked, NormalisationsOfAllRanksGiveWhatOneProcessGives) {
  write("sdk_norm = true");
  // LibTorch's kernel for channels_last sums statistics one after the other, to 1e-6 of a value; the other one is
  // exact.
  const std::vector<std::string> plain{"--set", "train.epochs=1", "--set", "train.channels_last=false"};
  std::vector<std::string> shared = plain;
  shared.insert(shared.end(), {"--set", "train.sync_batch_norm=true"});
  run(command("one", shared), 0);
  expect_codes(start(2, command("two", shared)), 0);
  expect_codes(start(2, command("apart", plain)), 0);
  const TensorMap one = weights(only_run_of("one"));
  EXPECT_LT(difference(one, weights(only_run_of("two"))), 2 * tolerance) << "running variances are around 5";
  EXPECT_GT(difference(one, weights(only_run_of("apart"))), 1e-4) << "each rank's own statistics are others";
}

// What belongs to samples of all ranks, or to none: windows that come again, pixels of no weight, averaged weights,
// maps that are trained besides.
TEST_F(Ranked, HardExamplesIgnoredPixelsAveragesAndAuxiliaryMapsAreThoseOfOneProcess) {
  write("norm = false", "hard_examples = { share = 0.4, memory = 20 }\naverage = { type = \"ema\", decay = 0.8 }\n");
  const std::vector<std::string> more{
      "--set", "train.epochs=3",           "--set", "model.decoder.type=test-supervised",
      "--set", "data.ignore_outside=true", "--set", "data.window=3.5"};
  run(command("one", more), 0);
  expect_codes(start(2, command("two", more)), 0);
  const RunFolder one = only_run_of("one"), two = only_run_of("two");
  EXPECT_LT(difference(weights(one), weights(two)), 2 * tolerance) << "one and a half times the steps";
  EXPECT_LT(difference(read_tensors(one.fold(0).weights("average")), read_tensors(two.fold(0).weights("average"))),
            2 * tolerance);
  const auto figures = [](const RunFolder& run, const std::string& wanted) {
    std::vector<double> out;
    for (const auto& [step, values] : read_metrics(run.fold(0).metrics()))
      for (const auto& [name, value] : values)
        if (name == wanted) out.push_back(value);
    return out;
  };
  EXPECT_EQ(figures(one, "hard_share"), (std::vector<double>{0, 0.4, 0.4}));
  EXPECT_EQ(figures(two, "hard_share"), figures(one, "hard_share"));
  for (const char* name : {"hard_loss", "average_dice"}) {
    const auto of_one = figures(one, name), of_two = figures(two, name);
    ASSERT_EQ(of_one.size(), of_two.size()) << name;
    ASSERT_FALSE(of_one.empty()) << name;
    for (std::size_t i = 0; i < of_one.size(); ++i) EXPECT_NEAR(of_one[i], of_two[i], 1e-4) << name;
  }
}

TEST_F(Ranked, GoOnWithAnotherNumberOfRanks) {
  write("norm = false", "average = { type = \"swa\" }\n");
  const std::vector<std::string> long_run{"--set", "train.epochs=12"};
  run(command("one", long_run), 0);
  Programs cut = start(2, command("runs", long_run));
  wait_for_checkpoint(cut);
  for (const auto& p : cut) p->signal(SIGINT);
  expect_codes(cut, 130);
  const RunFolder run_of_ranks = only_run();
  EXPECT_THAT(cut[0]->output(), HasSubstr("--resume"));
  EXPECT_THAT(cut[1]->output(), Not(HasSubstr("--resume")));
  // Behind a Ctrl-C that one rank alone saw, with three; then to the end with one process.
  Programs again = start(3, resume(run_of_ranks));
  const fs::path before = last_checkpoint();
  while (!again[0]->done() && last_checkpoint() == before) std::this_thread::sleep_for(5ms);
  again[2]->signal(SIGTERM);
  for (const auto& p : again) EXPECT_THAT(p->wait(), AnyOf(130, 0)) << p->output();
  run(resume(run_of_ranks), 0);
  EXPECT_EQ(losses(run_of_ranks).size(), 120U);
  EXPECT_LT(difference(weights(only_run_of("one")), weights(run_of_ranks)), of_sums) << "six times the steps";
}

TEST_F(Ranked, OneThatIsKilledEndsTheOthersWithItsName) {
  write("norm = false");
  for (const int victim : {1, 0}) {
    fs::remove_all(root_ / "runs");
    Programs programs = start(2, command("runs", {"--set", "train.epochs=2000"}));
    wait_for_checkpoint(programs);
    const auto killed = static_cast<std::size_t>(victim), left = static_cast<std::size_t>(1 - victim);
    programs[killed]->signal(SIGKILL);
    EXPECT_EQ(programs[left]->wait(), 1) << programs[left]->output();
    EXPECT_THAT(programs[left]->output(),
                AllOf(HasSubstr("rank " + std::to_string(victim) + " of 2 ("),
                      AnyOf(HasSubstr("is gone"), HasSubstr("broke: rank 0")), HasSubstr("go on with --resume")));
    // The last checkpoint is whole.
    const fs::path before = last_checkpoint();
    StartedProgram again(as_rank(0, 1, "1", resume(only_run())), output());
    while (!again.done() && last_checkpoint() == before) std::this_thread::sleep_for(5ms);
    again.signal(SIGINT);
    EXPECT_EQ(again.wait(), 130) << again.output();
  }
}

TEST_F(Ranked, OneThatStandsStillEndsTheOthers) {
  write("norm = false");
  Programs programs = start(2, command("runs", {"--set", "train.epochs=2000", "--rank-silence", "5"}));
  wait_for_checkpoint(programs);
  programs[1]->signal(SIGSTOP);
  EXPECT_EQ(programs[0]->wait(), 1) << programs[0]->output();
  EXPECT_THAT(programs[0]->output(), AllOf(HasSubstr("rank 1 of 2 ("), HasSubstr("has not been heard of for 5 s")));
}

TEST_F(Ranked, WhatDoesNotFitTogetherIsSaid) {
  write("norm = false");
  Programs others = start(Commands{command("a", {"--set", "seed=1"}), command("b", {"--set", "seed=2"})});
  expect_codes(others, 1);
  EXPECT_THAT(others[0]->output(),
              AllOf(HasSubstr("the experiment is another one on rank 1 of 2 ("), HasSubstr("--alone")));
  Programs many = start(3, command("c", {"--set", "train.batch=2"}));
  expect_codes(many, 1);
  EXPECT_THAT(many[0]->output(), HasSubstr("train.batch is 2, less than the 3 ranks"));
  EXPECT_EQ(many[1]->output(), "") << "said once";
  EXPECT_FALSE(fs::exists(root_ / "c/tiny"));

  StartedProgram half({"/usr/bin/env", "RANK=0", NEPHRON_PROGRAM, "train", (root_ / "tiny.toml").string()}, output());
  EXPECT_EQ(half.wait(), 2);
  EXPECT_THAT(half.output(), HasSubstr("WORLD_SIZE is not set"));
  Commands alone{command("d", {"--alone", "--set", "train.epochs=1"})};
  alone[0].insert(alone[0].begin(), {"/usr/bin/env", "RANK=0", NEPHRON_PROGRAM});
  StartedProgram by_itself(alone[0], output());
  EXPECT_EQ(by_itself.wait(), 0) << by_itself.output();
}

TEST_F(Ranked, ALossThatIsNoNumberIsSaidOnce) {
  write_experiment("", "{ type = \"test-brittle\", good_calls = 3 }");
  Programs programs = start(2, command("runs"));
  expect_codes(programs, 1);
  EXPECT_THAT(programs[0]->output(), AllOf(HasSubstr("the loss is NaN at step 4"), HasSubstr("test-brittle")));
  EXPECT_THAT(programs[1]->output(), Not(HasSubstr("NaN")));
}

TEST_F(Ranked, StartedByTorchrun) {
  const char* const home = std::getenv("HOME");
  const fs::path torchrun = fs::path(home == nullptr ? "/root" : home) / ".cache/nephron/peers/bin/torchrun";
  if (!fs::exists(torchrun)) GTEST_SKIP() << "no " << torchrun << ": ./nephron test --peers fetches the Python peers";
  write("norm = false");
  run(command("one", {"--set", "train.epochs=1"}), 0);
  std::vector<std::string> words{torchrun.string(),           "--no-python",  "--nproc-per-node", "2", "--master-port",
                                 std::to_string(free_port()), NEPHRON_PROGRAM};
  for (const std::string& word : command("two", {"--set", "train.epochs=1"})) words.push_back(word);
  StartedProgram program(words, output());
  EXPECT_EQ(program.wait(), 0) << program.output();
  EXPECT_LT(difference(weights(only_run_of("one")), weights(only_run_of("two"))), tolerance);
}

TEST_F(Ranked, VerifyTrainsAgainWithAsManyProcesses) {
  write("norm = false");
  expect_codes(start(2, command("runs", {"--set", "train.epochs=3"})), 0);
  const std::string folder = only_run().folder().string();
  const std::string said = run({"verify", folder}, 0);
  EXPECT_THAT(said, AllOf(HasSubstr("trained by 2 ranks"), HasSubstr("bit-equal, steps 1 to 30; ")));
  EXPECT_THAT(run({"verify", folder, "--from", "22", "--steps", "5"}, 0), HasSubstr("bit-equal, steps 21 to 25; "));
  EXPECT_THAT(run({"verify", folder, "--set", "train.optimizer.lr=0.0501"}, 1),
              AllOf(HasSubstr("diverges at step "), HasSubstr("in the model"), HasSubstr("key train.optimizer.lr")));
  // Started as ranks by somebody else, too; as another number of them it is another training.
  Programs two = start(2, {"verify", folder});
  expect_codes(two, 0);
  EXPECT_THAT(two[0]->output(), HasSubstr("bit-equal"));
  EXPECT_EQ(two[1]->output(), "");
  Programs three = start(3, {"verify", folder});
  expect_codes(three, 1);
  EXPECT_THAT(three[0]->output(), HasSubstr("was trained by 2 processes, and these are 3"));
  EXPECT_EQ(runs().size(), 1U) << "nothing is kept of it";
}

// By Slurm's variables of a step; tests/integration/slurm has a real one.
TEST_F(Ranked, StartedBySrun) {
  write("norm = false");
  run(command("one", {"--set", "train.epochs=1"}), 0);
  const std::string port = std::to_string(free_port());
  Programs programs;
  for (const std::string rank : {"0", "1"}) {
    std::vector<std::string> words{
        "/usr/bin/env",    "SLURM_STEP_NUM_TASKS=2", "SLURM_PROCID=" + rank,          "SLURM_LOCALID=" + rank,
        "SLURM_JOB_ID=77", "SLURM_STEP_ID=1",        "SLURM_STEP_NODELIST=127.0.0.1", "MASTER_PORT=" + port,
        NEPHRON_PROGRAM};
    for (const std::string& word : command("two", {"--set", "train.epochs=1"})) words.push_back(word);
    programs.push_back(std::make_unique<StartedProgram>(words, output_of(std::stoul(rank))));
  }
  expect_codes(programs, 0);
  EXPECT_THAT(read_file(only_run_of("two").log()), HasSubstr("training with 2 ranks"));
  EXPECT_LT(difference(weights(only_run_of("one")), weights(only_run_of("two"))), tolerance);
}

TEST_F(Ranked, CtrlCEndsTheWaitForAnother) {
  write("norm = false");
  for (const int rank : {0, 1}) {  // one that has the store, and one that looks for it
    SCOPED_TRACE(rank);
    StartedProgram alone(as_rank(rank, 2, std::to_string(free_port()), command("alone")), output_of(0));
    std::this_thread::sleep_for(3s);  // it loads LibTorch and waits
    ASSERT_FALSE(alone.done()) << alone.output();
    alone.signal(SIGINT);
    EXPECT_EQ(alone.wait(), 130) << alone.output();
  }
}

}  // namespace
}  // namespace nephron::host
