#include <host/view/view_routes.hpp>

#include <algorithm>
#include <charconv>
#include <thread>

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/util/log.hpp>
#include <host/view/page_files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* json_type = "application/json; charset=utf-8";
constexpr int jpeg_quality = 87;

HttpReply not_found() { return {404, "text/plain; charset=utf-8", "There is nothing of this name.\n"}; }

HttpReply json_reply(const Json& json, int status = 200) {
  return {
      status, json_type, json.dump(-1, ' ', false, Json::error_handler_t::replace), {{"Cache-Control", "no-store"}}};
}

HttpReply error_reply(const Error& e, int status = 500) {
  return json_reply({{"error", e.what()}, {"hint", e.hint()}}, status);
}

/// "tiles", 0, 3, 1, 2 of "tiles/0/3/1/2"; a part that is no number from 0 on makes it nothing.
struct Route {
  std::string name;
  std::vector<std::int64_t> numbers;
  bool good = true;

  explicit Route(const std::string& path) {
    std::size_t at = path.find('/');
    name = path.substr(0, at);
    while (at != std::string::npos) {
      const std::size_t end = path.find('/', ++at);
      const char* const first = path.data() + at;
      const char* const last = path.data() + (end == std::string::npos ? path.size() : end);
      std::int64_t number = -1;
      const auto [stopped, failed] = std::from_chars(first, last, number);
      good = good && failed == std::errc() && stopped == last && number >= 0 && *first != '+';
      numbers.push_back(number);
      at = end;
    }
  }
  bool is(const char* wanted, std::size_t count) const { return good && name == wanted && numbers.size() == count; }
};

std::shared_ptr<const std::string> encoded(const Image& picture, bool jpeg) {
  cv::Mat pixels = as_mat(picture.view());
  if (jpeg) cv::cvtColor(pixels, pixels, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  const std::vector<int> options = jpeg ? std::vector<int>{cv::IMWRITE_JPEG_QUALITY, jpeg_quality}
                                        : std::vector<int>{cv::IMWRITE_PNG_COMPRESSION, 2};
  cv::imencode(jpeg ? ".jpg" : ".png", pixels, bytes, options);
  return std::make_shared<const std::string>(bytes.begin(), bytes.end());
}

/// Tiles of a file do not change while the program runs, and the token makes their address its own.
HttpReply picture_reply(const std::string& bytes, const char* type, bool whole) {
  return {200, type, bytes, {{"Cache-Control", whole ? "private, max-age=86400" : "no-store"}}};
}

std::string joined(const char* what, std::size_t s, const std::vector<std::int64_t>& numbers) {
  std::string out = what + std::to_string(s);
  for (const std::int64_t n : numbers) out += "/" + std::to_string(n);
  return out;
}

const char* name_of(ViewLayer::Kind kind) {
  return kind == ViewLayer::Kind::truth ? "truth" : kind == ViewLayer::Kind::prediction ? "prediction" : "submission";
}

std::vector<fs::path> inputs_of(const Collected& collected) {
  std::vector<fs::path> out;
  for (const ViewSlide& slide : collected.slides)
    if (!slide.source.empty()) out.push_back(slide.source);
  for (const auto& layer : collected.layers) {
    const auto files = layer->files();
    out.insert(out.end(), files.begin(), files.end());
  }
  return out;
}

}  // namespace

ViewRoutes::ViewRoutes(Collected collected, fs::path drawings, double mpp, Limits limits)
    : collected_(std::move(collected)),
      drawings_(std::move(drawings), inputs_of(collected_)),
      mpp_(mpp),
      working_(limits.working > 0 ? limits.working : std::max(2U, std::thread::hardware_concurrency())),
      tracing_(1),
      pictures_(limits.pictures),
      tiles_(limits.tiles),
      maps_(limits.maps),
      objects_(limits.objects) {}

HttpReply ViewRoutes::answer(const HttpRequest& request) {
  const Route route(request.path);
  const auto& n = route.numbers;
  const auto s = n.empty() ? std::size_t{0} : static_cast<std::size_t>(n.front());
  const bool slide_there = !n.empty() && s < collected_.slides.size();
  const Stop& stop = request.gone;
  try {
    if (request.method == "PUT") return route.is("drawing", 1) && slide_there ? save_drawing(s, request) : not_found();
    if (route.is("session", 0)) return session();
    if (!slide_there) return page(request.path);
    if (route.is("slides", 1)) return slide(s, stop);
    if (route.is("tiles", 4)) return tile(s, n, stop);
    if (route.is("maps", 6)) return map_tile(s, n, stop);
    if (route.is("objects", 2)) return objects(s, static_cast<std::size_t>(n[1]), stop);
    if (route.is("drawing", 1)) return drawing(s, stop);
    return not_found();
  } catch (const Cancelled&) {
    throw;
  } catch (const AnnotationFolder::Conflict& e) {
    return error_reply(e, 409);
  } catch (const Error& e) {
    return error_reply(e);
  }
}

HttpReply ViewRoutes::page(const std::string& name) const {
  const std::string wanted = name.empty() ? "index.html" : name;
  const auto bytes = page_file(wanted);
  if (!bytes) return not_found();
  return {200, std::string(media_type(wanted)), std::string(*bytes), {{"Cache-Control", "no-cache"}}};
}

HttpReply ViewRoutes::session() const {
  Json out{{"slides", Json::array()}, {"layers", Json::array()}, {"classes", collected_.classes}};
  for (const ViewSlide& slide : collected_.slides)
    out["slides"].push_back({{"id", slide.id}, {"place", slide.place}, {"picture", static_cast<bool>(slide.open)}});
  for (const auto& layer : collected_.layers)
    out["layers"].push_back({{"name", layer->name()}, {"kind", name_of(layer->kind())}});
  out["problems"] = collected_.problems;
  out["drawings"] = drawings_.folder().string();
  return json_reply(out);
}

HttpReply ViewRoutes::slide(std::size_t s, const Stop& stop) {
  const ViewSlide& slide = collected_.slides[s];
  const auto picture = this->picture(s, stop);
  const Size size = picture->grid().slide();
  const double mpp = slide.mpp > 0 ? slide.mpp : picture->header().mpp > 0 ? picture->header().mpp : mpp_;
  Json out{{"id", slide.id},
           {"place", slide.place},
           {"width", size.width},
           {"height", size.height},
           {"deepest", picture->grid().deepest()},
           {"format", picture->header().format}};
  out["mpp"] = mpp > 0 ? Json(mpp) : Json(nullptr);
  out["overview"] = picture->overview_share();
  out["overview_depth"] = picture->overview_depth();
  out["layers"] = Json::array();
  for (const auto& layer : collected_.layers) {
    Json one{{"objects", layer->knows(slide.id)}, {"maps", Json::array()}};
    for (const ViewLayer::Map& map : layer->maps(slide.id)) one["maps"].push_back(map.class_name);
    out["layers"].push_back(std::move(one));
  }
  return json_reply(out);
}

std::shared_ptr<const SlidePicture> ViewRoutes::picture(std::size_t s, const Stop& stop) {
  const ViewSlide& slide = collected_.slides[s];
  if (!slide.open) throw Error("the slide \"" + slide.id + "\" is not there: " + slide.place);
  return pictures_.get(std::to_string(s), stop, [&]() -> BoundedCache<SlidePicture>::Made {
    const auto file = slide.open();
    const auto made = std::make_shared<const SlidePicture>(file);
    // Formats that are decoded whole hold their pixels, and so does an overview.
    const SlideHeader& header = file->header();
    const bool held = header.tile.empty() || header.tile == file->size();
    const std::int64_t pixels = held                                               ? file->size().area()
                                : made->overview_depth() <= made->grid().deepest() ? 1 << 26
                                                                                   : 0;
    return {made, static_cast<std::size_t>(3 * pixels) + (std::size_t{1} << 20)};
  });
}

HttpReply ViewRoutes::tile(std::size_t s, const std::vector<std::int64_t>& place, const Stop& stop) {
  const auto picture = this->picture(s, stop);
  const auto where = picture->grid().place(place[1], place[2], place[3]);
  if (!where) return not_found();
  bool whole = true;
  const auto bytes = tiles_.get(joined("t", s, place), stop, [&]() -> BoundedCache<std::string>::Made {
    const auto slot = working_.take(stop);
    const SlidePicture::Tile made = picture->tile(static_cast<int>(place[1]), *where, stop);
    whole = made.whole;
    auto jpeg = encoded(made.pixels, true);
    const std::size_t size = jpeg->size();
    return {std::move(jpeg), size, whole};
  });
  return picture_reply(*bytes, "image/jpeg", whole);
}

std::shared_ptr<const GreyMap> ViewRoutes::map(const fs::path& file, const Stop& stop) {
  return maps_.get(file.string(), stop, [&]() -> BoundedCache<GreyMap>::Made {
    auto made = open_grey_map(file, stop);
    const std::size_t bytes = made->held_bytes();
    return {std::move(made), bytes};
  });
}

HttpReply ViewRoutes::map_tile(std::size_t s, const std::vector<std::int64_t>& numbers, const Stop& stop) {
  const auto layer = static_cast<std::size_t>(numbers[1]), which = static_cast<std::size_t>(numbers[2]);
  if (layer >= collected_.layers.size()) return not_found();
  const auto files = collected_.layers[layer]->maps(collected_.slides[s].id);
  if (which >= files.size()) return not_found();
  const auto picture = this->picture(s, stop);
  const auto where = picture->grid().place(numbers[3], numbers[4], numbers[5]);
  if (!where) return not_found();
  const auto bytes = tiles_.get(joined("m", s, numbers), stop, [&]() -> BoundedCache<std::string>::Made {
    const auto slot = working_.take(stop);
    auto png = encoded(
        grey_part(*map(files[which].file, stop), picture->grid().slide(), where->region, where->size, stop), false);
    const std::size_t size = png->size();
    return {std::move(png), size};
  });
  return picture_reply(*bytes, "image/png", true);
}

std::shared_ptr<const ObjectSet> ViewRoutes::truth_of(std::size_t s, const Stop& stop) {
  if (collected_.layers.empty() || collected_.layers.front()->kind() != ViewLayer::Kind::truth ||
      !collected_.layers.front()->knows(collected_.slides[s].id))
    return nullptr;
  try {
    return set_of(s, 0, stop);
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& e) {
    log().debug(std::string("no overlap with the truth is told: ") + e.what());
    return nullptr;
  }
}

std::shared_ptr<const ObjectSet> ViewRoutes::set_of(std::size_t s, std::size_t which, const Stop& stop) {
  const std::string& id = collected_.slides[s].id;
  const ViewLayer& layer = *collected_.layers[which];
  return objects_.get(joined("o", s, {static_cast<std::int64_t>(which)}), stop, [&]() -> BoundedCache<ObjectSet>::Made {
    const auto truth = layer.kind() == ViewLayer::Kind::truth ? nullptr : truth_of(s, stop);
    const auto slot = tracing_.take(stop);
    const Size size = picture(s, stop)->grid().slide();
    const Size full = collected_.slides[s].full;
    auto set = std::make_shared<ObjectSet>(object_set(layer.labels(id, full.empty() ? size : full, stop), size, stop));
    const auto maps = layer.maps(id);
    add_confidence(
        *set,
        [&](const std::string& name) -> std::shared_ptr<const GreyMap> {
          const auto found =
              std::find_if(maps.begin(), maps.end(), [&](const auto& m) { return m.class_name == name; });
          return found == maps.end() ? nullptr : map(found->file, stop);
        },
        stop);
    if (truth != nullptr) add_overlap(*set, *truth, stop);
    const std::size_t bytes = set->bytes();
    return {std::move(set), bytes};
  });
}

HttpReply ViewRoutes::objects(std::size_t s, std::size_t layer, const Stop& stop) {
  if (layer >= collected_.layers.size() || !collected_.layers[layer]->knows(collected_.slides[s].id))
    return not_found();
  return {200, json_type, json_of(*set_of(s, layer, stop)), {{"Cache-Control", "no-store"}}};
}

double ViewRoutes::drawing_scale(std::size_t s, const Stop& stop) {
  const Size full = collected_.slides[s].full, size = picture(s, stop)->grid().slide();
  return full.empty() ? 1.0 : static_cast<double>(full.width) / static_cast<double>(size.width);
}

HttpReply ViewRoutes::drawing(std::size_t s, const Stop& stop) {
  return {200,
          json_type,
          drawing_json(drawings_.read(collected_.slides[s].id), 1 / drawing_scale(s, stop)),
          {{"Cache-Control", "no-store"}}};
}

HttpReply ViewRoutes::save_drawing(std::size_t s, const HttpRequest& request) {
  const std::string& id = collected_.slides[s].id;
  const double scale = drawing_scale(s, request.gone);
  Drawing drawing;
  try {
    drawing = parse_drawing(request.body, scale);
  } catch (const Error& e) {
    return error_reply(e, 400);
  }
  const AnnotationFolder::Saved saved = drawings_.write(id, drawing, collected_.classes);
  return json_reply({{"version", saved.version}, {"features", saved.features}, {"file", drawings_.file(id).string()}});
}

}  // namespace nephron::host
