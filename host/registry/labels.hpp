#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace nephron::host {

/// A line that a person wrote to a run.
struct RunNote {
  std::string text, user, at;
};

/// Tags and notes of a run: lines of RUN/labels.jsonl, and of a file of one's own where the run is another's.
struct RunLabels {
  std::set<std::string> tags;
  std::vector<RunNote> notes;  ///< in the order in which they were written, the run's own first
  std::string problem;         ///< of lines that are damaged, which are left out
};

/// The run's own file, and those in the user's data folder: by the run's place, and, where it has the name of one, by
/// that, which it keeps wherever it is moved. The last one is written to.
std::vector<std::filesystem::path> label_files(const std::filesystem::path& run);
/// Holds the latter.
std::filesystem::path own_label_folder();

RunLabels read_labels(const std::filesystem::path& run);

/// What is written down; each adds one line, whoever else adds one at that moment. Into the run's folder where that may
/// be written, else into the user's own. Gives back the file. Throws Error.
std::filesystem::path add_tag(const std::filesystem::path& run, const std::string& tag);
std::filesystem::path remove_tag(const std::filesystem::path& run, const std::string& tag);
std::filesystem::path add_note(const std::filesystem::path& run, const std::string& text);

}  // namespace nephron::host
