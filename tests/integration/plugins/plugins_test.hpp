#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

// The whole program with plugins of tests/fixtures/plugins.
namespace nephron::test {

namespace fs = std::filesystem;

/// A plugin of tests/fixtures/plugins.
inline fs::path fixture(const std::string& name) {
  return fs::canonical(NEPHRON_BUILD_DIR "/fixtures/plugins") / (name + ".so");
}

struct Result {
  int code = 0;
  std::string output;
};

/// A folder of the test's own, with no plugins and no memory of trials.
class PluginsTest : public testing::Test {
 protected:
  PluginsTest() {
    fs::create_directories(root_);
    ::setenv("XDG_DATA_HOME", (root_ / "share").c_str(), 1);
    ::setenv("XDG_CACHE_HOME", (root_ / "cache").c_str(), 1);
    ::setenv("NEPHRON_PLUGIN_PATH", "", 1);
  }
  ~PluginsTest() override { fs::remove_all(root_); }

  /// Runs nephron; `stream`: "2>&1" for both outputs, "2>/dev/null" for stdout, "2>&1 >/dev/null" for stderr.
  static Result nephron(const std::string& arguments, const std::string& stream = "2>&1 >/dev/null") {
    Result r;
    FILE* pipe = ::popen((NEPHRON_BUILD_DIR "/bin/nephron " + arguments + " " + stream).c_str(), "r");
    if (pipe == nullptr) return {-1, "cannot run"};
    std::array<char, 4096> buffer;
    for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      r.output.append(buffer.data(), n);
    const int status = ::pclose(pipe);
    r.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return r;
  }

  static Result describe(const std::string& name, const fs::path& file, const std::string& kind = "augmentation") {
    return nephron("plugins describe " + kind + " " + name + " --plugin " + file.string());
  }

  /// The rows of `plugins check --json` as "check outcome: detail", those that passed left out.
  static std::vector<std::string> check(const fs::path& file, const std::string& more = "", int expected_code = 1) {
    const Result r = nephron("plugins check " + file.string() + " --json " + more, "2>/dev/null");
    EXPECT_EQ(r.code, expected_code) << r.output;
    const nlohmann::json out = nlohmann::json::parse(r.output, nullptr, false);
    EXPECT_TRUE(out.is_object()) << r.output;
    std::vector<std::string> rows;
    if (!out.is_object()) return rows;
    EXPECT_EQ(out["passed"].get<bool>(), expected_code == 0);
    for (const auto& row : out["checks"])
      if (row["outcome"] == "failed")
        rows.push_back(row["check"].get<std::string>() + ": " + row["detail"].get<std::string>());
    return rows;
  }

  fs::path root_ = fs::temp_directory_path() / ("nephron_plugins_" + std::to_string(::getpid()));
};

}  // namespace nephron::test
