// Each broken plugin of tests/fixtures/plugins through the whole program: the exact message, the exit code, and that
// the program itself goes on.
#include <fstream>

#include <tests/integration/plugins/plugins_test.hpp>

namespace nephron::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class BrokenPlugins : public PluginsTest {};

TEST_F(BrokenPlugins, AGoodOneForComparison) {
  EXPECT_EQ(check(fixture("good"), "", 0), std::vector<std::string>{});
  EXPECT_EQ(describe("fixture_turn", fixture("good")).code, 0);
}

TEST_F(BrokenPlugins, ANewOneOfATakenNameIsWrittenWithAWarning) {
  ::setenv("NEPHRON_PLUGIN_PATH", fixture("good").c_str(), 1);
  const Result taken = nephron("plugins new augmentation fixture_turn " + (root_ / "taken").string());
  EXPECT_EQ(taken.code, 0) << taken.output;
  EXPECT_THAT(taken.output,
              HasSubstr("there is the augmentation \"fixture_turn\" already, in " + fixture("good").string()));
  EXPECT_THAT(taken.output, HasSubstr("rename yours"));
  EXPECT_TRUE(fs::exists(root_ / "taken" / "fixture_turn.cpp"));
  const Result free = nephron("plugins new augmentation fixture_roll " + (root_ / "free").string());
  EXPECT_EQ(free.code, 0) << free.output;
  EXPECT_EQ(free.output, "");
}

TEST_F(BrokenPlugins, OneFileNamedTwiceCountsOnce) {
  fs::create_symlink(fixture("good"), root_ / "link.so");
  const Result twice = nephron("plugins list --plugin " + fixture("good").string() + " --plugin " +
                                   fixture("good").string() + " --plugin " + (root_ / "link.so").string(),
                               "2>&1");
  EXPECT_EQ(twice.code, 0) << twice.output;
  const std::size_t first = twice.output.find("fixture_turn");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(twice.output.find("fixture_turn", first + 1), std::string::npos) << twice.output;
  // A copy is another file.
  fs::copy_file(fixture("good"), root_ / "copy.so");
  const Result copy =
      nephron("plugins list --plugin " + fixture("good").string() + " --plugin " + (root_ / "copy.so").string());
  EXPECT_EQ(copy.code, 1);
  EXPECT_THAT(copy.output,
              testing::AllOf(HasSubstr(fixture("good").string()), HasSubstr((root_ / "copy.so").string())));
}

TEST_F(BrokenPlugins, WrongSdkVersion) {
  const std::string message = "plugin \"wrong_sdk\" (" + fixture("wrong_sdk").string() +
                              ") was built for another nephron and is not loaded (SDK rule 1):\n"
                              "              plugin  this nephron\n"
                              "  SDK         0.77    0.2";
  const Result r = describe("fixture_wrong_sdk", fixture("wrong_sdk"));
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output,
            "error: " + message +
                "\n  build the plugin again with this nephron: find_package(nephron) finds it in CMAKE_PREFIX_PATH\n"
                "  The SDK's rules: " NEPHRON_PAGES "/plugins.md\n");
  EXPECT_THAT(check(fixture("wrong_sdk")), testing::ElementsAre("fingerprint: " + message));
}

TEST_F(BrokenPlugins, WrongTorchBuild) {
  const Result r = describe("fixture_wrong_torch", fixture("wrong_torch"));
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.output, StartsWith("error: plugin \"wrong_torch\" (" + fixture("wrong_torch").string() +
                                   ") was built for another nephron and is not loaded (SDK rule 1):\n"
                                   "              plugin     this nephron\n"
                                   "  LibTorch    1.0.0+cpu  "));
  EXPECT_THAT(check(fixture("wrong_torch")), testing::ElementsAre(HasSubstr("  LibTorch    1.0.0+cpu  ")));
}

// The row is derived from the whole file, not from the source that says NEPHRON_PLUGIN.
TEST_F(BrokenPlugins, WrongTorchBuildOfAnotherSource) {
  const Result r = describe("fixture_two_sources", fixture("two_sources"));
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.output, HasSubstr("is not loaded (SDK rule 1):\n"
                                  "              plugin     this nephron\n"
                                  "  LibTorch    1.0.0+cpu  "));
  EXPECT_THAT(check(fixture("two_sources")), testing::ElementsAre(HasSubstr("  LibTorch    1.0.0+cpu  ")));
}

TEST_F(BrokenPlugins, BlocksOfAnotherVersion) {
  const Result r = describe("fixture_wrong_nn", fixture("wrong_nn"));
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.output, HasSubstr("is not loaded (SDK rule 1):\n"));
  EXPECT_THAT(r.output, HasSubstr("  nn/         0.0.1 and "));
  EXPECT_THAT(check(fixture("wrong_nn")), testing::ElementsAre(HasSubstr("  nn/         0.0.1 and ")));
}

TEST_F(BrokenPlugins, NamesThatCMakeKeepsAreNoPlugins) {
  for (const char* name : {"all", "install", "clean", "test"}) {
    const Result r = nephron(std::string("plugins new loss ") + name + " " + (root_ / name).string());
    EXPECT_EQ(r.code, 2);
    EXPECT_THAT(r.output, HasSubstr("CMake keeps it for a target of its own"));
    EXPECT_FALSE(fs::exists(root_ / name));
  }
}

TEST_F(BrokenPlugins, MissingEntry) {
  const std::string message =
      "plugin \"missing_entry\" (" + fixture("missing_entry").string() + ") has no entry point nephron_plugin_entry";
  const Result r = describe("fixture_missing_entry", fixture("missing_entry"));
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output, "error: " + message +
                          "\n  NEPHRON_PLUGIN(\"name\", \"version\") makes it; is it hidden by a linker script?\n");
  EXPECT_THAT(check(fixture("missing_entry")), testing::ElementsAre(StartsWith("load: " + message)));
}

TEST_F(BrokenPlugins, MissingSymbol) {
  const std::string message = "plugin \"missing_symbol\" (" + fixture("missing_symbol").string() +
                              ") cannot be loaded: undefined symbol: nephron_fixture_function_that_no_library_has";
  const Result r = describe("fixture_missing_symbol", fixture("missing_symbol"));
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output, "error: " + message +
                          "\n  link the library that has the symbol: target_link_libraries(PLUGIN PRIVATE ...)\n");
  EXPECT_THAT(check(fixture("missing_symbol")), testing::ElementsAre(StartsWith("load: " + message)));
}

TEST_F(BrokenPlugins, ThrowingStaticInitialiser) {
  const std::string end =
      "it was killed by signal 6 (Aborted); its last words: terminate called after throwing an instance of "
      "'nephron::Error'   what():  the static initialiser of the fixture fails";
  const Result r = describe("fixture_throwing_initialiser", fixture("throwing_initialiser"));
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output,
            "error: plugin \"throwing_initialiser\" (" + fixture("throwing_initialiser").string() +
                ") ends the program that loads it: in a child process " + end +
                "\n  look at its static initialisers: objects at namespace scope, and what their constructors do\n");
  EXPECT_THAT(check(fixture("throwing_initialiser")),
              testing::ElementsAre("load: the component ended the process: " + end));
}

TEST_F(BrokenPlugins, ThrowingFactory) {
  const std::string message =
      "augmentation \"fixture_throwing_factory\" of plugin \"throwing_factory\" (" +
      fixture("throwing_factory").string() +
      ") failed when it was made: the factory of the fixture fails (there is nothing to do about it)";
  // Parameters can be told all the same.
  EXPECT_EQ(describe("fixture_throwing_factory", fixture("throwing_factory")).code, 0);
  const auto rows = check(fixture("throwing_factory"));
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.front(), "defaults: " + message);
}

TEST_F(BrokenPlugins, ThrowingForward) {
  EXPECT_THAT(check(fixture("throwing_forward")), testing::Contains("shapes: the forward of the fixture fails"));
}

TEST_F(BrokenPlugins, WrongOutputShape) {
  EXPECT_THAT(check(fixture("wrong_shape")),
              testing::Contains(
                  "shapes: forward of logits [3, 2, 8, 12] Float returned [3, 12] Float; expected [3, 2] or [1, 2]"));
}

TEST_F(BrokenPlugins, DuplicateName) {
  const Result r = nephron("plugins list --plugin " + fixture("duplicate_a").string() + " --plugin " +
                           fixture("duplicate_b").string());
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output, "error: augmentation \"fixture_twice\" is in two plugin files (SDK rule 7): " +
                          fixture("duplicate_a").string() + " and " + fixture("duplicate_b").string() +
                          "\n  rename one of the components, or take one of the files out of the search\n"
                          "  The SDK's rules: " NEPHRON_PAGES "/plugins.md\n");
  EXPECT_EQ(check(fixture("duplicate_a"), "", 0), std::vector<std::string>{});
}

// Found in a folder, two of one name take nothing from the others.
TEST_F(BrokenPlugins, DuplicateNameInTheUsersFolder) {
  const fs::path folder = root_ / "share/nephron/plugins";
  fs::create_directories(folder);
  for (const char* name : {"good", "duplicate_a", "duplicate_b"})
    fs::copy_file(fixture(name), folder / (std::string(name) + ".so"));
  const std::string what =
      "augmentation \"fixture_twice\" is in two plugin files (SDK rule 7): " + (folder / "duplicate_a.so").string() +
      " and " + (folder / "duplicate_b.so").string();
  const Result listed = nephron("plugins list", "2>/dev/null"), told = nephron("plugins list");
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.output, testing::AllOf(HasSubstr("fixture_turn"), testing::Not(HasSubstr("fixture_twice"))));
  EXPECT_THAT(told.output, HasSubstr("none is taken: " + what +
                                     "; rename one of the components, or take one of the "
                                     "files out of the search"));
  const nlohmann::json out = nlohmann::json::parse(nephron("plugins list --json", "2>/dev/null").output);
  EXPECT_EQ(out["clashes"][0]["files"].size(), 2U);
  for (const char* command : {"plugins describe augmentation fixture_twice", "plugins check fixture_twice"}) {
    const Result r = nephron(command);
    EXPECT_EQ(r.code, 1) << command;
    EXPECT_THAT(r.output, HasSubstr(what)) << command;
  }
  EXPECT_EQ(nephron("plugins describe augmentation fixture_turn").code, 0);
}

TEST_F(BrokenPlugins, NotElf) {
  const fs::path file = root_ / "text.so";
  std::ofstream(file) << "this is not a plugin\n";
  const Result r = describe("x", file);
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output, "error: " + file.string() +
                          " is not an ELF file\n  a plugin is a shared object (.so) that nephron_add_plugin builds\n");
  EXPECT_THAT(check(file), testing::ElementsAre("records: " + file.string() + " is not an ELF file"));
}

TEST_F(BrokenPlugins, TruncatedElf) {
  const fs::path file = root_ / "cut.so";
  fs::copy_file(fixture("good"), file);
  const auto size = fs::file_size(file);
  fs::resize_file(file, size / 2);
  const Result r = describe("x", file);
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.output, StartsWith("error: " + file.string() + " is cut short: its section table should be "));
  EXPECT_THAT(r.output,
              HasSubstr(", but the file has " + std::to_string(size / 2) + "\n  build or copy the plugin again\n"));
  EXPECT_THAT(check(file), testing::ElementsAre(StartsWith("records: " + file.string() + " is cut short: ")));
}

TEST_F(BrokenPlugins, Hanging) {
  EXPECT_THAT(check(fixture("hanging"), "--timeout 1"),
              testing::Contains("plans: the component hung: it did not answer for 1 s and was stopped"));
}

TEST_F(BrokenPlugins, CallingExit) {
  const auto rows = check(fixture("exiting"));
  // Every check that draws ends the child; those after it are made all the same.
  EXPECT_THAT(rows, testing::ElementsAre(StartsWith("plans: the component called exit(): it exited with code 0"),
                                         StartsWith("afterwards: "), StartsWith("determinism: "), StartsWith("state: "),
                                         StartsWith("labels: "), StartsWith("randomness: "), StartsWith("threads: "),
                                         StartsWith("extremes: ")));
}

TEST_F(BrokenPlugins, Crashing) {
  EXPECT_THAT(
      check(fixture("crashing")),
      testing::Contains("plans: the component ended the process: it was killed by signal 11 (Segmentation fault)"));
}

TEST_F(BrokenPlugins, LeakingAForeignException) {
  EXPECT_THAT(check(fixture("foreign_exception")),
              testing::Contains("shapes: it threw a \"int\", which is not a std::exception"));
}

TEST_F(BrokenPlugins, DrawingFromRand) {
  EXPECT_THAT(check(fixture("drawing_from_rand")),
              testing::Contains("randomness: rand(), random() or srand() was called; random numbers come from the Rng "
                                "that is handed in (SDK rule 5)"));
}

// Nothing changes within one process: it takes two to see it.
TEST_F(BrokenPlugins, SeededByItsProcess) {
  for (const char* name : {"seeded_by_the_clock", "seeded_by_its_process"})
    EXPECT_THAT(check(fixture(name)),
                testing::ElementsAre(StartsWith("processes: in another process, a second later, an equal Rng draws")));
}

TEST_F(BrokenPlugins, DrawnOnceAndKept) {
  EXPECT_THAT(check(fixture("drawn_once")),
              testing::ElementsAre(StartsWith("processes: in another process, a second later, equal first weights")));
}

// As in an experiment: readers of the dataset's own file are used, and those that --plugin names.
TEST_F(BrokenPlugins, ReadersBesidesThoseThatAreFound) {
  fs::create_directories(root_);
  const fs::path slide = root_ / "slide.grey";
  std::ofstream(slide, std::ios::binary) << "GREY" << std::string(80 * 60, 'g');
  const std::string file = "--set file=" + slide.string() + " ";
  EXPECT_THAT(check(fixture("grey_both"), "--component fixture_grey " + file, 0), testing::IsEmpty());
  EXPECT_THAT(check(fixture("grey_dataset"), file + "--plugin " + fixture("grey_both").string(), 0),
              testing::IsEmpty());
  EXPECT_THAT(check(fixture("grey_dataset"), file),
              testing::Contains(testing::HasSubstr("no reader suits slide file")));
}

TEST_F(BrokenPlugins, MissingPluginMacro) {
  const std::string message = fixture("missing_macro").string() +
                              " has components (augmentation \"fixture_missing_macro\"), but none of its sources says "
                              "NEPHRON_PLUGIN";
  const Result r = describe("fixture_missing_macro", fixture("missing_macro"));
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output, "error: " + message +
                          "\n  a plugin says NEPHRON_PLUGIN(\"name\", \"version\") once, in one of its sources\n");
  EXPECT_THAT(check(fixture("missing_macro")), testing::ElementsAre("records: " + message));
}

TEST_F(BrokenPlugins, UnknownNamesAndKinds) {
  const Result r = nephron("plugins describe augmentation fixture_tern --plugin " + fixture("good").string());
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.output, "error: unknown augmentation \"fixture_tern\"\n  did you mean \"fixture_turn\"?\n");
  EXPECT_EQ(nephron("plugins describe augmentashun x").code, 2);
  EXPECT_EQ(nephron("plugins").code, 2);
  const Result bad_name = nephron("plugins new loss 'My Loss' " + (root_ / "new").string());
  EXPECT_EQ(bad_name.code, 2);
  EXPECT_THAT(bad_name.output, StartsWith("error: \"My Loss\" cannot be the name of a component: "));
}

TEST_F(BrokenPlugins, ListsInJson) {
  const Result r = nephron("plugins list --json --plugin " + fixture("good").string(), "2>/dev/null");
  EXPECT_EQ(r.code, 0);
  const nlohmann::json out = nlohmann::json::parse(r.output);
  bool found = false;
  for (const auto& c : out["components"])
    if (c["name"] == "fixture_turn") {
      found = true;
      EXPECT_EQ(c["kind"], "augmentation");
      EXPECT_EQ(c["version"], "1.2.3");
      EXPECT_EQ(c["file"], fixture("good").string());
      EXPECT_EQ(c["doc"], "Turns the picture about its centre");
    }
  EXPECT_TRUE(found);
}

TEST_F(BrokenPlugins, DescribesInJson) {
  const Result r =
      nephron("plugins describe augmentation fixture_turn --json --plugin " + fixture("good").string(), "2>/dev/null");
  EXPECT_EQ(r.code, 0);
  const nlohmann::json p = nlohmann::json::parse(r.output)["parameters"][0];
  EXPECT_EQ(p["name"], "degrees");
  EXPECT_EQ(p["type"], "float");
  EXPECT_EQ(p["default"], 10.0);
  EXPECT_EQ(p["minimum"], 0.0);
  EXPECT_EQ(p["maximum"], 180.0);
  EXPECT_EQ(p["unit"], "degrees");
  EXPECT_EQ(p["doc"], "largest rotation");
}

}  // namespace
}  // namespace nephron::test
