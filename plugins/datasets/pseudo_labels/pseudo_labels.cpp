#include <algorithm>
#include <functional>
#include <memory>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <nephron/dataset.hpp>
#include <nephron/fold_rules.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/object_classes.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/quiet_libraries.hpp>
#include <nephron/slide_files.hpp>
#include <nephron/target_rules.hpp>

#include "prediction.hpp"

namespace pseudo_labels {

namespace fs = std::filesystem;
using nephron::Error;
using nephron::SlideInfo;

struct Params {
  fs::path root;
  std::vector<fs::path> maps;
  std::string map_class;
  std::string label_class;
  bool hard = false;
  double threshold = 0.5;
  double cut = 0;
  bool allow_leak = false;
  std::vector<nephron::TargetRule> targets;
  std::string group = "pseudo";
  std::string reader;

  static void describe(nephron::Schema<Params>& s) {
    s.field("root", &Params::root, "folder of the slides that were predicted").required();
    s.field("maps", &Params::maps, "folders of nephron predict: one for all folds, or one a fold in their order")
        .required();
    s.field("map_class", &Params::map_class, "class whose maps are taken; empty: the first that was predicted");
    s.field("label_class", &Params::label_class, "class of the experiment that they label; empty: the first");
    s.field("hard", &Params::hard, "labels are 1 where the probability reaches `threshold`; otherwise the probability");
    s.field("threshold", &Params::threshold, "of hard labels").range(0, 1);
    s.field("cut", &Params::cut, "smaller probabilities count as 0").range(0, 1);
    s.field("allow_leak", &Params::allow_leak,
            "warn, in place of refusing, when the maps come of networks that saw the slides of the validation");
    s.field("targets", &Params::targets,
            "how labels become targets; without it the label stands in every channel, and only that of label_class has "
            "weight");
    s.field("group", &Params::group, "sampling group; empty: the dataset's name");
    s.field("reader", &Params::reader, "name of the reader that opens the slides; empty: the best");
  }
  void validate() const {
    if (maps.empty()) throw Error("maps is empty; expected at least one folder that nephron predict wrote");
  }
};

namespace {
const std::vector<std::string> endings{".ome.tiff", ".ome.tif", ".tiff", ".tif", ".svs"};
}

class PseudoLabels final : public nephron::Dataset, public nephron::FoldRules, public nephron::ParameterCheck {
 public:
  PseudoLabels(const Params& params, nephron::Context& context) : params_(params), context_(context) {}

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    targets(classes);
    if (!fs::is_directory(params_.root))
      throw Error(
          params_.root.string() + " is not a folder; expected the slides that were predicted: ID.tiff or ID.svs",
          "correct root");
    std::vector<SlideInfo> out;
    for (std::size_t k = 0; k < params_.maps.size(); ++k) {
      const Prediction prediction(params_.maps[k]);
      const std::string map_class = class_of(prediction);
      for (const fs::path& file : nephron::slide_files(params_.root, endings)) {
        SlideInfo info;
        const std::string name = nephron::slide_id(file, endings);
        const fs::path map = prediction.map(map_class, name);
        if (!fs::exists(map)) continue;
        info.id = several() ? name + "@fold" + std::to_string(k) : name;
        info.source = file;
        info.group = params_.group;
        // The slide too: another one under its name no longer fits the map, and stored labels would not show it.
        info.annotations = {map, prediction.picture(name), prediction.folder() / "predict.json", file};
        nephron::read_header(info, context_.slides(), params_.reader);
        out.push_back(std::move(info));
      }
    }
    if (out.empty())
      throw Error("no slide of " + params_.root.string() + " has a map in " + params_.maps.front().string() +
                      "; expected probabilities/CLASS/ID.png or ID.tif for slides ID.tiff or ID.svs",
                  "predict these slides, or correct root and maps");
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const SlideInfo& slide) const override {
    return context_.slides().open(slide.source, params_.reader);
  }
  bool annotated(const SlideInfo&) const override { return true; }

  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                nephron::AnnotationSink& sink) const override {
    const Prediction prediction(params_.maps[static_cast<std::size_t>(std::max(0, only_fold(slide)))]);
    const std::string name = nephron::slide_id(slide.source, endings);
    const auto reader = open(slide);
    prediction.require_same(name, *reader);
    const fs::path file = prediction.map(class_of(prediction), name);
    const MapRows map = file.extension() == ".tif" ? tiff_rows(file) : png_rows(file);
    const nephron::Size size = reader->size();
    if (map.size != size)
      throw Error(file.string() + " has " + std::to_string(map.size.width) + " x " + std::to_string(map.size.height) +
                  " px, its slide " + slide.source.string() + " has " + std::to_string(size.width) + " x " +
                  std::to_string(size.height) + "; expected equal sizes");
    give(map, label_class(classes), sink);
  }

  std::vector<nephron::ChannelRule> targets(const std::vector<std::string>& classes) const override {
    const int label = label_class(classes);
    std::vector<nephron::ChannelRule> rules;
    for (int c = 0; c < static_cast<int>(classes.size()); ++c)
      rules.push_back({1U << label, 0, c == label ? 1.0F : 0.0F});
    return nephron::channel_rules(params_.targets, std::move(rules), classes);
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    faults.require_folder("root", params_.root, "expected the slides that were predicted: ID.tiff or ID.svs");
    for (const fs::path& maps : params_.maps)
      faults.require_folder("maps", maps, "expected a folder that nephron predict wrote");
    try {
      targets(classes);
    } catch (const Error& e) {
      faults.add("targets", e.what(), e.hint());
    }
  }

  int only_fold(const SlideInfo& slide) const override {
    const std::size_t at = slide.id.rfind("@fold");
    return several() && at != std::string::npos ? std::stoi(slide.id.substr(at + 5)) : -1;
  }

  void require_unseen(int fold, const std::vector<SlideInfo>& held_out) const override {
    const std::size_t k = several() ? static_cast<std::size_t>(fold) : 0;
    if (k >= params_.maps.size())
      throw Error("maps has " + std::to_string(params_.maps.size()) + " folders, but fold " + std::to_string(fold) +
                      " is trained; expected one folder, or one a fold",
                  "predict with that fold's network too");
    const Prediction prediction(params_.maps[k]);
    const auto& seen = prediction.trained_on();
    std::string both;
    for (const SlideInfo& slide : held_out)
      if (std::find(seen.begin(), seen.end(), slide.id) != seen.end())
        both += (both.empty() ? "\"" : ", \"") + slide.id + "\"";
    if (both.empty()) return;
    const std::string what = "the maps in " + prediction.folder().string() + " come of networks that were trained on " +
                             both + ", which fold " + std::to_string(fold) +
                             " is validated on: its Dice would be too good";
    if (!params_.allow_leak)
      throw Error(what, "predict with the network of the same fold (nephron predict RUN --fold " +
                            std::to_string(fold) + "), one folder a fold in maps, or say allow_leak = true");
    context_.log().warning(what);
  }

 private:
  bool several() const { return params_.maps.size() > 1; }
  std::string class_of(const Prediction& p) const {
    if (!params_.map_class.empty()) return params_.map_class;
    if (p.classes().empty()) throw Error(p.folder().string() + " holds maps of no class");
    return p.classes().front();
  }
  int label_class(const std::vector<std::string>& classes) const {
    return params_.label_class.empty() ? 0 : nephron::class_number(params_.label_class, classes);
  }

  /// A map that is read in rows: bytes, 255 is 1.
  struct MapRows {
    nephron::Size size;
    std::function<nephron::Image(std::int64_t y, std::int64_t height)> read;
  };

  static MapRows png_rows(const fs::path& file) {
    const nephron::QuietLibraries quiet;
    const cv::Mat map = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
    if (map.empty() || map.type() != CV_8UC1)
      throw Error(file.string() + " is no picture of 8-bit probabilities; expected what nephron predict writes");
    return {{map.cols, map.rows}, [map](std::int64_t y, std::int64_t height) {
              nephron::Image out({map.cols, height}, 1);
              map.rowRange(static_cast<int>(y), static_cast<int>(y + height)).copyTo(nephron::as_mat(out.view()));
              return out;
            }};
  }

  /// A large map is a slide of grey pixels, which readers give as RGB.
  MapRows tiff_rows(const fs::path& file) const {
    const std::shared_ptr<const nephron::SlideFile> map = context_.slides().open(file);
    if (map->header().channels != 1 || map->header().depth != nephron::Depth::u8)
      throw Error(file.string() + " is no map of 8-bit probabilities; expected what nephron predict writes",
                  "predict with --maps tiff or png");
    return {map->size(), [map](std::int64_t y, std::int64_t height) {
              const std::int64_t width = map->size().width;
              nephron::Image colours({width, height}, 3), out({width, height}, 1);
              map->read({0, y, width, height}, colours.view());
              cv::extractChannel(nephron::as_mat(colours.view()), nephron::as_mat(out.view()), 0);
              return out;
            }};
  }

  /// In bands, so that no second map of the whole slide is held.
  void give(const MapRows& map, int label, nephron::AnnotationSink& sink) const {
    constexpr std::int64_t most = 256;
    const double cut = params_.cut * 255, threshold = params_.threshold * 255;
    for (std::int64_t y = 0; y < map.size.height; y += most) {
      const std::int64_t rows = std::min(most, map.size.height - y);
      const nephron::Region region{0, y, map.size.width, rows};
      const nephron::Image bytes = map.read(y, rows);
      const nephron::Depth depth = params_.hard ? nephron::label_depth(label + 1) : nephron::Depth::f32;
      const nephron::Image band(region.size(), 1, depth);
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::uint8_t* from = bytes.view().row<const std::uint8_t>(row);
        for (std::int64_t x = 0; x < map.size.width; ++x) {
          const bool counts = from[x] >= cut;
          if (params_.hard)
            nephron::with_label_type(depth, [&](auto zero) {
              band.view().row<decltype(zero)>(row)[x] =
                  static_cast<decltype(zero)>(counts && from[x] >= threshold ? 1U << label : 0U);
            });
          else band.view().row<float>(row)[x] = counts ? static_cast<float>(from[x]) / 255.0F : 0.0F;
        }
      }
      if (params_.hard) sink.mask(region, band.view());
      else sink.probability(label, region, band.view());
    }
  }

  Params params_;
  nephron::Context& context_;
};

NEPHRON_PLUGIN("pseudo_labels", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, PseudoLabels, "pseudo_labels",
                  "Probability maps of an earlier run as labels, kept apart from the slides that it is validated on")

}  // namespace pseudo_labels
