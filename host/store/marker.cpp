#include <host/store/marker.hpp>

#include <algorithm>
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

constexpr int marker_format = 2;
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

/// The version of a sound marker; 0: none at all, or a damaged one, which says nothing.
std::int64_t marked(const fs::path& store) {
  const fs::path file = store / store_marker;
  if (fs::symlink_status(file).type() != fs::file_type::regular) return 0;
  std::int64_t format = 0;
  try {
    format = JsonNode::read(file).at("format").integer(1, INT64_MAX);
  } catch (const Error&) {
    return 0;
  }
  if (format > marker_format)
    throw Error(store.string() + " is a store of version " + std::to_string(format) + "; this nephron knows version " +
                    std::to_string(marker_format),
                "use the nephron that made it, or name another folder in data.store");
  return format;
}

/// What a folder without a marker holds.
struct Found {
  int earlier = 0;          ///< slides of version 1
  int current = 0;          ///< pictures and labels of this version
  bool unfinished = false;  ///< files of ours without a record yet
  std::string foreign;      ///< the first thing that is not ours
  std::string damaged;      ///< the first record that is none
};

void look_into(const fs::path& folder, Found& found) {
  bool record = false;
  Found other;
  for (const auto& file : entries_of(folder)) {
    const std::string name = file.path().filename().string();
    if (is_record_file(name) && file.symlink_status().type() == fs::file_type::regular) {
      record = true;
      if (is_sound_record(file.path(), read_file(file.path(), std::size_t{1} << 24)))
        ++(name == "slide.json" ? found.earlier : found.current);
      else if (found.damaged.empty()) found.damaged = file.path().string();
    } else if (is_store_file(name)) {
      other.unfinished = true;
    } else if (other.foreign.empty()) {
      other.foreign = file.path().string();
    }
  }
  if (record) return;
  found.unfinished = found.unfinished || other.unfinished;
  if (found.foreign.empty()) found.foreign = other.foreign;
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

StoreState store_state(const fs::path& store) {
  std::error_code failed;
  const fs::file_status there = fs::status(store, failed);
  if (there.type() == fs::file_type::not_found) return StoreState::none;
  if (!fs::is_directory(there)) throw Error(store.string() + " is no folder, so no store of slides", to_do);
  if (const std::int64_t version = marked(store); version > 0)
    return version == marker_format ? StoreState::current : StoreState::earlier;
  const Found found = look_through(store);
  if (!found.damaged.empty())
    throw Error(store.string() + " has no " + store_marker + " and is not known to be a store: " + found.damaged +
                    " is no record of nephron's",
                "where it is one, remove that file's folder; otherwise " + std::string(to_do));
  if (found.current > 0) return StoreState::current;
  if (found.earlier > 0) return StoreState::earlier;
  if (!found.foreign.empty())
    throw Error(store.string() + " is no store of slides: it has no " + store_marker + " and holds " + found.foreign,
                to_do);
  return found.unfinished ? StoreState::current : StoreState::none;
}

void claim_store(const fs::path& store) {
  store_state(store);
  if (marked(store) == marker_format) return;
  std::error_code failed;
  fs::create_directories(store, failed);
  if (failed)
    throw Error("cannot make the folder " + store.string() + ": " + failed.message(),
                "prepare the slides where the store can be written, or name another folder in data.store");
  const nlohmann::ordered_json marker{{"format", marker_format}, {"what", "slides prepared by nephron"}};
  write_file_atomically(store / store_marker, marker.dump(2) + "\n");
}

namespace {

/// "labels-" + a reduction, or, in version 1, the key of a list of classes.
bool is_part(std::string_view stem) {
  const auto of = [&](std::string_view what) {
    return stem.starts_with(what) && Reduction::parse(stem.substr(what.size())).has_value();
  };
  if (of("picture-") || of("labels-") || of("tissue-")) return true;
  constexpr std::string_view labels = "labels-";
  constexpr std::size_t key = 8;
  return stem.starts_with(labels) && stem.size() == labels.size() + key &&
         stem.find_first_not_of("0123456789abcdef", labels.size()) == std::string_view::npos;
}

/// Without what a file is called while it is written: picture-2.tiff.part.PID, picture-2.json.tmp.PID.N.
std::string_view finished_name(std::string_view name) {
  for (const std::string_view mark : {".part.", ".tmp."})
    if (const std::size_t at = name.find(mark);
        at != std::string_view::npos && at + mark.size() < name.size() &&
        name.find_first_not_of("0123456789.", at + mark.size()) == std::string_view::npos)
      return name.substr(0, at);
  return name;
}

}  // namespace

bool is_store_file(const std::string& whole) {
  const std::string_view name = finished_name(whole);
  if (whole == ".lock" || name == "picture.tiff" || name == "tissue.png" || name == "slide.json") return true;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || !is_part(name.substr(0, dot))) return false;
  const std::string_view ending = name.substr(dot);
  return name.starts_with("tissue-") ? ending == ".png" : ending == ".tiff" || ending == ".json";
}

bool is_record_file(const std::string& name) {
  return is_store_file(name) && name.ends_with(".json") &&
         (name == "slide.json" || name.starts_with("picture-") ||
          (name.starts_with("labels-") && Reduction::parse(name.substr(7, name.size() - 12)).has_value()));
}

bool is_sound_record(const fs::path& file, const std::string& text) try {
  const std::string name = file.filename().string();
  if (name == "slide.json") return is_record_of_version_1(text);
  if (name.starts_with("picture-")) PictureRecord::parse(text, file);
  else LabelsRecord::parse(text, file);
  return true;
} catch (const Error&) {
  return false;
}

}  // namespace nephron::host
