#include <algorithm>
#include <map>
#include <regex>

#include <nephron/dataset.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/mask_files.hpp>

#include "image_file.hpp"
#include "mask_coding.hpp"

namespace image_folder {

namespace fs = std::filesystem;
using nephron::Error;
using nephron::SlideInfo;

struct Params {
  fs::path root;
  std::string images = "images";
  std::string masks = "masks";
  std::string mask_suffix;
  nephron::Value values;
  nephron::Value colours;
  std::string nonzero;
  int tolerance = 0;
  bool ignore_unknown = false;
  std::string donor;
  std::string group;
  double mpp = 0;
  std::int64_t most_megapixels = 400;

  static void describe(nephron::Schema<Params>& s) {
    s.field("root", &Params::root, "folder that holds the folders of images and masks").required();
    s.field("images", &Params::images, "folder of the images under root: .png, .jpg, .jpeg, .tif, .tiff");
    s.field("masks", &Params::masks, "folder of the masks under root; an image without a mask is not annotated");
    s.field("mask_suffix", &Params::mask_suffix, "what a mask's name has behind its image's, such as \"_mask\"");
    s.field("values", &Params::values, "grey values of the classes: { healthy = 1, unhealthy = [2, 3] }");
    s.field("colours", &Params::colours,
            "colours of the classes: { healthy = [255, 0, 0] }; or a list of colours each");
    s.field(
        "nonzero", &Params::nonzero,
        "class of every pixel that is not black, where neither values nor colours are given; empty: the first class");
    s.field("tolerance", &Params::tolerance, "difference in any channel that still counts as equal (JPEG masks)")
        .range(0, 255);
    s.field("ignore_unknown", &Params::ignore_unknown, "take a pixel of no class as background instead of stopping");
    s.field("donor", &Params::donor,
            "regular expression on the file name without extension; its first group is the donor");
    s.field("group", &Params::group,
            "regular expression on the file name without extension; its first group is the "
            "sampling group");
    s.field("mpp", &Params::mpp, "size of a pixel; 0: unknown").at_least(0).unit("um");
    s.field("most_megapixels", &Params::most_megapixels, "larger pictures are refused before memory is taken")
        .range(1, 1024)
        .unit("Mpx");
  }

  void validate() const {
    if (!values.is(nephron::Value::Type::null) && !colours.is(nephron::Value::Type::null))
      throw Error("values and colours exclude each other: a mask is coded one way");
    MaskCoding::parse(values, MaskCoding::By::values);
    MaskCoding::parse(colours, MaskCoding::By::colours);
    compiled(donor, "donor");
    compiled(group, "group");
  }

  static std::regex compiled(const std::string& pattern, const char* key) {
    try {
      std::regex r(pattern);
      if (!pattern.empty() && r.mark_count() < 1)
        throw Error(std::string(key) + " = \"" + pattern + "\" has no group in brackets");
      return r;
    } catch (const std::regex_error& e) {
      throw Error(std::string(key) + " = \"" + pattern + "\" is no regular expression: " + e.what());
    }
  }
};

namespace {

constexpr const char* mask_extensions[] = {".png", ".tif", ".tiff", ".jpg", ".jpeg",
                                           ".PNG", ".TIF", ".TIFF", ".JPG", ".JPEG"};

std::string text(nephron::Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

/// Picture files of a folder by their names without extension.
std::map<std::string, fs::path> pictures_in(const fs::path& folder) {
  std::map<std::string, fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (extension != ".png" && extension != ".jpg" && extension != ".jpeg" && extension != ".tif" &&
        extension != ".tiff")
      continue;
    const auto [found, fresh] = out.emplace(entry.path().stem().string(), entry.path());
    if (!fresh)
      throw Error(entry.path().string() + " and " + found->second.string() +
                  " have one name; remove or rename one of them");
  }
  return out;
}

std::string first_group(const std::regex& pattern, const std::string& name) {
  std::smatch match;
  return std::regex_search(name, match, pattern) && match.size() > 1 ? match[1].str() : "";
}

/// The decoded picture.
class Picture final : public nephron::SlideReader {
 public:
  Picture(cv::Mat rgb, std::string id) : rgb_(std::move(rgb)), id_(std::move(id)) {}
  nephron::Size size() const noexcept override { return {rgb_.cols, rgb_.rows}; }
  void read(const nephron::Region& region, const nephron::ImageView& out) const override {
    if (region.empty() || region.clipped({0, 0, rgb_.cols, rgb_.rows}) != region)
      throw Error("slide \"" + id_ + "\": the region " + text(region.size()) + " at (" + std::to_string(region.x) +
                  ", " + std::to_string(region.y) + ") is not inside its " + text(size()) + " px");
    const nephron::ImageView all{rgb_.data, rgb_.cols,          rgb_.rows,
                                 3,         nephron::Depth::u8, static_cast<std::ptrdiff_t>(rgb_.step[0])};
    nephron::copy(all.crop(region), out);
  }

 private:
  cv::Mat rgb_;
  std::string id_;
};

}  // namespace

class ImageFolder final : public nephron::Dataset, public nephron::MaskFiles {
 public:
  explicit ImageFolder(const Params& params)
      : params_(params),
        donor_(Params::compiled(params.donor, "donor")),
        group_(Params::compiled(params.group, "group")) {
    const auto has = [](const nephron::Value& v) { return !v.is(nephron::Value::Type::null); };
    coding_.by = has(params.values)    ? MaskCoding::By::values
                 : has(params.colours) ? MaskCoding::By::colours
                                       : MaskCoding::By::nonzero;
    coding_.codes = MaskCoding::parse(has(params.values) ? params.values : params.colours, coding_.by);
    coding_.nonzero_class = params.nonzero;
    coding_.tolerance = params.tolerance;
    coding_.ignore_unknown = params.ignore_unknown;
  }

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    coding_.check_classes(classes);
    const fs::path folder = params_.root / params_.images;
    if (!fs::is_directory(folder))
      throw Error(folder.string() + " is not a folder; expected " +
                      (params_.root / params_.images / "NAME.png").string() + " with its mask " +
                      (params_.root / params_.masks / ("NAME" + params_.mask_suffix + ".png")).string(),
                  "set root, images and masks");
    std::vector<SlideInfo> out;
    for (const auto& [name, file] : pictures_in(folder)) {
      SlideInfo info;
      info.id = name;
      info.source = file;
      if (fs::path mask = mask_of(info); !mask.empty()) info.annotations = {std::move(mask)};
      info.mpp = params_.mpp;
      info.donor = first_group(donor_, name);
      info.group = first_group(group_, name);
      try {
        info.size = size_of(file);
      } catch (const Error&) {  // open() says what is wrong, of this slide alone
      }
      out.push_back(std::move(info));
    }
    if (out.empty()) throw Error(folder.string() + " holds no .png, .jpg, .jpeg, .tif or .tiff file");
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const SlideInfo& slide) const override {
    return std::make_unique<Picture>(decode(slide.source, As::rgb, most_pixels()), slide.id);
  }

  bool annotated(const SlideInfo& slide) const override { return !mask_of(slide).empty(); }

  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                nephron::AnnotationSink& sink) const override {
    const fs::path file = mask_of(slide);
    if (file.empty()) return;
    const cv::Mat mask = decode(file, As::stored, most_pixels());
    const nephron::Size size = size_of(slide.source);
    if (mask.cols != size.width || mask.rows != size.height)
      throw Error(file.string() + " has " + text({mask.cols, mask.rows}) + " px, its image " + slide.source.string() +
                  " has " + text(size) + "; expected equal sizes");
    give(mask, file, classes, sink);
  }

  std::vector<std::string> mask_names(const std::string& id) const override {
    std::vector<std::string> out;
    for (const char* extension : mask_extensions) out.push_back(id + params_.mask_suffix + extension);
    return out;
  }

  void read_mask(const fs::path& file, const std::vector<std::string>& classes,
                 nephron::AnnotationSink& sink) const override {
    coding_.check_classes(classes);
    give(decode(file, As::stored, most_pixels()), file, classes, sink);
  }

 private:
  std::int64_t most_pixels() const { return params_.most_megapixels << 20; }

  void give(const cv::Mat& mask, const fs::path& file, const std::vector<std::string>& classes,
            nephron::AnnotationSink& sink) const {
    cv::Mat bits;
    try {
      bits = coding_.labels(mask, classes);
    } catch (const Error& e) {
      throw Error(file.string() + ": " + e.what(), e.hint());
    }
    sink.mask({0, 0, bits.cols, bits.rows},
              {bits.data, bits.cols, bits.rows, 1, nephron::Depth::u8, static_cast<std::ptrdiff_t>(bits.step[0])});
  }

  /// "" when there is none.
  fs::path mask_of(const SlideInfo& slide) const {
    const fs::path folder = params_.root / params_.masks;
    for (const std::string& name : mask_names(slide.source.stem().string()))
      if (fs::path file = folder / name; fs::exists(file)) return file;
    return {};
  }

  Params params_;
  std::regex donor_, group_;
  MaskCoding coding_;
};

NEPHRON_PLUGIN("image_folder", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, ImageFolder, "image_folder",
                  "Pairs of images and masks in two folders: PNG, JPEG or TIFF, masks coded by value or colour")

}  // namespace image_folder
