// What a person can mistype in `plugins check`, `new` and `build`: told as their mistake, never as the plugin's.
#include <fstream>

#include <tests/integration/plugins/plugins_test.hpp>

namespace nephron::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CheckUsage : public PluginsTest {
 protected:
  /// Of `plugins check` with these options: exit code 2, no row, and this on stderr.
  static void expect_refusal(const std::string& plugin, const std::string& options, const std::string& says) {
    const std::string command = "plugins check " + fixture(plugin).string() + " " + options;
    const Result r = nephron(command);
    EXPECT_EQ(r.code, 2) << options;
    EXPECT_EQ(r.output, "error: " + says + "\n");
    EXPECT_EQ(nephron(command, "2>/dev/null").output, "") << options;
  }
};

TEST_F(CheckUsage, WrongParameters) {
  expect_refusal("good", "--set degree=3",
                 "--set degree=3: augmentation \"fixture_turn\" has no parameter \"degree\"\n  did you mean "
                 "\"degrees\"?");
  expect_refusal("good", "--set nothing=3",
                 "--set nothing=3: augmentation \"fixture_turn\" has no parameter \"nothing\"\n  known: \"degrees\"");
  expect_refusal("good", "--set degrees=many", "--set degrees=many: \"degrees\" must be a number, not a string");
  expect_refusal("good", "--set degrees=999", "--set degrees=999: \"degrees\" must be in 0 to 180 degrees, not 999");
  expect_refusal("good", "--set fixture_turn.degrees=-1",
                 "--set fixture_turn.degrees=-1: \"degrees\" must be in 0 to 180 degrees, not -1");
  for (const char* text : {"degrees", "=3", "fixture_turn.=3", ".degrees=3"})
    expect_refusal("good", std::string("--set ") + text,
                   std::string("--set ") + text + ": expected NAME=VALUE or COMPONENT.NAME=VALUE");
  EXPECT_EQ(check(fixture("good"), "--set degrees=20 --set fixture_turn.degrees=30", 0), std::vector<std::string>{});
}

// The component that dies when it is loaded is to origin, whatever was set.
TEST_F(CheckUsage, ParametersOfAPluginThatCannotTellThem) {
  EXPECT_THAT(check(fixture("throwing_initialiser"), "--set degrees=20"),
              testing::ElementsAre(StartsWith("load: the component ended the process")));
}

TEST_F(CheckUsage, OptionsThatWouldDoNothing) {
  expect_refusal("several", "--component fixture_first --set fixture_second.degrees=20",
                 "--set fixture_second.degrees=20 is for a component that --component fixture_first leaves unchecked");
  expect_refusal("several", "--component another",
                 "--component another: the plugin has no component \"another\"; it has fixture_first, "
                 "fixture_second");
  expect_refusal("several", "--set fixture_frist.degrees=20",
                 "--set fixture_frist.degrees=20: the plugin has no component \"fixture_frist\"; it has fixture_first, "
                 "fixture_second\n  did you mean \"fixture_first\"?");
  expect_refusal("good", "--classes a,b", "--classes is for a dataset, and augmentation \"fixture_turn\" is none");
  expect_refusal("good", "--file " + fixture("good").string(),
                 "--file is for a reader, and augmentation \"fixture_turn\" is none");
}

// One component has "share", the other has not, and is checked without.
TEST_F(CheckUsage, AParameterOfOneComponentOfSeveral) {
  EXPECT_EQ(check(fixture("several"), "--set share=0.5", 0), std::vector<std::string>{});
  expect_refusal("several", "--set fixture_first.share=0.5",
                 "--set fixture_first.share=0.5: augmentation \"fixture_first\" has no parameter \"share\"\n  known: "
                 "\"degrees\"");
}

TEST_F(CheckUsage, AnInstalledComponentHasTheName) {
  ::setenv("NEPHRON_PLUGIN_PATH", fixture("good").c_str(), 1);
  const fs::path mine = root_ / "mine.so";
  fs::copy_file(fixture("good"), mine);
  const Result r = nephron("plugins check " + mine.string());
  EXPECT_EQ(r.code, 0) << "it may be good all the same";
  EXPECT_THAT(r.output, HasSubstr("there is the augmentation \"fixture_turn\" already, in " + fixture("good").string() +
                                  ": nephron loads no two of one name"));
  EXPECT_EQ(nephron("plugins check " + fixture("good").string()).output, "") << "that is the file itself";
  const auto out = nlohmann::json::parse(nephron("plugins check --json " + mine.string(), "2>/dev/null").output);
  EXPECT_EQ(out["names_taken"][0]["file"], fixture("good").string());
}

// `plugins new NAME` makes a folder of that name, and then `plugins check NAME` is asked for.
TEST_F(CheckUsage, AComponentBesideWhatIsNamedAlike) {
  ::setenv("NEPHRON_PLUGIN_PATH", fixture("good").c_str(), 1);
  fs::create_directories(root_ / "fixture_turn");
  fs::create_directories(root_ / "other");
  const fs::path before = fs::current_path();
  fs::current_path(root_);
  const Result folder = nephron("plugins check fixture_turn");
  EXPECT_EQ(folder.code, 0) << folder.output;
  EXPECT_EQ(folder.output, "");
  const Result other = nephron("plugins check other");
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.output, HasSubstr("that was found, but a folder\n  plugins build makes the file to check"));
  fs::remove(root_ / "fixture_turn");
  std::ofstream(root_ / "fixture_turn") << "no plugin";
  const Result file = nephron("plugins check fixture_turn");
  EXPECT_EQ(file.code, 0) << file.output;
  EXPECT_THAT(file.output, HasSubstr("the file of that name is ./fixture_turn"));
  EXPECT_EQ(nephron("plugins check ./fixture_turn").code, 1);
  fs::current_path(before);
}

TEST_F(CheckUsage, FoldersThatCMakeCannotBuildIn) {
  for (const char* name : {"semi;colon", "dol$lar"}) {
    const std::string folder = "'" + (root_ / name).string() + "'";
    EXPECT_EQ(nephron("plugins new loss my-loss " + folder).code, 0);
    const Result r = nephron("plugins build " + folder);
    EXPECT_EQ(r.code, 2);
    EXPECT_THAT(r.output, StartsWith("error: CMake cannot build in a folder with \""));
  }
}

}  // namespace
}  // namespace nephron::test
