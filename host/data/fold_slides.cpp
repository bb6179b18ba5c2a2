#include <host/data/fold_slides.hpp>

#include <host/store/reduction.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

namespace {

std::vector<SlideEntry> side_of(const JsonNode& json) {
  std::vector<SlideEntry> out;
  for (const JsonNode& slide : json.items()) {
    SlideEntry& entry = out.emplace_back();
    entry.id = slide.at("id").text();
    if (entry.id.empty()) slide.refuse("has an empty id");
    for (const auto& [key, to] : {std::pair{"dataset", &entry.dataset}, std::pair{"donor", &entry.donor},
                                  std::pair{"picture", &entry.picture}, std::pair{"labels", &entry.labels}})
      if (const auto value = slide.find(key)) *to = value->text();
    if (const auto source = slide.find("source")) entry.source = source->text();
    if (const auto reduction = slide.find("reduction")) entry.reduction = reduction->number(1, Reduction::largest);
  }
  return out;
}

}  // namespace

FoldSlidesRecord read_fold_slides(const std::filesystem::path& file) {
  const JsonNode json =
      JsonNode::read(file, "Put it back from a copy of the run; a training writes it when it begins.");
  return {side_of(json.at("trained_on")), side_of(json.at("held_out"))};
}

}  // namespace nephron::host
