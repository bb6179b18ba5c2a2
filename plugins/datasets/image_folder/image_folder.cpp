#include <algorithm>
#include <map>
#include <string>

#include <nephron/dataset.hpp>
#include <nephron/dataset_check.hpp>
#include <nephron/ignored.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/mask_files.hpp>
#include <nephron/name_pattern.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/parameter_error.hpp>
#include <nephron/picture_cv.hpp>

#include "mask_coding.hpp"
#include "pairs.hpp"

namespace image_folder {

namespace fs = std::filesystem;
using nephron::decode_picture;
using nephron::Error;
using nephron::picture_size;
using nephron::PictureAs;
using nephron::PictureSlide;
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
  std::vector<std::string> ignore;
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
    describe_ignore(s, &Params::ignore);
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
    nephron::NamePattern(donor, "donor");
    nephron::NamePattern(group, "group");
  }
};

namespace {

constexpr const char* mask_extensions[] = {".png", ".tif", ".tiff", ".jpg", ".jpeg",
                                           ".PNG", ".TIF", ".TIFF", ".JPG", ".JPEG"};

nephron::ImageView view_of(const cv::Mat& labels) {
  const nephron::Depth depth = nephron::label_depth(8 * static_cast<int>(labels.elemSize()));
  return {labels.data, labels.cols, labels.rows, 1, depth, static_cast<std::ptrdiff_t>(labels.step[0])};
}

std::string text(nephron::Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

}  // namespace

class ImageFolder final : public nephron::Dataset,
                          public nephron::MaskFiles,
                          public nephron::ParameterCheck,
                          public nephron::DatasetCheck {
 public:
  explicit ImageFolder(const Params& params)
      : params_(params), donor_(params.donor, "donor"), group_(params.group, "group") {
    const auto has = [](const nephron::Value& v) { return !v.is(nephron::Value::Type::null); };
    coding_.by = has(params.values)    ? MaskCoding::By::values
                 : has(params.colours) ? MaskCoding::By::colours
                                       : MaskCoding::By::nonzero;
    coding_.codes = MaskCoding::parse(has(params.values) ? params.values : params.colours, coding_.by);
    coding_.nonzero_class = params.nonzero;
    coding_.tolerance = params.tolerance;
    coding_.ignore_unknown = params.ignore_unknown;
    coding_.ignored = params.ignore;
  }

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    coding_.check_classes(classes);
    std::vector<SlideInfo> out;
    for (const auto& [name, pair] : Pairs::of(places()).pairs) {
      SlideInfo info;
      info.id = name;
      info.source = pair.picture;
      if (!pair.mask.empty()) info.annotations = {pair.mask};
      info.mpp = params_.mpp;
      info.donor = donor_.of(name);
      info.group = group_.of(name);
      try {
        info.size = picture_size(pair.picture);
      } catch (const Error&) {  // open() says what is wrong, of this slide alone
      }
      out.push_back(std::move(info));
    }
    if (out.empty()) throw Error(places().pictures.string() + " holds no .png, .jpg, .jpeg, .tif or .tiff file");
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const SlideInfo& slide) const override {
    return std::make_unique<PictureSlide>(decode_picture(slide.source, PictureAs::rgb, most_pixels()), slide.id);
  }

  bool annotated(const SlideInfo& slide) const override { return !slide.annotations.empty(); }

  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                nephron::AnnotationSink& sink) const override {
    if (slide.annotations.empty()) return;
    const fs::path& file = slide.annotations.front();
    const cv::Mat mask = decode_picture(file, PictureAs::stored, most_pixels());
    const nephron::Size size = picture_size(slide.source);
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
    give(decode_picture(file, PictureAs::stored, most_pixels()), file, classes, sink);
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    const std::string hint =
        "expected " + (places().pictures / "NAME.png").string() + " with its mask " + places().mask_pattern();
    std::error_code unknown;
    if (!fs::is_directory(params_.root, unknown)) faults.require_folder("root", params_.root, hint);
    else faults.require_folder("images", places().pictures, hint);
    coding_.check_classes(classes, faults);
  }

  void check_files(const std::vector<std::string>& classes, nephron::DatasetFindings& findings) const override {
    const Pairs pairs = Pairs::of(places());
    const auto without = pairs.without_mask();
    if (!without.empty())
      findings.note(counted(without.size(), pairs.pairs.size(), "picture") + " no mask, and " +
                    (without.size() == 1 ? "is" : "are") + " not trained on: " + nephron::names_of(without) +
                    "; looked for " + places().mask_pattern());
    if (!pairs.lone_masks.empty()) {
      const std::string suffix = pairs.likely_suffix();
      findings.finding(counted(pairs.lone_masks.size(), 0, "mask") +
                       " no picture: " + nephron::names_of(pairs.lone_masks) + " in " + places().masks.string() + "; " +
                       (suffix.empty() ? "a mask's name is its picture's" +
                                             (params_.mask_suffix.empty() ? "" : " and \"" + params_.mask_suffix + "\"")
                                       : "mask_suffix = \"" + params_.mask_suffix + suffix + "\" pairs them"));
    }
    check_coding(pairs, classes, findings);
  }

 private:
  /// "3 of 10 pictures have"; "1 mask has".
  static std::string counted(std::size_t n, std::size_t of, const std::string& what) {
    const std::size_t named = of > 0 ? of : n;
    return std::to_string(n) + (of > 0 ? " of " + std::to_string(of) : "") + " " + what + (named == 1 ? "" : "s") +
           (n == 1 ? " has" : " have");
  }

  /// What the names of files and classes tell of masks that will be misread.
  void check_coding(const Pairs& pairs, const std::vector<std::string>& classes,
                    nephron::DatasetFindings& findings) const {
    const std::vector<std::string> silent = coding_.classes_without_code(classes);
    if (!silent.empty() && params_.nonzero.empty())
      findings.note(coding_.by == MaskCoding::By::nonzero
                        ? "whatever is not black in a mask is \"" + classes.front() + "\", and nothing is " +
                              nephron::names_of(silent) + ": values or colours tell classes apart"
                        : std::string(coding_.by == MaskCoding::By::values ? "values" : "colours") +
                              " has no code of " + nephron::names_of(silent) + ", so that masks never have it");
    std::vector<std::string> lossy;
    for (const auto& [name, pair] : pairs.pairs)
      if (nephron::is_jpeg(pair.mask)) lossy.push_back(pair.mask.filename().string());
    if (!lossy.empty() && params_.tolerance == 0)
      findings.note(counted(lossy.size(), 0, "mask") + " lossy compression (JPEG): " + nephron::names_of(lossy) +
                    "; edges are blurred, and without tolerance = 50 or so every speck of noise is a label");
  }

  void give(const cv::Mat& mask, const fs::path& file, const std::vector<std::string>& classes,
            nephron::AnnotationSink& sink) const {
    MaskCoding::Labels labels;
    try {
      labels = coding_.labels(mask, classes);
    } catch (const nephron::ParameterError& e) {
      throw nephron::ParameterError(file.string() + ": " + e.what(), e.hint());
    } catch (const Error& e) {
      throw Error(file.string() + ": " + e.what(), e.hint());
    }
    const nephron::Region all{0, 0, mask.cols, mask.rows};
    sink.mask(all, view_of(labels.bits));
    if (!labels.ignored.empty()) sink.ignore(all, view_of(labels.ignored));
  }

  std::int64_t most_pixels() const { return params_.most_megapixels << 20; }

  Places places() const { return {params_.root / params_.images, params_.root / params_.masks, params_.mask_suffix}; }

  Params params_;
  nephron::NamePattern donor_, group_;
  MaskCoding coding_;
};

NEPHRON_PLUGIN("image_folder", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, ImageFolder, "image_folder",
                  "Pairs of images and masks in two folders: PNG, JPEG or TIFF, masks coded by value or colour")

}  // namespace image_folder
