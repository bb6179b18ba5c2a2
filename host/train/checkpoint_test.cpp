#include <host/train/checkpoint.hpp>

#include <fstream>

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/train/fold_lock.hpp>

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
    p.step = step;
    p.best_dice = 0.25;
    p.epoch_loss = 0.1 * static_cast<double>(step);
    save_checkpoint(fold_, Model(static_cast<double>(step)),
                    {{"exp_avg.weight", at::full({2, 3}, -static_cast<double>(step))}}, p, best);
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
  const TrainProgress p = load_checkpoint(fold_, model, state);
  EXPECT_EQ(p.step, 7);
  EXPECT_EQ(p.epoch_loss, 0.1 * 7) << "every bit counts for a resumed run";
  EXPECT_EQ(p.best_dice, 0.25);
  EXPECT_TRUE(at::equal(model.weight, at::full({2, 3}, 7.0)));
  EXPECT_TRUE(at::equal(state.at("exp_avg.weight"), at::full({2, 3}, -7.0)));
}

TEST_F(Checkpoints, KeepBestAndLastAndNothingElse) {
  save(1, true);
  save(2, false);
  save(3, false);
  EXPECT_EQ(weight_in("best"), 1);
  EXPECT_EQ(weight_in("last"), 3);
  EXPECT_EQ(folders(), 2U);
  save(3, true);  // the same step once more: after its validation
  EXPECT_EQ(weight_in("best"), 3);
  EXPECT_EQ(folders(), 1U);
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
  EXPECT_THAT([&] { load_checkpoint(fold_, model, state); }, ThrowsMessage<Error>(HasSubstr("no checkpoint \"last\"")));
  save(1, true);
  const fs::path file = fold_.checkpoints() / "last" / "state.safetensors";
  fs::resize_file(file, fs::file_size(file) - 5);
  EXPECT_THAT([&] { load_checkpoint(fold_, model, state); }, ThrowsMessage<Error>(HasSubstr("state.safetensors")));
  fs::remove(file);
  EXPECT_THAT([&] { load_checkpoint(fold_, model, state); }, ThrowsMessage<Error>(HasSubstr("state.safetensors")));
}

TEST_F(Checkpoints, OneProcessAFold) {
  {
    const FoldLock first(fold_.folder);
    EXPECT_THAT([&] { FoldLock second(fold_.folder); }, ThrowsMessage<Error>(HasSubstr("another process is training")));
  }
  EXPECT_NO_THROW(FoldLock third(fold_.folder));
}

}  // namespace
}  // namespace nephron::host
