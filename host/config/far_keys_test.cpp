#include <gmock/gmock.h>

#include <host/config/fake_components.hpp>

namespace nephron::host {
namespace {

using FarKeys = ConfigTest;

TEST_F(FarKeys, AnUnknownKeyIsPointedToWhereverItLies) {
  write("good.toml", good);
  const auto hint = [&](const std::string& setting) {
    load("good.toml", {setting});
    return faults.size() == 1 ? faults[0].hint : "faults: " + std::to_string(faults.size());
  };
  EXPECT_THAT(hint("train.lr=1"), testing::StartsWith("did you mean \"train.optimizer.lr\"? known here: \"epochs\", "));
  EXPECT_THAT(hint("train.lrr=1"), testing::StartsWith("did you mean \"train.optimizer.lr\"? known here: "));
  EXPECT_THAT(hint("lr=1"), testing::StartsWith("did you mean \"train.optimizer.lr\"? known here: "));
  EXPECT_THAT(hint("optimizer.lr=1"), testing::StartsWith("did you mean \"train.optimizer\"? "));
  EXPECT_THAT(hint("data.store_path=1"), testing::StartsWith("known: ")) << "not near enough";
  EXPECT_EQ(hint("train.epoch=1"), "did you mean \"epochs\"?") << "in the same table nothing else is thought of";
  EXPECT_EQ(hint("train.average.share=1"),
            "did you mean \"start\", or \"dataset.0.share\" or \"dataset.1.share\" or \"train.hard_examples.share\"?");
  EXPECT_EQ(hint("loss.terms.1.gamma=1"), "did you mean \"loss.terms.0.gamma\"? known here: \"weight\", \"schedule\"")
      << "of another component";
  EXPECT_THAT(hint("train.qqqqqq=1"), testing::StartsWith("known: ")) << "like nothing";
}

}  // namespace
}  // namespace nephron::host
