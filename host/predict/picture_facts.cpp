#include <host/predict/picture_facts.hpp>

#include <nlohmann/json.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

void write_picture_facts(const std::filesystem::path& file, const PictureFacts& facts) {
  const nlohmann::ordered_json json{{"size", {facts.size.width, facts.size.height}},
                                    {"mpp", facts.mpp},
                                    {"fingerprint", facts.fingerprint},
                                    {"reduction", facts.seen.reduction.value()},
                                    {"digest", facts.seen.digest},
                                    {"origin", nlohmann::ordered_json::parse(facts.origin)}};
  write_file_atomically(file, json.dump() + "\n");
}

namespace {
const char* const how = "Predict again with --overwrite.";
}

std::string read_origin(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const auto origin = JsonNode::read(file, how).find("origin");
  return origin ? origin->raw().dump() : std::string();
}

double read_mpp(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return 0;
  const auto mpp = JsonNode::read(file, how).find("mpp");
  return mpp ? mpp->number(0, 1e6) : 0;
}

std::optional<SeenPicture> read_seen(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const JsonNode json = JsonNode::read(file, how);
  const auto digest = json.find("digest");
  if (!digest) return std::nullopt;
  return SeenPicture{Reduction::of(json.at("reduction").number(1, Reduction::largest)), digest->text()};
}

}  // namespace nephron::host
