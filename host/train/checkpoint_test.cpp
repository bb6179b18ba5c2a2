#include <host/train/checkpoint.hpp>

#include <fstream>

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/runs/checkpoint_digests.hpp>
#include <host/train/checkpoint_files.hpp>
#include <host/train/run_lock.hpp>
#include <host/util/files.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Model : torch::nn::Module {
  explicit Model(double value) { weight = register_parameter("weight", at::full({2, 3}, value)); }
  at::Tensor weight;
};

class Checkpoints : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "nephron-checkpoint-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    fold_ = {fs::path(name) / "fold-0", 0};
    fs::create_directories(fold_.folder);
  }
  void TearDown() override { fs::remove_all(fold_.folder.parent_path()); }

  void save(std::int64_t step, bool best) {
    TrainProgress p;
    p.step = p.epoch = step;
    p.best_dice = 0.25;
    p.epoch_loss = 0.1 * static_cast<double>(step);
    save_checkpoint(fold_, Model(static_cast<double>(step)),
                    {{"exp_avg.weight", at::full({2, 3}, -static_cast<double>(step))}}, p, best);
  }
  /// With epochs of one step.
  TrainProgress load(Model& model, TensorMap& state) {
    return load_checkpoint(fold_, model, {100, 1}, [&](const SavedTensors& saved) { state = saved.state; });
  }
  /// Writes other words into the state of `which`.
  void spoil(const std::string& which, const std::string& from, const std::string& to) {
    const fs::path file = fold_.checkpoints() / which / "state.safetensors";
    std::map<std::string, std::string> metadata;
    const TensorMap state = read_tensors(file, &metadata);
    std::string& text = metadata["progress"];
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    text.replace(at, from.size(), to);
    write_tensors(file, state, metadata);
    write_checkpoint_digests(file.parent_path());  // impossible, not damaged
  }
  /// Other bits among the numbers of a file, which stays one that can be read.
  void flip_bits(const std::string& which, const char* name) {
    const fs::path file = fold_.checkpoints() / which / name;
    std::string bytes = read_file(file);
    bytes.back() = static_cast<char>(bytes.back() ^ 0x55);
    std::ofstream(file, std::ios::binary) << bytes;
    ASSERT_NO_THROW(read_tensors(file));
  }
  double weight_in(const std::string& which) {
    return read_tensors(fold_.weights(which)).at("weight")[0][0].item<double>();
  }
  std::size_t folders() const {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(fold_.checkpoints())) n += !entry.is_symlink();
    return n;
  }
  FoldFolder fold_;
};

TEST_F(Checkpoints, ReadBackAsTheyWere) {
  save(7, true);
  Model model(0);
  TensorMap state;
  const TrainProgress p = load(model, state);
  EXPECT_EQ(p.step, 7);
  EXPECT_EQ(p.epoch_loss, 0.1 * 7) << "every bit counts for a resumed run";
  EXPECT_EQ(p.best_dice, 0.25);
  EXPECT_TRUE(at::equal(model.weight, at::full({2, 3}, 7.0)));
  EXPECT_TRUE(at::equal(state.at("exp_avg.weight"), at::full({2, 3}, -7.0)));
}

TEST_F(Checkpoints, KeepBestAndLastAndTheOneBefore) {
  save(1, true);
  save(2, false);
  save(3, false);
  EXPECT_EQ(weight_in("best"), 1);
  EXPECT_EQ(weight_in("last"), 3);
  EXPECT_EQ(weight_in("previous"), 2);
  EXPECT_EQ(folders(), 3U);
  save(3, true);  // the same step once more: after its validation
  EXPECT_EQ(weight_in("best"), 3);
  EXPECT_EQ(weight_in("previous"), 3);
  EXPECT_EQ(folders(), 2U);
}

TEST_F(Checkpoints, SurviveWhatAKillLeaves) {
  save(1, true);
  const fs::path rest = fold_.checkpoints() / ".tmp.1";
  fs::create_directory(rest);
  std::ofstream(rest / "weights.safetensors") << "half";
  EXPECT_EQ(weight_in("last"), 1);
  save(2, false);
  EXPECT_FALSE(fs::exists(rest)) << "rests are cleared away";
  const fs::path notes = fold_.checkpoints() / "step-notes";
  fs::create_directory(notes);
  std::ofstream(notes / "mine.txt") << "not a checkpoint";
  save(3, false);
  EXPECT_TRUE(fs::exists(notes / "mine.txt"));
}

TEST_F(Checkpoints, KeepWhatWasPutAside) {
  save(1, true);
  const fs::path aside = save_aside(fold_, "bad-loss-step-2", Model(2), {}, {});
  save(3, true);
  EXPECT_TRUE(fs::exists(aside / "weights.safetensors"));
  EXPECT_NE(save_aside(fold_, "bad-loss-step-2", Model(2), {}, {}), aside) << "nothing is overwritten";
}

TEST_F(Checkpoints, SayWhatIsDamaged) {
  Model model(0);
  TensorMap state;
  EXPECT_THAT([&] { load(model, state); }, ThrowsMessage<Error>(HasSubstr("state.safetensors")));
  save(1, true);
  const fs::path file = fold_.checkpoints() / "last" / "state.safetensors";
  fs::resize_file(file, fs::file_size(file) - 5);
  EXPECT_THAT([&] { load(model, state); }, ThrowsMessage<Error>(HasSubstr("state.safetensors")));
  fs::remove(file);
  EXPECT_THAT([&] { load(model, state); }, ThrowsMessage<Error>(HasSubstr("state.safetensors")));
}

TEST_F(Checkpoints, ImpossibleFiguresAreRefusedByNameAndPlace) {
  const struct {
    const char *from, *to, *says;
  } cases[] = {
      {"\"step\":2", "\"step\":-5", "step is -5; a whole number from 0"},
      {"\"step\":2", "\"step\":9000000000000000000", "step is 9000000000000000000"},
      {"\"step\":2", "\"step\":2.7", "step is 2.7"},
      {"\"step\":2", "\"step\":3", "step is 3, but its epochs have 2"},
      {"\"epoch\":2", "\"epoch\":101", "epoch is 101; a whole number from 0 to 100"},
      {"\"best_dice\":0.25", "\"best_dice\":7", "best_dice is 7"},
      {"\"finished\":false", "\"finished\":\"no\"", "finished is a text; true or false"},
      {"\"seconds\":0.0", "\"sec\":0.0", "has no \"seconds\""},
      {"nephron-training-state-1", "nephron-training-state-9", "this nephron goes on from"},
      {"{", "", "is not JSON"},
  };
  Model model(0);
  TensorMap state;
  for (const auto& c : cases) {
    fs::remove_all(fold_.checkpoints());
    save(2, true);
    spoil("last", c.from, c.to);
    EXPECT_THAT([&] { load(model, state); },
                ThrowsMessage<Error>(testing::AllOf(HasSubstr("state.safetensors"), HasSubstr(c.says))));
  }
}

TEST_F(Checkpoints, TheOneBeforeTakesTheDamagedOnesPlace) {
  Model model(0);
  TensorMap state;
  const auto damage = [&](int how) {
    const fs::path last = fold_.checkpoints() / "last";
    if (how == 0) fs::resize_file(last / "state.safetensors", 9);
    if (how == 1) fs::resize_file(last / "weights.safetensors", 0);
    if (how == 2) fs::remove(last / "weights.safetensors");
    if (how == 3) fs::remove_all(fs::canonical(last));
    if (how == 4) spoil("last", "\"step\":3", "\"step\":4");
  };
  for (int how = 0; how < 5; ++how) {
    fs::remove_all(fold_.checkpoints());
    for (const int step : {1, 2, 3}) save(step, step == 1);
    damage(how);
    EXPECT_TRUE(fold_.begun());
    EXPECT_EQ(load(model, state).step, 2) << how;
    EXPECT_EQ(model.weight[0][0].item<double>(), 2);
    EXPECT_EQ(weight_in("last"), 2);
    save(3, false);
    EXPECT_EQ(weight_in("previous"), 2) << "the damaged one must not be gone back to";
  }
}

TEST_F(Checkpoints, TheAdviceForADamagedStateIsTrueOfARun) {
  Model model(0);
  TensorMap state;
  const auto advice = [&] {
    try {
      load(model, state);
    } catch (const Error& e) {
      EXPECT_THAT(e.hint(), testing::AllOf(HasSubstr("Put the file back from a copy of the run"),
                                           testing::Not(HasSubstr("torch")), testing::Not(HasSubstr("strict"))));
      return e.hint();
    }
    return std::string("no error");
  };
  const auto spoil_file = [&](const std::string& which, const char* name) {
    std::ofstream(fold_.checkpoints() / which / name) << "no tensors, but a text";
  };
  const std::string from = "nephron train EXP.toml --from " + fold_.folder.string();
  save(1, true);
  spoil_file("last", "state.safetensors");
  EXPECT_EQ(advice(),
            "There is no checkpoint before it. Put the file back from a copy of the run, or begin a new run "
            "with the last weights, which are whole: " +
                from);
  EXPECT_NO_THROW(require_checkpoint_files(fold_)) << "damaged ones are told of when they are read";
  fs::remove(fold_.checkpoints() / "last/state.safetensors");
  EXPECT_THAT([&] { require_checkpoint_files(fold_); },
              testing::ThrowsMessage<Error>(
                  testing::AllOf(HasSubstr("cannot go on"), HasSubstr("last/state.safetensors is gone"))));
  save(2, false);
  spoil_file("last", "state.safetensors");
  spoil_file("last", "weights.safetensors");
  EXPECT_THAT(advice(), testing::AllOf(HasSubstr("The checkpoint before it ("), HasSubstr("with the best weights"),
                                       HasSubstr(from + " --checkpoint best")));
  spoil_file("best", "weights.safetensors");
  EXPECT_THAT(advice(),
              testing::AllOf(HasSubstr("no weights of this fold are whole"), testing::Not(HasSubstr("--from"))));
}

TEST_F(Checkpoints, AStateThatTheOptimiserRefusesIsDamagedToo) {
  for (const int step : {1, 2}) save(step, false);
  Model model(0);
  const auto refuse_step_2 = [&](const SavedTensors& saved) {
    if (saved.state.at("exp_avg.weight")[0][0].item<double>() == -2) throw Error("the training state lacks \"x\"");
  };
  EXPECT_EQ(load_checkpoint(fold_, model, {100, 1}, refuse_step_2).step, 1);
}

TEST_F(Checkpoints, KeepAveragedWeightsAndReadWhatOlderVersionsWrote) {
  TrainProgress p;
  p.step = p.epoch = 3;
  p.averaged = 2;
  p.average_dice = 0.5;
  p.plateau = {0.25, 0.375, 1, 2};
  const TensorMap state{{"exp_avg.weight", at::full({2, 3}, -3.0)}}, average{{"weight", at::full({2, 3}, 2.5)}};
  save_checkpoint(fold_, Model(3), state, p, true, average);
  EXPECT_EQ(read_tensors(fold_.weights("average")).at("weight")[0][0].item<double>(), 2.5);
  Model model(0);
  SavedTensors saved;
  const auto load = [&] { return load_checkpoint(fold_, model, {100, 1}, [&](const SavedTensors& s) { saved = s; }); };
  const TrainProgress back = load();
  EXPECT_EQ(back.averaged, 2);
  EXPECT_EQ(back.average_dice, 0.5);
  EXPECT_EQ(back.plateau.factor, 0.25);
  EXPECT_EQ(back.plateau.best, 0.375);
  EXPECT_EQ(back.plateau.bad, 1);
  EXPECT_EQ(back.plateau.cooldown, 2);
  EXPECT_TRUE(at::equal(saved.average.at("weight"), average.at("weight")));
  // A checkpoint that has lost them is damaged.
  fs::remove(fold_.weights("average"));
  EXPECT_FALSE(fold_.has_checkpoint("average"));
  EXPECT_THAT(load, ThrowsMessage<Error>(HasSubstr("average.safetensors")));
  spoil("last", R"(,"averaged":2,"average_dice":0.5,"plateau":{"factor":0.25,"best":0.375,"bad":1,"cooldown":2})", "");
  EXPECT_EQ(load().averaged, 0);
  EXPECT_TRUE(saved.average.empty());
}

TEST_F(Checkpoints, NumbersThatAreNotWhatWasWrittenAreDamage) {
  for (const char* name : {"weights.safetensors", "state.safetensors", "average.safetensors"}) {
    fs::remove_all(fold_.checkpoints());
    for (const int step : {1, 2}) {
      TrainProgress p;
      p.step = p.epoch = step, p.averaged = 1;
      const auto at_step = [&](double sign) { return at::full({2, 3}, sign * step); };
      save_checkpoint(fold_, Model(step), {{"exp_avg.weight", at_step(-1)}}, p, false, {{"weight", at_step(1)}});
    }
    const std::string sums = read_file(fold_.checkpoints() / "last/checkpoint.sha256");
    EXPECT_THAT(sums, HasSubstr(sha256_of(fold_.checkpoints() / "last" / name) + "  " + name + "\n"));
    Model model(0);
    TensorMap state;
    EXPECT_EQ(load(model, state).step, 2);
    flip_bits("last", name);
    EXPECT_THAT([&] { require_as_written(fold_.checkpoints() / "last" / name); },
                ThrowsMessage<Error>(testing::AllOf(HasSubstr(name), HasSubstr("not the file that training wrote"))));
    EXPECT_EQ(load(model, state).step, 1) << name;
    EXPECT_EQ(fs::read_symlink(fold_.checkpoints() / "last"), "step-1");
    EXPECT_EQ(state.at("exp_avg.weight")[0][0].item<double>(), -1);
  }
}

TEST_F(Checkpoints, OfEarlierVersionsHaveNoDigests) {
  save(1, true);
  fs::remove(fold_.checkpoints() / "last/checkpoint.sha256");
  Model model(0);
  TensorMap state;
  EXPECT_EQ(load(model, state).step, 1);
  std::ofstream(fold_.checkpoints() / "last/checkpoint.sha256") << "nothing";
  EXPECT_THAT([&] { load(model, state); }, ThrowsMessage<Error>(HasSubstr("checkpoint.sha256 is damaged")));
}

TEST_F(Checkpoints, OneProcessARun) {
  {
    const RunLock first(fold_.folder);
    EXPECT_THAT([&] { RunLock second(fold_.folder); }, ThrowsMessage<Error>(HasSubstr("another process is training")));
  }
  EXPECT_NO_THROW(RunLock third(fold_.folder));
}

TEST(TrainProgress, DiceOfOtherPixelsChooseNothing) {
  TrainProgress progress;
  progress.best_dice = progress.last_dice = 0.9;
  progress.best_step = 5;
  progress.since_best = 3;
  progress.plateau.best = 0.9;
  EXPECT_FALSE(forget_other_measure(progress, "tiles"));
  EXPECT_EQ(progress.best_dice, 0.9);
  EXPECT_TRUE(forget_other_measure(progress, "slides"));
  EXPECT_EQ(progress.best_dice, -1);
  EXPECT_EQ(progress.since_best, 0);
  EXPECT_EQ(progress.plateau.best, -1);
  EXPECT_EQ(progress.validated_on, "slides");
  EXPECT_FALSE(forget_other_measure(progress, "tiles")) << "nothing was known";
}

}  // namespace
}  // namespace nephron::host
