#include <host/plugins/project.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <thread>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/plugins/elf_records.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/pages.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

bool on_path(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty() && ::access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  return false;
}

/// CMake's own default is make, which a machine that builds nephron need not have.
std::string generator() {
  if (on_path("ninja")) return "Ninja";
  if (on_path("make")) return "Unix Makefiles";
  throw Error("neither ninja nor make is on PATH", "on Debian: apt-get install ninja-build");
}

void run(std::vector<std::string> command, const std::string& step) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int failed = ::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ); failed != 0)
    throw Error("cannot run " + command[0] + ": " + std::strerror(failed));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (interrupted()) throw Cancelled();
  if (status != 0)
    throw Error(step + " failed; what CMake and the compiler said stands above",
                page("plugins.md") + " says what a plugin's project holds");
}

/// CMake's lists and the build files that it writes take these for their own, and fail far from the cause.
void require_plain_path(const fs::path& folder) {
  const std::string path = fs::absolute(folder).string();
  const std::size_t at = path.find_first_of(";$\"\\\n");
  if (at == std::string::npos) return;
  const std::string what = path[at] == '\n' ? "a line break" : "\"" + path.substr(at, 1) + "\"";
  throw UsageError("CMake cannot build in a folder with " + what + " in its path: " + path,
                   "rename the folder, or build a copy of it elsewhere");
}

/// The plugins of a build folder. Throws Error when there is none, with what is wrong with the library that there is.
std::vector<fs::path> plugins_in(const fs::path& build) {
  std::vector<fs::path> plugins;
  std::string reason, hint = "CMakeLists.txt makes one with nephron_add_plugin(NAME source...)";
  for (const auto& entry : fs::directory_iterator(build)) {
    if (entry.path().extension() != ".so" || !entry.is_regular_file()) continue;
    try {
      read_records(entry.path());
      plugins.push_back(entry.path());
    } catch (const Error& e) {  // some other library of the project
      reason = std::string(": ") + e.what(), hint = e.hint();
    }
  }
  if (plugins.empty()) throw Error(build.string() + " holds no plugin after the build" + reason, hint);
  std::sort(plugins.begin(), plugins.end());
  return plugins;
}

}  // namespace

std::vector<fs::path> build_plugin_project(const fs::path& folder) {
  if (!fs::exists(folder / "CMakeLists.txt"))
    throw Error(folder.string() + " has no CMakeLists.txt", "nephron plugins new KIND NAME writes a whole project");
  require_plain_path(folder);
  if (!on_path("cmake")) throw Error("cmake is not on PATH", "on Debian: apt-get install cmake ninja-build g++");
  const fs::path build = folder / "build";
  std::vector<std::string> configure{"cmake", "-S",           folder.string(),
                                     "-B",    build.string(), "-DCMAKE_PREFIX_PATH=" + package_root().string()};
  if (!fs::exists(build / "CMakeCache.txt")) configure.insert(configure.end(), {"-G", generator()});
  run(std::move(configure), "configuring " + folder.string());
  const unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  run({"cmake", "--build", build.string(), "-j", std::to_string(jobs)}, "building " + folder.string());
  return plugins_in(build);
}

}  // namespace nephron::host
