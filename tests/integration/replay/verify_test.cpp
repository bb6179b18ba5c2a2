// What steps leave, and training beside it again: each change is found at its step, and named.
#include <csignal>
#include <thread>

#include <host/replay/step_digests.hpp>

#include <tests/integration/replay/replay_fixture.hpp>

namespace nephron::host {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Verify : public Replay {
 protected:
  json verify(const fs::path& run, int code, std::vector<std::string> more = {}) {
    std::vector<std::string> command{"verify", run.string(), "--json"};
    command.insert(command.end(), more.begin(), more.end());
    const std::string said = this->run(command, code);
    const std::size_t begin = said.find("\n{") == std::string::npos ? said.find('{') : said.find("\n{") + 1;
    const json out = json::parse(said.substr(begin, said.rfind('}') - begin + 1), nullptr, false);
    EXPECT_FALSE(out.is_discarded()) << said;
    return out;
  }
  static std::string causes(const json& verdict) { return verdict.at("causes").dump(); }
  static DigestRecord digests(const fs::path& run) { return read_digests(run / "fold-0" / digests_name); }
};

TEST_F(Verify, WhatIsTheSameIsBitEqual) {
  const fs::path first = trained(55);
  const json verdict = verify(first, 0);
  EXPECT_EQ(verdict.at("equal"), true);
  EXPECT_EQ(verdict.at("steps"), 55);
  EXPECT_EQ(verdict.at("tensor_looks"), 2) << "before the first step and after the 50th";
  EXPECT_GT(verdict.at("tensors"), 5);
  EXPECT_EQ(runs().size(), 1U) << "nothing is kept of it";
  const json few = verify(first, 0, {"--steps", "3"});
  EXPECT_EQ(few.at("last_step"), 3);
  EXPECT_TRUE(few.at("changed").empty());
}

TEST_F(Verify, ASlideThatNoStepReadIsNamedAllTheSame) {
  const fs::path first = trained(3);
  const std::string held_out = json_of(first / "fold-0/slides.json").at("held_out").at(0).at("id");
  change_pixel(held_out);
  const json verdict = verify(first, 0);
  EXPECT_EQ(verdict.at("equal"), true);
  EXPECT_THAT(verdict.at("changed").dump(),
              AllOf(HasSubstr("slide \\\"" + held_out + "\\\""), HasSubstr("other pixels")));
}

TEST_F(Verify, APixelIsFoundAtTheStepThatDrawsIt) {
  const fs::path first = trained(20);
  change_pixel("s4");
  const json verdict = verify(first, 1);
  EXPECT_EQ(verdict.at("diverges").at("where"), "data");
  EXPECT_THAT(causes(verdict), AllOf(HasSubstr("slide \\\"s4\\\""), HasSubstr("other pixels"), Not(HasSubstr("s1"))));
  EXPECT_THAT(causes(verdict), Not(HasSubstr("plugin")));
  // The first batch that is another one is that of this step: a run on these slides agrees up to there.
  const auto was = digests(first).steps, now = digests(trained(20)).steps;
  std::int64_t step = 1;
  while (was.at(step).batch == now.at(step).batch) ++step;
  EXPECT_EQ(verdict.at("diverges").at("step"), step);
}

TEST_F(Verify, AMaskIsNamed) {
  const fs::path first = trained(20);
  const fs::path file = root_ / "slides/masks/s4.png";
  cv::Mat mask = cv::imread(file.string(), cv::IMREAD_GRAYSCALE);
  mask.at<std::uint8_t>(48, 48) ^= 255;
  cv::imwrite(file.string(), mask);
  const json verdict = verify(first, 1);
  EXPECT_EQ(verdict.at("diverges").at("where"), "data");
  EXPECT_THAT(causes(verdict),
              AllOf(HasSubstr("slide \\\"s4\\\""), HasSubstr("another mask"), Not(HasSubstr("pixels"))));
}

TEST_F(Verify, APluginThatWasBuiltAnewIsNamed) {
  const fs::path first = trained(3);
  build_plugin(NEPHRON_SCALED_2);
  const json verdict = verify(first, 1);
  EXPECT_EQ(verdict.at("diverges").at("step"), 1);
  EXPECT_EQ(verdict.at("diverges").at("where"), "model");
  EXPECT_THAT(causes(verdict), AllOf(HasSubstr("plugin \\\"test_scaled\\\""), Not(HasSubstr("slide"))));
  // With what the run keeps it comes out again.
  EXPECT_EQ(verify(first, 0, {"--snapshot"}).at("equal"), true);
}

TEST_F(Verify, AKeyIsNamed) {
  const fs::path first = trained(5);
  const json verdict = verify(first, 1, {"--set", "train.optimizer.lr=0.021"});
  // The loss of a step is of the weights before it, and the first rate of the warm-up is next to nothing.
  EXPECT_GT(verdict.at("diverges").at("step"), 1);
  EXPECT_LE(verdict.at("diverges").at("step"), 3);
  EXPECT_EQ(verdict.at("diverges").at("where"), "model");
  EXPECT_THAT(causes(verdict), HasSubstr("key train.optimizer.lr: 0.02 then, 0.021 now"));
  const json seed = verify(first, 1, {"--set", "seed=8"});
  EXPECT_EQ(seed.at("diverges").at("step"), 0) << "the first weights are drawn by it";
  EXPECT_THAT(seed.at("diverges").at("tensor").get<std::string>(), HasSubstr("conv"));
  EXPECT_THAT(causes(seed), HasSubstr("key seed: 7 then, 8 now"));
}

TEST_F(Verify, RecordsThatAreNotAsTheyWereAreNamedThoughTheStepsAre) {
  const fs::path first = trained(2);
  const auto changed = [&] { return verify(first, 0).at("changed").dump(); };
  EXPECT_EQ(changed(), "[]");
  const std::string splits = read_file(first / "splits.json"), snapshot = read_file(first / "snapshot.json");
  write_file_atomically(first / "splits.json", splits + " ");
  EXPECT_THAT(changed(), HasSubstr("splits.json is not the file that the run began with"));
  write_file_atomically(first / "snapshot.json", snapshot.substr(0, 100));
  write_file_atomically(first / "splits.json", "{");
  EXPECT_THAT(changed(), AllOf(HasSubstr("snapshot.json is damaged"), HasSubstr("splits.json")));
}

TEST_F(Verify, ThreadsAreNamed) {
  const fs::path first = trained(20);
  const json verdict = verify(first, 1, {"--threads", "2"});
  EXPECT_EQ(verdict.at("diverges").at("where"), "model");
  EXPECT_EQ(causes(verdict), R"(["threads: 1 then, 2 now"])");
}

TEST_F(Verify, WhereBitsAreNotToBeHadTheDriftOfDiceIsSetBesideThatBetweenSeeds) {
  const fs::path first = trained(20);
  trained(20, {"--set", "seed=8"});
  trained(20, {"--set", "seed=9", "--set", "data.workers=1"});
  trained(20, {"--set", "train.optimizer.lr=0.5"});
  const json verdict = verify(first, 1, {"--drift", "--set", "train.optimizer.lr=0.0201"});
  EXPECT_LE(verdict.at("diverges").at("step"), 3);
  EXPECT_EQ(verdict.at("steps"), 20) << "it goes on to the end";
  EXPECT_EQ(verdict.at("drift").at("seeds"), 3) << "the run itself and the two that differ in the seed alone";
  EXPECT_GT(verdict.at("drift").at("deviation_between_seeds"), 0);
  EXPECT_GT(verdict.at("drift").at("dice_then"), 0);
}

TEST_F(Verify, BeginsAtACheckpoint) {
  const fs::path first = trained(20, {"--set", "train.epochs=3"});
  const std::vector<std::string> from{"--from", "45", "--steps", "8"};
  const json verdict = verify(first, 0, from);
  EXPECT_EQ(verdict.at("first_step"), 41);
  EXPECT_EQ(verdict.at("last_step"), 48);
  build_plugin(NEPHRON_SCALED_2);
  EXPECT_EQ(verify(first, 1, from).at("diverges").at("step"), 41);
}

TEST_F(Verify, ARunThatWasKilledLeavesOneSequence) {
  using namespace std::chrono_literals;
  std::vector<std::string> command =
      train_command({"--plugin", plugin(), "--set", "train.epochs=6", "--set", "train.steps_per_epoch=30"});
  {
    Program program(command, output());
    while (!program.done() && last_checkpoint().empty()) std::this_thread::sleep_for(2ms);
    program.signal(SIGKILL);
    program.wait();
  }
  const fs::path cut = runs().at(0);
  run({"train", "--resume", cut.string(), "--device", "cpu"}, 0);
  const DigestRecord record = digests(cut);
  EXPECT_EQ(record.steps.size(), 180U);
  EXPECT_EQ(record.sessions.size(), 2U);
  EXPECT_EQ(record.tensors.size(), 4U) << "0, 50, 100, 150";
  EXPECT_EQ(verify(cut, 0).at("steps"), 180);
}

TEST_F(Verify, DamagedDigestsAreRefused) {  // more of them: host/replay/step_digests_test.cpp
  const fs::path first = trained(2);
  const fs::path file = first / "fold-0" / digests_name;
  const std::string good = read_file(file);
  const auto refused = [&](const std::string& text, const std::string& why) {
    write_file_atomically(file, text);
    EXPECT_THAT(run({"verify", first.string()}, 1), AllOf(HasSubstr("digests.jsonl"), HasSubstr(why)));
  };
  refused("", "says of no process");
  refused(good.substr(0, good.find('\n') + 1), "holds no step");
  write_file_atomically(file, good + "{\"step\":3,\"ba");  // torn by a kill
  run({"verify", first.string()}, 0);
  fs::remove(file);
  EXPECT_THAT(run({"verify", first.string()}, 1), HasSubstr("has no digests.jsonl"));
}

}  // namespace
}  // namespace nephron::host
