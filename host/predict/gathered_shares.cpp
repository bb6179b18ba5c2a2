#include <host/predict/gathered_shares.hpp>

#include <algorithm>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/predict/output_lock.hpp>
#include <host/predict/scores.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

fs::path folder_of_shares(const fs::path& out) { return out / "shares"; }

/// What a share has left: its folder is a prediction's, but for files that are moved already.
struct LeftShare {
  fs::path folder;
  std::unique_ptr<OutputLock> lock;
  Json facts;
  Scores scores;
};

std::vector<LeftShare> left_shares(const OutputFolder& output) {
  std::vector<fs::path> folders;
  std::error_code none;
  for (fs::directory_iterator entry(folder_of_shares(output.folder()), none), end; !none && entry != end;
       entry.increment(none))
    if (fs::exists(entry->path() / output.facts().filename())) folders.push_back(entry->path());
  std::sort(folders.begin(), folders.end());
  std::vector<LeftShare> out;
  for (const fs::path& folder : folders) {
    LeftShare share;
    share.folder = folder;
    share.lock = std::make_unique<OutputLock>(folder);
    share.facts = JsonNode::read(folder / output.facts().filename(), "Predict this share again.").raw();
    share.scores = read_scores(folder / output.scores().filename());
    out.push_back(std::move(share));
  }
  return out;
}

/// Pictures that were predicted in different ways are no prediction.
void require_alike(const LeftShare& share, const Json& first, const fs::path& of_first) {
  for (const char* const key : {"settings", "classes", "save", "images", "masks", "masks_as", "dataset"})
    if (share.facts.value(key, Json()) != first.value(key, Json()))
      throw Error(
          share.folder.string() + " was predicted with other " + key + " than " + of_first.string(),
          "Give all shares one command, with nothing but --share different; remove the folder of the wrong one.");
}

void move_files(const LeftShare& share, const fs::path& to) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(share.folder)) {
    const fs::path name = entry.path().lexically_relative(share.folder);
    // Files of all pictures are made anew, and rows of one that is under way belong to whoever makes them.
    if (entry.is_regular_file() && name.has_parent_path() && *name.begin() != "partial") files.push_back(name);
  }
  for (const fs::path& name : files) {
    std::error_code failed;
    fs::create_directories((to / name).parent_path(), failed);
    fs::rename(share.folder / name, to / name, failed);
    if (failed) throw WriteError("cannot move " + (share.folder / name).string() + ": " + failed.message());
  }
}

/// One that stands in its place already counts with them.
Scores merged(const OutputFolder& output, const std::vector<LeftShare>& shares) {
  Scores out = read_scores(output.scores());
  for (const LeftShare& share : shares) {
    out.classes = share.scores.classes;
    for (const auto& [id, score] : share.scores.pictures)
      if (fs::exists(output.picture(id))) out.pictures.insert_or_assign(id, score);
  }
  return out;
}

}  // namespace

fs::path share_folder(const fs::path& out, const WorkShare& share) {
  return folder_of_shares(out) / (std::to_string(share.number) + "-of-" + std::to_string(share.count));
}

std::map<std::string, std::string> gather_shares(const OutputFolder& output) {
  std::vector<LeftShare> shares = left_shares(output);
  const bool begun = fs::exists(output.facts());
  if (shares.empty() && !begun)
    throw Error("no share of a prediction is in " + folder_of_shares(output.folder()).string(),
                "nephron predict RUN ... --out " + output.folder().string() + " --share 1/4 makes the first of four.");
  if (shares.empty()) return {};
  const Json first = begun ? JsonNode::read(output.facts()).raw() : shares.front().facts;
  for (const LeftShare& share : shares) require_alike(share, first, begun ? output.folder() : shares.front().folder);
  // First: it says that the folder is a prediction's, whenever this is killed.
  if (!begun) write_file_atomically(output.facts(), first.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  std::map<std::string, std::string> failures;
  for (const LeftShare& share : shares) {
    move_files(share, output.folder());
    failures.insert(share.scores.failures.begin(), share.scores.failures.end());
  }
  Scores scores = merged(output, shares);
  scores.failures = failures;
  write_scores(output.scores(), scores);
  std::error_code ignored;
  for (LeftShare& share : shares) {
    share.lock.reset();
    fs::remove_all(share.folder, ignored);
  }
  fs::remove(folder_of_shares(output.folder()), ignored);  // where it is empty
  return failures;
}

}  // namespace nephron::host
