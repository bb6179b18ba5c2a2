#include <host/predict/submission.hpp>

#include <string>

#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

/// As CSV has it: quoted where it has to be.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

void write_submission(const OutputFolder& output, const std::vector<PictureFile>& pictures) {
  std::string text = "id,predicted\n";
  for (const PictureFile& picture : pictures) {
    const std::filesystem::path file = output.runs(0, picture.id);
    std::string runs;
    if (std::filesystem::exists(file)) runs = read_file(file);
    else log().warning("submission.csv has no runs of \"" + picture.id + "\", which was not predicted");
    while (!runs.empty() && runs.back() == '\n') runs.pop_back();
    text += field(picture.id) + "," + runs + "\n";
  }
  write_file_atomically(output.submission(), text);
}

}  // namespace nephron::host
