#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace nephron::host {

/// The file that makes a folder a store of prepared slides.
constexpr const char* store_marker = "nephron-store.json";

/// Whether a file's name ends in .html or .htm, in whichever letters: a page and not a picture.
bool is_page(const std::filesystem::path& file);

/// The rule for every file that a command writes because a person named it: what exists is refused unless --overwrite
/// was given; and even then it is never anything but a regular file, never one of the command's inputs, never a file of
/// a store or of a fold of a run. Throws Error that says what was found and what to do.
void require_output(const std::filesystem::path& file, bool overwrite,
                    const std::vector<std::filesystem::path>& inputs);

/// Such a file.
class CommandOutput {
 public:
  /// Checks the rule now, before long work begins.
  CommandOutput(std::filesystem::path file, bool overwrite, std::vector<std::filesystem::path> inputs = {});

  const std::filesystem::path& path() const noexcept { return file_; }
  /// Inputs that became known later.
  void require_none_of(const std::vector<std::filesystem::path>& inputs);
  /// Checks again, makes the folder where it is missing, and writes atomically.
  void write(std::string_view bytes) const;
  /// The same for writers that stream into a file of their own beside it and rename that: call it before.
  void prepare() const;

 private:
  std::filesystem::path file_;
  bool overwrite_;
  std::vector<std::filesystem::path> inputs_;
};

/// Throws Error for a folder to write into that lies in a store or a fold, is a run or no folder, is (in) one of the
/// `inputs` (files or folders), or would hold some of them in one of the `parts` that are written below it.
void require_output_folder(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& inputs,
                           const std::vector<std::filesystem::path>& parts = {"."});

}  // namespace nephron::host
