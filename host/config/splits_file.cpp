#include <host/config/splits_file.hpp>

#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

Splits::Slide read_slide(const JsonNode& node, int count) {
  Splits::Slide slide{node.at("id").text(), node.at("dataset").text(), node.at("donor").text(), -1};
  const JsonNode fold = node.at("fold");
  if (!fold.raw().is_null()) slide.fold = static_cast<int>(fold.integer(0, count - 1));
  return slide;
}

/// What is to be done about a damaged file. The folds of a run are not dealt anew: it would validate on slides that it
/// was trained on.
std::string hint_of(const std::filesystem::path& file) {
  const std::filesystem::path run = file.parent_path();
  std::error_code failed;
  if (!std::filesystem::exists(run / "experiment.resolved.toml", failed))
    return "nephron data split EXPERIMENT --out FILE writes such a file";
  return "It says which slides the run holds out, and nothing can stand in for it: put it back from a copy, or begin a "
         "new run with the weights of this one: nephron train EXP.toml --from " +
         shell_word(run.string());
}

}  // namespace

Splits read_splits(const std::filesystem::path& file) {
  const JsonNode json = JsonNode::read(file, hint_of(file));
  Splits out;
  out.count = static_cast<int>(json.at("count").integer(1, 100));
  out.by = json.at("by").text();
  if (out.by != "index" && out.by != "donor") json.at("by").refuse("is neither \"index\" nor \"donor\"");
  std::set<std::pair<std::string, std::string>> names;
  std::map<std::string, int> donors;
  for (const JsonNode& node : json.at("slides").items()) {
    const Splits::Slide slide = read_slide(node, out.count);
    if (!names.emplace(slide.dataset, slide.id).second)
      node.refuse("names slide \"" + slide.id + "\" of \"" + slide.dataset + "\" a second time");
    if (out.by == "donor" && slide.fold >= 0 && !slide.donor.empty()) {
      const auto [first, fresh] = donors.emplace(slide.donor, slide.fold);
      if (!fresh && first->second != slide.fold)
        node.refuse("puts donor \"" + slide.donor + "\" into fold " + std::to_string(slide.fold) +
                    ", another slide of the donor is in fold " + std::to_string(first->second) +
                    "; \"by\" says that donors are kept together");
    }
    out.slides.push_back(slide);
  }
  return out;
}

void write_splits(const std::filesystem::path& file, const Splits& splits) {
  Json slides = Json::array();
  for (const Splits::Slide& s : splits.slides)
    slides.push_back({{"id", s.id},
                      {"dataset", s.dataset},
                      {"donor", s.donor},
                      {"fold", s.fold >= 0 ? Json(s.fold) : Json(nullptr)}});
  const Json json{{"count", splits.count}, {"by", splits.by}, {"slides", std::move(slides)}};
  write_file_atomically(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace nephron::host
