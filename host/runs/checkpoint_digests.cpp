#include <host/runs/checkpoint_digests.hpp>

#include <set>
#include <sstream>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 16;  // of a few lines

constexpr const char* what_helps =
    "Put the step's folder back from a copy of the run, or take another checkpoint (--checkpoint best, last).";

/// "" where nothing is noted. Throws Error for a note that says nothing of the file.
std::string noted_digest(const fs::path& file) {
  const fs::path note = file.parent_path() / checkpoint_digests_name;
  std::error_code none;
  if (!fs::exists(note, none)) return {};
  std::istringstream lines(read_file(note, most_bytes));
  for (std::string digest, name; lines >> digest >> name;)
    if (name == file.filename().string()) return digest;
  throw Error(note.string() + " is damaged: it says nothing of " + file.filename().string(), what_helps);
}

void compare(const fs::path& file, const std::string& noted, const std::string& is) {
  if (noted != is)
    throw Error(file.string() + " is damaged or was replaced: it is not the file that training wrote (its SHA-256 is " +
                    is + "; " + checkpoint_digests_name + " beside it says " + noted + ")",
                what_helps);
}

}  // namespace

void write_checkpoint_digests(const fs::path& folder) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") files.insert(entry.path());
  std::string text;
  for (const fs::path& file : files) text += sha256_of(file) + "  " + file.filename().string() + "\n";
  write_file_atomically(folder / checkpoint_digests_name, text);
}

void require_as_written(const fs::path& file) {
  if (const std::string noted = noted_digest(file); !noted.empty()) compare(file, noted, sha256_of(file));
}

void require_as_written(const fs::path& file, const std::string& sha256) {
  if (const std::string noted = noted_digest(file); !noted.empty()) compare(file, noted, sha256);
}

}  // namespace nephron::host
