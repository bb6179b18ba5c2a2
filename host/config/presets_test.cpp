#include <gmock/gmock.h>

#include <host/config/fake_components.hpp>
#include <host/config/presets.hpp>
#include <host/config/show.hpp>

namespace nephron::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

class PresetsTest : public ConfigTest {
 protected:
  PresetsTest() {
    write("chain.toml", "[[augmentation]]\ntype = \"flip\"\np = 0.5\n[[augmentation]]\ntype = \"blur\"\n");
    // A chain of its own, in place of that of `good`.
    const std::string begin = "[[augmentation]]", end = "[model]";
    head_ = good.substr(0, good.find(begin));
    tail_ = good.substr(good.find(end));
  }
  Experiment with(const std::string& chain, const std::vector<std::string>& set = {}) {
    write("leaf.toml", head_ + chain + "\n" + tail_);
    return load("leaf.toml", set);
  }
  static std::vector<std::string> types(const std::vector<AugmentationConfig>& links) {
    std::vector<std::string> out;
    for (const AugmentationConfig& link : links) out.push_back(link.component.type);
    return out;
  }
  std::string head_, tail_;
};

TEST_F(PresetsTest, ALinkStandsForTheChainOfAFile) {
  const Experiment e = with("[[augmentation]]\npreset = \"chain.toml\"\n[[augmentation]]\ntype = \"flip\"");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_THAT(types(e.augmentations), ElementsAre("flip", "blur", "flip"));
  EXPECT_EQ(e.augmentations[0].p, 0.5);
  const std::string text = to_toml(e.resolved, /*origins=*/true);
  EXPECT_THAT(text, testing::Not(HasSubstr("preset = ")));
  EXPECT_THAT(text, testing::ContainsRegex("p = 0.5 +# .*chain.toml:3:5\n"));
}

TEST_F(PresetsTest, WithAProbabilityOrInsideAnotherItIsASequence) {
  const Experiment e = with(
      "[[augmentation]]\npreset = \"chain.toml\"\np = 0.25\n[[augmentation]]\ntype = \"one_of\"\n"
      "of = [ { type = \"blur\" }, { preset = \"chain.toml\", p = 0.75 } ]");
  ASSERT_THAT(messages(), IsEmpty());
  ASSERT_THAT(types(e.augmentations), ElementsAre("sequence", "one_of"));
  EXPECT_EQ(e.augmentations[0].p, 0.25);
  EXPECT_THAT(types(e.augmentations[0].of), ElementsAre("flip", "blur"));
  const AugmentationConfig& inner = e.augmentations[1].of.at(1);
  EXPECT_EQ(inner.component.type, "sequence");
  EXPECT_EQ(inner.p, 0.75);
  EXPECT_THAT(types(inner.of), ElementsAre("flip", "blur"));
}

TEST_F(PresetsTest, ATableIsTheWholeChainAndChangesIt) {
  const Experiment e = with("[augmentation]\npreset = \"chain.toml\"\nflip.p = 0.125");
  ASSERT_THAT(messages(), IsEmpty());
  EXPECT_THAT(types(e.augmentations), ElementsAre("flip", "blur"));
  EXPECT_EQ(e.augmentations[0].p, 0.125);
  // Whoever extends it may have another.
  write("other.toml", "extends = \"leaf.toml\"\n[augmentation]\npreset = \"" +
                          write("blur.toml", "[[augmentation]]\ntype = \"blur\"\n").string() + "\"\n");
  EXPECT_THAT(types(load("other.toml").augmentations), ElementsAre("blur"));
  EXPECT_THAT(messages(), IsEmpty());
  EXPECT_EQ(load("other.toml", {"augmentation.blur.p=0.5"}).augmentations.at(0).p, 0.5);
}

TEST_F(PresetsTest, ASettingNamesOne) {
  const Experiment e = with("", {"augmentation.preset=light", "augmentation.flip.vertical=0.25"});
  EXPECT_THAT(types(e.augmentations), testing::Contains("hed_jitter"));  // which are unknown here
  EXPECT_EQ(e.augmentations.at(0).component.params.find("vertical")->number(), 0.25);
}

TEST_F(PresetsTest, PresetsMayNameOthersButNotInACircle) {
  write("twice.toml", "[[augmentation]]\npreset = \"chain.toml\"\n[[augmentation]]\npreset = \"chain.toml\"\n");
  EXPECT_THAT(types(with("[augmentation]\npreset = \"twice.toml\"").augmentations),
              ElementsAre("flip", "blur", "flip", "blur"));
  EXPECT_THAT(messages(), IsEmpty());
  write("a.toml", "[augmentation]\npreset = \"b.toml\"\n");
  write("b.toml", "[[augmentation]]\npreset = \"a.toml\"\n");
  with("[augmentation]\npreset = \"a.toml\"");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("b.toml:2:10: files name each other in a circle")));
}

TEST_F(PresetsTest, FaultsHaveTheirPlace) {
  with("[augmentation]\npreset = \"lihgt\"");
  ASSERT_THAT(messages(), ElementsAre(HasSubstr("unknown preset \"lihgt\"")));
  EXPECT_EQ(faults[0].source.line, 11);
  EXPECT_THAT(faults[0].hint, testing::AllOf(HasSubstr("did you mean \"light\"?"),
                                             HasSubstr("known: hubmap-4th, light, strong-stain")));
  with("[[augmentation]]\npreset = \"nowhere.toml\"");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("names a file that is not there")));
  with("[[augmentation]]\npreset = 3");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("must be a name or a file, not an integer")));
  with("[[augmentation]]\ntype = \"flip\"\npreset = \"light\"");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("leaf.toml:11:1: a link with \"preset\"")));
  with("[[batch_augmentation]]\npreset = \"light\"");
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("has no [[batch_augmentation]]")));
}

TEST_F(PresetsTest, ThoseThatComeWithNephronAreListed) {
  EXPECT_THAT(preset_names(), IsSupersetOf({"hubmap-4th", "light", "strong-stain"}));
}

}  // namespace
}  // namespace nephron::host
