#include <host/plugins/registry.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/augmentation.hpp>

#include <host/plugins/guard.hpp>
#include <host/plugins/host_context.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

fs::path fixture(const std::string& name) { return fs::path(NEPHRON_BUILD_DIR "/fixtures/plugins") / (name + ".so"); }

Registry only(const std::vector<std::string>& names) {
  PluginSearch search;
  for (const std::string& n : names) search.command_line.push_back(fixture(n));
  search.folders = false;
  return Registry(search);
}

template <class F>
std::string message_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what() + (e.hint().empty() ? "" : " | " + e.hint());
  }
  return "(nothing)";
}

TEST(Registry, ListsWithoutLoading) {
  const Registry r = only({"good"});
  ASSERT_EQ(r.components().size(), 1u);
  const ComponentInfo& c = r.find("augmentation", "fixture_turn");
  EXPECT_EQ(c.plugin, "good");
  EXPECT_EQ(c.version, "1.2.3");
  EXPECT_EQ(c.file, fs::canonical(fixture("good")));
  EXPECT_FALSE(c.needs_torch);
  std::ifstream maps("/proc/self/maps");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(maps), {}).find("fixtures/plugins/good.so"), std::string::npos);
}

TEST(Registry, TellsSchemasAndMakesComponents) {
  const Registry r = only({"good"});
  ASSERT_EQ(r.schema("augmentation", "fixture_turn").fields().size(), 1u);
  EXPECT_EQ(r.schema("augmentation", "fixture_turn").fields()[0].name, "degrees");
  HostContext context("fixture_turn", "augmentation[0]");
  ComponentSpec spec{.type = "fixture_turn", .params = Value(Value::Table{}), .source = {}};
  spec.params.set("degrees", Value(45));
  const std::shared_ptr<Augmentation> made = r.create<Augmentation>(spec, context);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(origin_of(*made).component, "augmentation \"fixture_turn\"");
}

TEST(Registry, NamesThePlaceOfWrongParameters) {
  const Registry r = only({"good"});
  HostContext context("fixture_turn", "augmentation[0]");
  ComponentSpec spec{.type = "fixture_turn", .params = Value(Value::Table{}), .source = {}};
  spec.source = {std::make_shared<const std::string>("e.toml"), 7, 3};
  spec.params.set("degres", Value(45));
  EXPECT_EQ(message_of([&] { r.create("augmentation", spec, context); }),
            "e.toml:7:3: augmentation \"fixture_turn\" of plugin \"good\" (" + fs::canonical(fixture("good")).string() +
                ") failed when it was made: unknown key \"degres\" (did you mean \"degrees\"?)");
}

TEST(Registry, ProposesTheNearestName) {
  const Registry r = only({"good"});
  EXPECT_EQ(message_of([&] { r.find("augmentation", "fixture_tern"); }),
            "unknown augmentation \"fixture_tern\" | did you mean \"fixture_turn\"?");
  EXPECT_THAT(message_of([&] { r.find("loss", "bce"); }), HasSubstr("unknown loss \"bce\" | no plugin that was found"));
}

TEST(Registry, RefusesTwoOfOneName) {
  EXPECT_EQ(message_of([&] {
              only({"duplicate_a", "duplicate_b"});
            }),
            "augmentation \"fixture_twice\" is in two plugin files (SDK rule 7): " +
                fs::canonical(fixture("duplicate_a")).string() + " and " +
                fs::canonical(fixture("duplicate_b")).string() +
                " | rename one of the components, or take one of the files out of the search");
}

TEST(Registry, TakesAFileFoundTwiceOnce) { EXPECT_EQ(only({"good", "good"}).components().size(), 1u); }

TEST(Registry, RefusesOtherSdksWithATable) {
  EXPECT_EQ(
      message_of([&] { only({"wrong_sdk"}); }),
      "plugin \"wrong_sdk\" (" + fs::canonical(fixture("wrong_sdk")).string() +
          ") was built for another nephron and is not loaded (SDK rule 1):\n"
          "              plugin  this nephron\n"
          "  SDK         0.77    0.2 | build the plugin again with this nephron: find_package(nephron) finds it in "
          "CMAKE_PREFIX_PATH");
  EXPECT_THAT(message_of([&] { only({"wrong_torch"}); }), HasSubstr("  LibTorch    1.0.0+cpu  "));
}

/// A folder of the test's own with an environment that has no other plugins.
class Folders : public testing::Test {
 protected:
  Folders() {
    fs::create_directories(root_ / "share" / "nephron" / "plugins");
    ::setenv("XDG_DATA_HOME", (root_ / "share").c_str(), 1);
    ::setenv("NEPHRON_PLUGIN_PATH", "", 1);
  }
  ~Folders() override {
    fs::remove_all(root_);
    ::unsetenv("XDG_DATA_HOME");
    ::unsetenv("NEPHRON_PLUGIN_PATH");
  }
  fs::path put(const std::string& name, const fs::path& folder) const {
    fs::create_directories(folder);
    fs::copy_file(fixture(name), folder / (name + ".so"));
    return folder / (name + ".so");
  }
  std::vector<std::string> files_with(const PluginSearch& search) const {
    std::vector<std::string> out;
    const Registry registry(search);
    for (const ComponentInfo& c : registry.components())
      if (c.name.starts_with("fixture_")) out.push_back(fs::relative(c.file, root_));
    return out;
  }
  fs::path root_ = fs::temp_directory_path() / ("nephron_registry_" + std::to_string(::getpid()));
};

TEST_F(Folders, AreSearchedAndBadFilesSetAside) {
  put("good", root_ / "share" / "nephron" / "plugins");
  const fs::path other = put("throwing_factory", root_ / "other");
  put("wrong_sdk", root_ / "other");
  std::ofstream(root_ / "other" / "text.so") << "not a plugin";
  ::setenv("NEPHRON_PLUGIN_PATH", (root_ / "other").c_str(), 1);
  EXPECT_THAT(files_with({}), ElementsAre("other/throwing_factory.so", "share/nephron/plugins/good.so"));
  const Registry r;
  ASSERT_EQ(r.rejected().size(), 2u);
  EXPECT_EQ(r.rejected()[0].reason, (root_ / "other" / "text.so").string() + " is not an ELF file");
  EXPECT_THAT(message_of([&] { r.find("augmentation", "fixture_wrong_sdk"); }),
              HasSubstr("unknown augmentation \"fixture_wrong_sdk\": plugin \"wrong_sdk\""));
  PluginSearch none;
  none.folders = false;
  EXPECT_THAT(files_with(none), ElementsAre());
}

TEST_F(Folders, ComponentsOfOneNameLeaveTheOthersThere) {
  const fs::path folder = root_ / "share" / "nephron" / "plugins", other = root_ / "other";
  for (const char* name : {"good", "duplicate_a", "duplicate_b"}) put(name, folder);
  EXPECT_THAT(files_with({}), ElementsAre("share/nephron/plugins/good.so"));
  const std::string clash =
      "augmentation \"fixture_twice\" is in two plugin files (SDK rule 7): " + (folder / "duplicate_a.so").string() +
      " and " + (folder / "duplicate_b.so").string();
  const std::string settled = " | rename one of the components, or take one of the files out of the search";
  const Registry r;
  ASSERT_EQ(r.clashes().size(), 1u);
  EXPECT_EQ(r.clashes()[0].error().what(), clash);
  EXPECT_THAT(r.names("augmentation"), testing::Not(testing::Contains("fixture_twice")));
  EXPECT_EQ(message_of([&] { r.find("augmentation", "fixture_twice"); }), clash + settled);
  ::setenv("NEPHRON_PLUGIN_PATH", put("duplicate_a", other).parent_path().c_str(), 1);
  EXPECT_THAT(message_of([&] { Registry().find("augmentation", "fixture_twice"); }),
              HasSubstr("is in 3 plugin files (SDK rule 7): " + (other / "duplicate_a.so").string() + ", " +
                        (folder / "duplicate_a.so").string() + " and "));
  PluginSearch named;
  named.command_line = {fixture("duplicate_b")};
  EXPECT_THAT(message_of([&] { Registry both(named); }), HasSubstr("is in two plugin files")) << "one was asked for";
}

TEST_F(Folders, FilesNamedInTheEnvironmentAreFound) {
  ::setenv("NEPHRON_PLUGIN_PATH", (put("good", root_ / "a").string() + ":" + (root_ / "nothing").string()).c_str(), 1);
  EXPECT_THAT(files_with({}), ElementsAre("a/good.so"));
}

TEST_F(Folders, AFileThatIsNamedMustBeUsable) {
  PluginSearch search;
  search.command_line = {root_ / "absent.so"};
  EXPECT_EQ(message_of([&] { Registry r(search); }),
            "cannot read plugin " + (root_ / "absent.so").string() + ": No such file or directory");
}

TEST_F(Folders, ThirtyPluginsAreReadAndNoneIsLoaded) {
  // Different component names are needed; they are patched into copies of one plugin.
  std::ifstream in(fixture("good"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const std::size_t name = bytes.find("fixture_turn");
  for (int i = 10; i < 40; ++i) {
    std::string copy = bytes;
    copy.replace(name + 10, 2, std::to_string(i));
    std::ofstream(root_ / "share" / "nephron" / "plugins" / ("p" + std::to_string(i) + ".so"), std::ios::binary)
        << copy;
  }
  const Registry r;
  EXPECT_GE(r.names("augmentation").size(), 30u);
  std::ifstream maps("/proc/self/maps");
  const std::string mapped((std::istreambuf_iterator<char>(maps)), {});
  EXPECT_THAT(mapped, HasSubstr("registry_test"));
  EXPECT_THAT(mapped, Not(HasSubstr((root_ / "share" / "nephron" / "plugins").string())));
}

}  // namespace
}  // namespace nephron::host
