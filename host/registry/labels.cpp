#include <host/registry/labels.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/plugins/search.hpp>
#include <host/runs/here_and_now.hpp>
#include <host/runs/run_folder_name.hpp>
#include <host/util/files.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_bytes = std::size_t{16} << 20;

void take_line(const Json& line, RunLabels& out) {
  const auto text = [&](const char* key) { return line.contains(key) ? line.at(key).get<std::string>() : ""; };
  if (line.contains("tag")) out.tags.insert(text("tag"));
  else if (line.contains("untag")) out.tags.erase(text("untag"));
  else if (line.contains("note")) out.notes.push_back({text("note"), text("user"), text("at")});
}

void read_file_of_labels(const fs::path& file, RunLabels& out) {
  std::error_code failed;
  if (!fs::exists(file, failed)) return;
  std::istringstream lines(read_file(file, most_bytes));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    const Json json = Json::parse(line, nullptr, false);
    try {
      if (!json.is_object()) throw Error("no object");
      take_line(json, out);
    } catch (const std::exception&) {
      if (out.problem.empty())
        out.problem = printable_name(file.string()) + ":" + std::to_string(number) +
                      " is no line of tags and notes, and is left out; remove it";
    }
  }
}

/// Appends in one write, which the kernel keeps apart from others'. What stands there may have been torn, so a line
/// begins with a line break where the file does not end in one.
int append(const fs::path& file, const std::string& line) {
  const int fd = ::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return errno;
  struct stat info = {};
  char last = '\n';
  if (::fstat(fd, &info) == 0 && info.st_size > 0 && ::pread(fd, &last, 1, info.st_size - 1) != 1) last = '\n';
  const std::string text = (last == '\n' ? "" : "\n") + line + "\n";
  const int failed = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
  ::close(fd);
  // Whoever looks at runs goes by the times of their folders.
  if (failed == 0) ::utimensat(AT_FDCWD, file.parent_path().c_str(), nullptr, 0);
  return failed;
}

fs::path write_line(const fs::path& run, const char* key, const std::string& text) {
  const Json json{{key, text}, {"user", user_name()}, {"at", time_text()}};
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  const fs::path own = label_files(run).front();
  const int failed = append(own, line);
  if (failed == 0) return own;
  if (failed != EACCES && failed != EROFS && failed != EPERM)
    throw Error("cannot write " + own.string() + ": " + std::strerror(failed));
  const fs::path folder = own_label_folder();
  if (folder.empty()) throw Error(own.string() + " may not be written, and there is no home folder to write to");
  const fs::path mine = label_files(run).back();
  fs::create_directories(folder);
  if (!fs::exists(mine)) append(mine, Json{{"run", run.string()}}.dump());
  if (const int why = append(mine, line); why != 0)
    throw Error("cannot write " + mine.string() + ": " + std::strerror(why));
  return mine;
}

void require_word(const std::string& tag) {
  const bool good = !tag.empty() && tag.size() <= 100 &&
                    std::none_of(tag.begin(), tag.end(), [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (!good)
    throw UsageError("\"" + printable_name(tag) + "\" is no tag: a word without blanks was expected",
                     "for more than a word there is: nephron runs note RUN \"TEXT\"");
}

}  // namespace

fs::path own_label_folder() {
  const fs::path data = user_data_folder();
  return data.empty() ? data : data / "labels";
}

std::vector<fs::path> label_files(const fs::path& run) {
  std::vector<fs::path> out{run / "labels.jsonl"};
  const fs::path folder = own_label_folder();
  if (folder.empty()) return out;
  const auto file_of = [&](const std::string& text) {
    return folder / (sha256_of_text(text).substr(0, 24) + ".jsonl");
  };
  // Of earlier versions, and of folders that are named as no run is.
  out.push_back(file_of(run.string()));
  // A run keeps its name wherever it is moved, or its disk is mounted.
  if (is_run_name(run.filename().string()))
    out.push_back(file_of((run.parent_path().filename() / run.filename()).string()));
  return out;
}

RunLabels read_labels(const fs::path& run) {
  RunLabels out;
  for (const fs::path& file : label_files(run)) try {
      read_file_of_labels(file, out);
    } catch (const Error& e) {
      if (out.problem.empty()) out.problem = printable_name(e.what());
    }
  return out;
}

fs::path add_tag(const fs::path& run, const std::string& tag) {
  require_word(tag);
  return write_line(run, "tag", tag);
}

fs::path remove_tag(const fs::path& run, const std::string& tag) {
  if (!read_labels(run).tags.contains(tag)) throw Error(run.string() + " has no tag \"" + printable_name(tag) + "\"");
  return write_line(run, "untag", tag);
}

fs::path add_note(const fs::path& run, const std::string& text) {
  if (text.empty()) throw UsageError("a note without words", "nephron runs note RUN \"TEXT\"");
  return write_line(run, "note", text);
}

}  // namespace nephron::host
