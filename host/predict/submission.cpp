#include <host/predict/submission.hpp>

#include <string>

#include <host/util/csv_field.hpp>
#include <host/util/files.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

void write_submission(const OutputFolder& output, const std::vector<PictureFile>& pictures) {
  std::string text = "id,predicted\n";
  for (const PictureFile& picture : pictures) {
    const std::filesystem::path file = output.runs(0, picture.id);
    std::string runs;
    if (std::filesystem::exists(file)) runs = read_file(file);
    else log().warning("submission.csv has no runs of \"" + picture.id + "\", which was not predicted");
    while (!runs.empty() && runs.back() == '\n') runs.pop_back();
    text += csv_field(picture.id) + "," + runs + "\n";
  }
  write_file_atomically(output.submission(), text);
}

}  // namespace nephron::host
