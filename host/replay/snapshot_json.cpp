#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/replay/snapshot.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/own_file.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr int format = 1;
constexpr std::size_t most_entries = 100000;

Json with_object(Json out, const ObjectName& object) {
  out["sha256"] = object.sha256;
  out["bytes"] = object.bytes;
  return out;
}

Json torch_json(const TorchLibrary& torch) {
  Json out{{"build", torch.build}};
  if (!torch.file.empty())
    out.update({{"file", torch.file.string()}, {"bytes", torch.bytes}, {"ends_sha256", torch.ends}});
  return out;
}

ObjectName object_of(const JsonNode& node) {
  ObjectName out{node.at("sha256").text(), node.at("bytes").integer(0, std::numeric_limits<std::int64_t>::max())};
  if (!is_sha256(out.sha256)) node.at("sha256").refuse("is no SHA-256: 64 digits 0-9, a-f were expected");
  return out;
}

std::optional<ObjectName> object_of(const std::optional<JsonNode>& node) {
  if (!node) return std::nullopt;
  return object_of(*node);
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// A file name in one of these folders, so that nothing is written outside a tree, and nothing of it twice.
std::string place_of(const JsonNode& node, std::initializer_list<std::string_view> folders,
                     std::set<std::string>& seen) {
  const std::string place = node.text();
  const bool good = std::any_of(folders.begin(), folders.end(), [&](std::string_view folder) {
    return place.starts_with(folder) && is_plain_name(std::string_view(place).substr(folder.size()));
  });
  if (!good) node.refuse("is no place in a program's tree");
  if (!seen.insert(place).second) node.refuse("is there twice: \"" + place + "\"");
  return place;
}

std::vector<JsonNode> list_of(const JsonNode& root, const char* key) {
  std::vector<JsonNode> out = root.at(key).items();
  if (out.size() > most_entries) root.at(key).refuse("has more than " + std::to_string(most_entries) + " entries");
  return out;
}

TorchLibrary torch_of(const JsonNode& node) {
  TorchLibrary out;
  out.build = node.at("build").text();
  if (const auto file = node.find("file")) {
    out.file = file->text();
    out.bytes = node.at("bytes").integer(0, std::numeric_limits<std::int64_t>::max());
    out.ends = node.at("ends_sha256").text();
  }
  return out;
}

}  // namespace

std::string snapshot_text(const Snapshot& snapshot) {
  Json out{{"format", format}, {"made", snapshot.made}, {"user", snapshot.user}, {"host", snapshot.host}};
  if (snapshot.experiment) out["experiment"] = with_object(Json::object(), *snapshot.experiment);
  if (snapshot.splits) out["splits"] = with_object(Json::object(), *snapshot.splits);
  out["torch"] = torch_json(snapshot.torch);
  for (const char* list : {"weights", "program", "plugins"}) out[list] = Json::array();
  for (const SnapshotWeights& w : snapshot.weights)
    out["weights"].push_back(with_object({{"key", w.key}, {"file", w.file.string()}}, w.object));
  for (const SnapshotFile& f : snapshot.program)
    out["program"].push_back(with_object({{"place", f.place}, {"executable", f.executable}}, f.object));
  for (const SnapshotPlugin& p : snapshot.plugins)
    out["plugins"].push_back(
        with_object({{"plugin", p.plugin}, {"file", p.file.string()}, {"place", p.place}}, p.object));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_snapshot(const fs::path& file, const Snapshot& snapshot) { write_own_file(file, snapshot_text(snapshot)); }

Snapshot read_snapshot(const fs::path& file) {
  const JsonNode root =
      JsonNode::read(file, "It was written when the run began. Without it the run cannot be started again as it was.");
  if (root.at("format").integer(1, std::numeric_limits<int>::max()) != format)
    root.at("format").refuse("is one that this nephron does not know; a newer one wrote it");
  Snapshot out;
  out.made = root.at("made").text(), out.user = root.at("user").text(), out.host = root.at("host").text();
  out.experiment = object_of(root.find("experiment"));
  out.splits = object_of(root.find("splits"));
  out.torch = torch_of(root.at("torch"));
  for (const JsonNode& w : list_of(root, "weights"))
    out.weights.push_back({w.at("key").text(), w.at("file").text(), object_of(w)});
  std::set<std::string> seen;
  for (const JsonNode& f : list_of(root, "program"))
    out.program.push_back(
        {place_of(f.at("place"), {"bin/", "libexec/", "lib/"}, seen), object_of(f), f.at("executable").boolean()});
  for (const char* place : {"bin/nephron", "libexec/nephron-compute"})
    if (!seen.contains(place)) root.at("program").refuse(std::string("lacks ") + place);
  for (const JsonNode& p : list_of(root, "plugins"))
    out.plugins.push_back({p.at("plugin").text(), p.at("file").text(),
                           place_of(p.at("place"), {"lib/nephron/plugins/"}, seen), object_of(p)});
  return out;
}

}  // namespace nephron::host
