#include <host/store/marker.hpp>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/store/record.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr int marker_format = 1;
constexpr const char* to_do = "name an empty or a new folder in data.store";

/// Entries by name; links are told from what they point to.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> out;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) out.push_back(*it);
  if (failed) throw Error("cannot look into " + folder.string() + ": " + failed.message());
  std::sort(out.begin(), out.end());
  return out;
}

bool is_folder(const fs::directory_entry& entry) { return entry.symlink_status().type() == fs::file_type::directory; }

/// True for a sound marker; none at all, or a damaged one, says nothing.
bool marked(const fs::path& store) {
  const fs::path file = store / store_marker;
  if (fs::symlink_status(file).type() != fs::file_type::regular) return false;
  std::int64_t format = 0;
  try {
    format = JsonNode::read(file).at("format").integer(1, INT64_MAX);
  } catch (const Error&) {
    return false;
  }
  if (format != marker_format)
    throw Error(store.string() + " is a store of version " + std::to_string(format) + "; this nephron knows version " +
                    std::to_string(marker_format),
                "use the nephron that made it, or name another folder in data.store");
  return true;
}

/// What a folder without a marker holds.
struct Found {
  int slides = 0;           ///< with a record of ours
  bool unfinished = false;  ///< files of ours without a record yet
  std::string foreign;      ///< the first thing that is not ours
  std::string damaged;      ///< why the first slide.json is no record
};

void look_into(const fs::path& slide, Found& found) {
  const fs::path record = slide / "slide.json";
  if (fs::symlink_status(record).type() == fs::file_type::regular) {
    try {
      PictureRecord::read(record);
      ++found.slides;
    } catch (const Error& e) {
      if (found.damaged.empty()) found.damaged = e.what();
    }
    return;
  }
  for (const auto& file : entries_of(slide)) {
    if (is_store_file(file.path().filename().string())) found.unfinished = true;
    else if (found.foreign.empty()) found.foreign = file.path().string();
  }
}

Found look_through(const fs::path& store) {
  Found found;
  for (const auto& dataset : entries_of(store)) {
    if (dataset.path().filename().string().starts_with(store_marker)) continue;  // being written, or damaged
    if (!is_folder(dataset)) {
      if (found.foreign.empty()) found.foreign = dataset.path().string();
      continue;
    }
    for (const auto& slide : entries_of(dataset.path())) {
      if (is_folder(slide)) look_into(slide.path(), found);
      else if (found.foreign.empty()) found.foreign = slide.path().string();
    }
  }
  return found;
}

}  // namespace

bool is_store(const fs::path& store) {
  std::error_code failed;
  const fs::file_status there = fs::status(store, failed);
  if (there.type() == fs::file_type::not_found) return false;
  if (!fs::is_directory(there)) throw Error(store.string() + " is no folder, so no store of slides", to_do);
  if (marked(store)) return true;
  const Found found = look_through(store);
  if (!found.damaged.empty())
    throw Error(store.string() + " has no " + store_marker + " and is not known to be a store: " + found.damaged,
                "where it is one, remove the folder of that slide; otherwise " + std::string(to_do));
  if (!found.foreign.empty() && found.slides == 0)
    throw Error(store.string() + " is no store of slides: it has no " + store_marker + " and holds " + found.foreign,
                to_do);
  return found.slides > 0 || found.unfinished;
}

void claim_store(const fs::path& store) {
  is_store(store);
  if (marked(store)) return;
  std::error_code failed;
  fs::create_directories(store, failed);
  if (failed)
    throw Error("cannot make the folder " + store.string() + ": " + failed.message(),
                "prepare the slides where the store can be written, or name another folder in data.store");
  const nlohmann::ordered_json marker{{"format", marker_format}, {"what", "slides prepared by nephron"}};
  write_file_atomically(store / store_marker, marker.dump(2) + "\n");
}

bool is_store_file(const std::string& name) {
  const auto is = [&](const std::string& whole) {
    if (name == whole) return true;
    // picture.tiff.part.PID, slide.json.tmp.PID.N: of processes that were killed
    for (const std::string mark : {".part.", ".tmp."})
      if (name.starts_with(whole + mark) &&
          name.find_first_not_of("0123456789.", whole.size() + mark.size()) == std::string::npos)
        return true;
    return false;
  };
  if (is("picture.tiff") || is("tissue.png") || is("slide.json") || name == ".lock") return true;
  constexpr std::string_view labels = "labels-";
  constexpr std::size_t key = 8;
  if (!name.starts_with(labels) || name.size() < labels.size() + key) return false;
  const std::string stem = name.substr(0, labels.size() + key);
  const bool hex = stem.find_first_not_of("0123456789abcdef", labels.size()) == std::string::npos;
  return hex && (is(stem + ".tiff") || is(stem + ".json"));
}

}  // namespace nephron::host
