#include <host/cli/light/computing_program.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/pages.hpp>

namespace nephron::host {

namespace {
constexpr const char* not_whole =
    "This nephron is not whole: bin/ and libexec/ of one build belong together. Build it (./nephron build) or install "
    "it again.";

/// Threads of an OpenMP team spin for milliseconds where one waits for another. On a machine that is shared the other
/// one may have lost its core, at each of the thousand places of a step; who soon sleeps gives it a core. libgomp reads
/// this when it is loaded; docs/performance.md has what it costs and brings. A person's own choice stays.
void wait_asleep() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) ::setenv("GOMP_SPINCOUNT", "10000", /*overwrite=*/0);
}
}  // namespace

ComputingProgram::ComputingProgram() : folder_(package_root() / "libexec") {}

std::vector<ListedCommand> ComputingProgram::commands() const {
  const std::filesystem::path file = folder_ / "nephron-compute.commands";
  if (!std::filesystem::exists(file)) throw Error(file.string() + " is not there", not_whole);
  const JsonNode list = JsonNode::read(file, not_whole);
  std::vector<ListedCommand> out;
  for (const JsonNode& entry : list.items())
    out.push_back({entry.at("name").text(),
                   static_cast<int>(entry.at("order").integer(0, std::numeric_limits<int>::max())),
                   entry.at("doc").text(), entry.at("shown").boolean()});
  return out;
}

bool ComputingProgram::has_launcher() const { return ::access((folder_ / "launch").c_str(), X_OK) == 0; }

void ComputingProgram::become(char** argv) const {
  const std::filesystem::path file = folder_ / (has_launcher() ? "launch" : "nephron-compute");
  wait_asleep();
  ::execv(file.c_str(), argv);
  throw Error("cannot start " + file.string() + ": " + std::strerror(errno), not_whole);
}

}  // namespace nephron::host
