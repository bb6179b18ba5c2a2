// plugins -> sdk <- host, and inside host/ from later folders to earlier ones: fails when an #include crosses the
// arrows.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

// Where a path of the repository belongs: "sdk", "host", "plugins/losses/focal", or "" for anything else.
std::string part_of(const fs::path& relative) {
  std::vector<std::string> names;
  for (const fs::path& name : relative) names.push_back(name.string());
  if (names.empty()) return "";
  if (names[0] == "plugins") return names.size() > 3 ? names[0] + "/" + names[1] + "/" + names[2] : names[0];
  return names[0] == "sdk" || names[0] == "host" ? names[0] : "";
}

// The repository's file that `included` means, relative to root; a path that is not there counts by its spelling.
fs::path resolve(const fs::path& root, const fs::path& file, const std::string& included) {
  for (const fs::path& folder : {file.parent_path(), root, root / "sdk" / "include"}) {
    if (const fs::path found = folder / included; fs::exists(found)) {
      return fs::weakly_canonical(found).lexically_relative(fs::weakly_canonical(root));
    }
  }
  return fs::path(included).lexically_normal();
}

// The folders of host/ in the order of the table in docs/architecture.md.
std::vector<std::string> host_order(const fs::path& root) {
  static const std::regex row(R"(^\| `host/(\w+)/`.*)");
  std::ifstream in(root / "docs/architecture.md");
  std::vector<std::string> out;
  std::smatch match;
  for (std::string line; std::getline(in, line);)
    if (std::regex_match(line, match, row)) out.push_back(match[1]);
  return out;
}

// Why a file of the host folder `from` must not include one of `to`, or "".
std::string folder_objection(const std::vector<std::string>& order, const std::string& from, const std::string& to) {
  const auto place = [&](const std::string& name) { return std::find(order.begin(), order.end(), name); };
  for (const std::string& name : {from, to})
    if (place(name) == order.end()) return "host/" + name + " has no row in the table of docs/architecture.md";
  return place(to) <= place(from) ? "" : "host/" + to + " comes after host/" + from + " in docs/architecture.md";
}

// "train" of host/train/session.hpp.
std::string folder_of(const fs::path& relative) { return std::next(relative.begin())->string(); }

// Why `file` (relative) must not include `target` (relative), or "".
std::string objection(const fs::path& file, const fs::path& target, const std::string& included,
                      const std::vector<std::string>& order) {
  const std::string from = part_of(file);
  const std::string to = part_of(target);
  const bool test = file.filename().string().ends_with("_test.cpp");
  const bool to_plugin = to.starts_with("plugins");
  if (from == "sdk") {
    if (to == "host" || to_plugin) return "sdk/ knows neither host/ nor plugins/";
    static const std::regex foreign(R"(^(spdlog|toml\+\+|boost|nlohmann|CLI)/)");
    if (file.string().starts_with("sdk/include/") && std::regex_search(included, foreign)) {
      return "only SDK types, standard types and tensors cross the boundary (SDK rule 2)";
    }
  }
  if (from == "host" && to_plugin) return "host/ depends on sdk/ alone, never on a plugin";
  if (from == "host" && to == "host" && !test) return folder_objection(order, folder_of(file), folder_of(target));
  if (from.starts_with("plugins")) {
    if (to == "host" && !test) return "a plugin includes only the SDK; what it needs of host/ belongs there";
    if (to_plugin && to != from) return "a plugin includes no other plugin; shared code belongs to sdk/";
  }
  return "";
}

// Every include that crosses the arrows, as "file:line: includes X: reason".
std::vector<std::string> crossings(const fs::path& root) {
  static const std::regex include_line(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  static const std::regex source(R"(\.(cpp|hpp|h|cu|cuh|inl)$)");
  const std::vector<std::string> order = host_order(root);
  std::vector<std::string> out;
  for (const char* top : {"sdk", "host", "plugins"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !std::regex_search(entry.path().filename().string(), source)) continue;
      const fs::path file = entry.path().lexically_relative(root);
      std::ifstream in(entry.path());
      std::string line;
      for (int number = 1; std::getline(in, line); ++number) {
        std::smatch match;
        if (!std::regex_search(line, match, include_line)) continue;
        const std::string reason = objection(file, resolve(root, entry.path(), match[1]), match[1], order);
        if (!reason.empty()) {
          out.push_back(file.string() + ":" + std::to_string(number) + ": includes " + match[1].str() + ": " + reason);
        }
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(IncludeArrows, RepositoryKeepsThem) {
  ASSERT_TRUE(fs::exists(fs::path(NEPHRON_SOURCE_DIR) / "sdk/include/nephron/plugin.hpp"));
  EXPECT_THAT(crossings(NEPHRON_SOURCE_DIR), testing::IsEmpty());
}

// A small repository made for one test.
class PlantedTree : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("arrows-" + std::to_string(::getpid()));
    plant("docs/architecture.md", "| `host/plugins/` | finds them |\n| `host/train/` | trains |\n");
    plant("sdk/include/nephron/loss.hpp", "#pragma once\n#include <ATen/core/Tensor.h>\n");
    plant("host/plugins/registry.hpp", "#pragma once\n#include <nephron/loss.hpp>\n");
    plant("host/train/train.cpp", "#include \"host/plugins/registry.hpp\"\n#include \"../plugins/registry.hpp\"\n");
    plant("plugins/losses/focal/focal.hpp", "#include <nephron/loss.hpp>\n");
    plant("plugins/losses/focal/focal.cpp", "#include \"focal.hpp\"\n#include <vector>\n");
    plant("plugins/losses/focal/focal_test.cpp", "#include \"host/plugins/registry.hpp\"\n");
  }
  void TearDown() override { fs::remove_all(root_); }
  void plant(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void expect_one(const std::string& start) {
    EXPECT_THAT(crossings(root_), testing::ElementsAre(testing::StartsWith(start)));
  }
  fs::path root_;
};

TEST_F(PlantedTree, GoodOneIsAccepted) { EXPECT_THAT(crossings(root_), testing::IsEmpty()); }

TEST_F(PlantedTree, PluginIncludingHost) {
  plant("plugins/losses/focal/focal.cpp", "#include <nephron/loss.hpp>\n  #  include \"host/plugins/registry.hpp\"\n");
  expect_one("plugins/losses/focal/focal.cpp:2: includes host/plugins/registry.hpp: a plugin includes only the SDK");
}

TEST_F(PlantedTree, PluginIncludingHostByWayOfParents) {
  plant("plugins/losses/focal/focal.cpp", "#include \"../../../host/plugins/registry.hpp\"\n");
  expect_one("plugins/losses/focal/focal.cpp:1: ");
}

TEST_F(PlantedTree, PluginIncludingAHostHeaderThatIsNotThere) {
  plant("plugins/losses/focal/focal.cpp", "#include <host/nowhere.hpp>\n");
  expect_one("plugins/losses/focal/focal.cpp:1: ");
}

TEST_F(PlantedTree, PluginIncludingAnother) {
  plant("plugins/losses/dice/dice.cpp", "#include \"../focal/focal.hpp\"\n");
  expect_one("plugins/losses/dice/dice.cpp:1: includes ../focal/focal.hpp: a plugin includes no other plugin");
}

TEST_F(PlantedTree, TestOfAPluginIncludingAnotherPlugin) {
  plant("plugins/losses/dice/dice_test.cpp", "#include \"plugins/losses/focal/focal.hpp\"\n");
  expect_one("plugins/losses/dice/dice_test.cpp:1: ");
}

TEST_F(PlantedTree, HostIncludingPlugin) {
  plant("host/train/train.cpp", "#include \"plugins/losses/focal/focal.hpp\"\n");
  expect_one("host/train/train.cpp:1: includes plugins/losses/focal/focal.hpp: host/ depends on sdk/ alone");
}

TEST_F(PlantedTree, HostFolderIncludingALaterOne) {
  plant("host/plugins/library.cpp", "#include <host/train/session.hpp>\n");
  expect_one("host/plugins/library.cpp:1: includes host/train/session.hpp: host/train comes after host/plugins");
}

TEST_F(PlantedTree, HostFolderThatNobodyPlaced) {
  plant("host/zoo/zoo.cpp", "#include <host/plugins/registry.hpp>\n");
  expect_one("host/zoo/zoo.cpp:1: includes host/plugins/registry.hpp: host/zoo has no row");
}

TEST_F(PlantedTree, SdkIncludingHost) {
  plant("sdk/src/keys.cpp", "#include \"host/plugins/registry.hpp\"\n");
  expect_one("sdk/src/keys.cpp:1: includes host/plugins/registry.hpp: sdk/ knows neither");
}

TEST_F(PlantedTree, SdkIncludingPlugin) {
  plant("sdk/include/nephron/loss.hpp", "#include \"../../../plugins/losses/focal/focal.hpp\"\n");
  expect_one("sdk/include/nephron/loss.hpp:1: ");
}

TEST_F(PlantedTree, SdkHeaderIncludingALibraryThatMustNotCross) {
  plant("sdk/include/nephron/log.hpp", "#include <spdlog/spdlog.h>\n");
  expect_one("sdk/include/nephron/log.hpp:1: includes spdlog/spdlog.h: only SDK types");
}

}  // namespace
