#include <host/util/command_output.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISLNK(mode)) return "a link";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/// As far as it exists, with links followed.
fs::path real(const fs::path& path) {
  std::error_code failed;
  fs::path out = fs::weakly_canonical(fs::absolute(path), failed);
  if (failed) out = fs::absolute(path).lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

/// The store that holds the path, or empty. Stores made before there was a marker are known by a slide's files.
fs::path store_around(const fs::path& path) {
  std::error_code failed;
  for (fs::path folder = real(path); folder.has_relative_path(); folder = folder.parent_path())
    if (fs::exists(folder / store_marker, failed) ||
        (fs::exists(folder / "slide.json", failed) && fs::exists(folder / "picture.tiff", failed)))
      return folder;
  return {};
}

/// The run that holds the file, or empty.
fs::path run_around(const fs::path& file) {
  std::error_code failed;
  for (fs::path folder = real(file).parent_path(); folder.has_relative_path(); folder = folder.parent_path())
    if (fs::exists(folder / "experiment.resolved.toml", failed)) return folder;
  return {};
}

/// What a training alone writes into: the folder of a fold, and what lies below it.
bool is_in_fold(const fs::path& file, const fs::path& run) {
  const fs::path below = real(file).lexically_relative(run);
  return below.has_parent_path() && below.begin()->string().starts_with("fold-");
}

/// Pages and other results may lie in a run, beside what it is made of, and a page may be made again there.
void require_free_of_runs(const fs::path& file, bool exists) {
  const fs::path run = run_around(file);
  if (run.empty()) return;
  if (is_in_fold(file, run))
    throw Error(file.string() + " would lie in the folder of a fold of the run " + run.string() +
                    ", which training alone writes into",
                "name a place outside of it, such as " + (run / file.filename()).string());
  if (exists && !is_page(file))
    throw Error(file.string() + " is a file of the run " + run.string() + ", and is not replaced", "name another file");
}

void require_outside_of_stores(const fs::path& path) {
  if (const fs::path store = store_around(path); !store.empty())
    throw Error(path.string() + " lies in the store " + store.string() + ", which nephron alone writes into",
                "name a place outside of it");
}

/// Results may lie in a run, in a folder beside what it is made of, and not among that.
void require_apart_in_runs(const fs::path& folder) {
  const fs::path result = folder / "result", run = run_around(result);
  if (run.empty()) return;
  const std::string hint = "name another folder, such as " + (run / "results").string();
  if (is_in_fold(result, run))
    throw Error(folder.string() + " lies in the folder of a fold of the run " + run.string() +
                    ", which training alone writes into",
                hint);
  if (real(folder) == run)
    throw Error(folder.string() + " is the folder of a run: results would lie among what it is made of", hint);
}

/// Whether a path is the folder, or lies in it. What is made without a file has an empty one.
bool is_in(const fs::path& path, const fs::path& folder) {
  if (path.empty()) return false;
  const fs::path below = real(path).lexically_relative(real(folder));
  return !below.empty() && *below.begin() != "..";
}

/// That the folder of a file is one, or can be made.
void require_folder(const fs::path& folder, const fs::path& what) {
  fs::path there = folder;
  std::error_code failed;
  while (!fs::exists(there, failed) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, failed))
    throw Error(what.string() + " cannot be written: " + there.string() + " is no folder");
  if (::access(there.c_str(), W_OK) != 0)
    throw Error(what.string() + " cannot be written: " + there.string() + ": " + std::strerror(errno));
}

}  // namespace

void require_output(const fs::path& file, bool overwrite, const std::vector<fs::path>& inputs) {
  const std::string name = file.string();
  if (!file.has_filename()) throw Error("\"" + name + "\" names no file to write");
  struct stat there = {};
  const bool exists = ::lstat(file.c_str(), &there) == 0;
  if (!exists && errno != ENOENT && errno != ENOTDIR) throw Error("cannot write " + name + ": " + std::strerror(errno));
  if (exists && !S_ISREG(there.st_mode))
    throw Error(name + " is " + kind_of(there.st_mode) + "; a file is written, and in place of a file alone",
                "name another file");
  const auto is_file = [&](const fs::path& input) {
    std::error_code failed;
    return fs::equivalent(input, file, failed);
  };
  if (exists && std::any_of(inputs.begin(), inputs.end(), is_file))
    throw Error(name + " is what the command reads, and is not replaced", "name another file");
  require_outside_of_stores(file);
  require_free_of_runs(file, exists);
  if (exists && !overwrite) throw Error(name + " exists already", "--overwrite replaces it, or name another file");
  require_folder(real(file).parent_path(), file);
}

bool is_page(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".html" || ending == ".htm";
}

CommandOutput::CommandOutput(fs::path file, bool overwrite, std::vector<fs::path> inputs)
    : file_(std::move(file)), overwrite_(overwrite), inputs_(std::move(inputs)) {
  require_output(file_, overwrite_, inputs_);
}

void CommandOutput::require_none_of(const std::vector<fs::path>& inputs) {
  inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
  require_output(file_, overwrite_, inputs_);
}

void CommandOutput::prepare() const {
  require_output(file_, overwrite_, inputs_);
  std::error_code failed;
  const fs::path folder = fs::absolute(file_).parent_path();
  const bool is_new = fs::create_directories(folder, failed);
  if (failed) throw Error("cannot make the folder " + folder.string() + ": " + failed.message());
  // A mistyped name would be noticed nowhere else.
  if (is_new) log().info("made the folder " + folder.lexically_normal().string());
}

void CommandOutput::write(std::string_view bytes) const {
  prepare();
  write_file_atomically(file_, bytes);
}

void require_output_folder(const fs::path& folder, const std::vector<fs::path>& inputs,
                           const std::vector<fs::path>& parts) {
  require_outside_of_stores(folder);
  require_apart_in_runs(folder);
  std::error_code failed;
  if (fs::exists(folder, failed) && !fs::is_directory(folder, failed))
    throw Error(folder.string() + " is no folder", "name another");
  require_folder(real(folder), folder);
  for (const fs::path& part : parts)
    for (const fs::path& input : inputs)
      if (is_in(input, folder / part))
        throw Error(input.string() + " is read and would be written into: it lies in " +
                        (folder / part).lexically_normal().string(),
                    "name another folder to write into");
  for (const fs::path& input : inputs)
    if (fs::is_directory(input, failed) && is_in(folder, input))
      throw Error(folder.string() + (real(folder) == real(input) ? " is" : " lies in") +
                      " a folder that is read, and results would lie among what is in it: " + input.string(),
                  "name another folder to write into");
}

}  // namespace nephron::host
