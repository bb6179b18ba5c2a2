#include <host/predict/predict_facts.hpp>

#include <utility>

#include <nlohmann/json.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path absolute_place(const fs::path& path) {
  return path.empty() ? fs::path() : fs::absolute(path).lexically_normal();
}

void write_predict_facts(const OutputFolder& output, const PredictRequest& request,
                         const std::vector<PictureFile>& pictures, const std::vector<std::unique_ptr<Member>>& members,
                         const std::vector<std::string>& save, const std::string& settings) {
  const auto place = [](const fs::path& path) { return absolute_place(path).string(); };
  Json slides = Json::object();
  for (const PictureFile& slide : pictures)
    if (request.images.empty()) slides[slide.id] = place(slide.file);
  Json facts{{"save", save},
             {"images", place(request.images)},
             {"slides", std::move(slides)},
             {"masks", place(request.masks)},
             {"masks_as", request.masks_as},
             {"dataset", request.dataset},
             {"classes", members.front()->experiment.classes},
             {"device", request.device}};
  if (const auto seen = trained_on_by(members)) facts["trained_on"] = *seen;
  facts["settings"] = Json::parse(settings);
  write_file_atomically(output.facts(), facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace nephron::host
