#include <host/predict/coco_of_all.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/partial_file.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

void write_coco_of_all(const OutputFolder& output, const std::vector<PictureFile>& pictures,
                       const std::vector<std::string>& classes, const std::string& origin) {
  PartialFile partial(output.coco_of_all());
  std::ofstream file(partial.path(), std::ios::binary);
  Json categories = Json::array(), images = Json::array();
  for (std::size_t c = 0; c < classes.size(); ++c) categories.push_back({{"id", c + 1}, {"name", classes[c]}});
  file << "{\"info\":" << origin << ",\n\"categories\":" << text_of(categories) << ",\n\"annotations\":[";
  std::size_t objects = 0;
  for (const PictureFile& picture : pictures) {
    if (!std::filesystem::exists(output.coco(picture.id))) continue;  // it failed, which is said elsewhere
    const JsonNode own = JsonNode::read(output.coco(picture.id), "Predict again with --overwrite.");
    Json image = own.at("images").items().at(0).raw();
    image["id"] = images.size() + 1;
    for (const Json& object : own.at("annotations").raw()) {
      Json annotation = object;
      annotation["id"] = ++objects;
      annotation["image_id"] = image["id"];
      file << (objects > 1 ? ",\n" : "\n") << text_of(annotation);
    }
    images.push_back(std::move(image));
    if (!file) break;
  }
  file << "],\n\"images\":" << text_of(images) << "}\n";
  file.close();
  if (!file) fail_to_write(partial.final_path(), errno);
  partial.keep();
}

}  // namespace nephron::host
