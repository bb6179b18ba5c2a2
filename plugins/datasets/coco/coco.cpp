#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nephron/dataset.hpp>
#include <nephron/dataset_check.hpp>
#include <nephron/ignored.hpp>
#include <nephron/name_pattern.hpp>
#include <nephron/object_classes.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/picture_cv.hpp>
#include <nephron/slide_files.hpp>
#include <nephron/target_rules.hpp>

#include "coco_file.hpp"

namespace coco {

namespace fs = std::filesystem;
using nephron::Error;
using nephron::SlideInfo;

struct Params {
  fs::path root;
  std::string images = "images";
  std::string file = "annotations.json";
  std::vector<nephron::ObjectRule> objects;
  std::vector<std::string> ignore;
  std::vector<nephron::TargetRule> targets;
  bool crowds = true;
  bool negatives = true;
  std::string donor;
  std::string donor_key;
  std::string group;
  double mpp = 0;
  std::int64_t most_megapixels = 400;

  static void describe(nephron::Schema<Params>& s) {
    s.field("root", &Params::root, "folder that images and file are looked for in").required();
    s.field("images", &Params::images, "folder that every file_name begins in: .png, .jpg, .jpeg, .tif, .tiff");
    s.field("file", &Params::file, "COCO file of instances");
    s.field("objects", &Params::objects,
            "classes of the categories: [{ name = \"glomerulus\", class = \"healthy\" }]; empty: a category is the "
            "class of its name");
    describe_ignore(s, &Params::ignore);
    s.field("targets", &Params::targets, "how labels become targets; without it as they are drawn");
    s.field("crowds", &Params::crowds, "areas of many objects (iscrowd) are labels like others; false: left out");
    s.field("negatives", &Params::negatives,
            "a listed image without annotations is background to learn from; false: it is not annotated");
    s.field("donor", &Params::donor, "regular expression on the id; its first bracket is the donor");
    s.field("donor_key", &Params::donor_key, "what the entries of images call the donor, such as \"patient_id\"");
    s.field("group", &Params::group, "regular expression on the id; its first bracket is the sampling group");
    s.field("mpp", &Params::mpp, "size of a pixel; 0: unknown").at_least(0).unit("um");
    s.field("most_megapixels", &Params::most_megapixels, "larger pictures are refused before memory is taken")
        .range(1, 1024)
        .unit("Mpx");
  }

  void validate() const {
    nephron::NamePattern(donor, "donor");
    nephron::NamePattern(group, "group");
    if (!donor.empty() && !donor_key.empty()) throw Error("donor and donor_key exclude each other");
  }
};

namespace {

const std::vector<std::string> endings{".png", ".jpg", ".jpeg", ".tif", ".tiff"};

std::string text(nephron::Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

/// The entries of a file, by the ids of their slides too.
struct Listing {
  std::vector<Entry> entries;
  std::map<std::string, const Entry*> by_slide;
};

}  // namespace

class Coco final : public nephron::Dataset, public nephron::ParameterCheck, public nephron::DatasetCheck {
 public:
  explicit Coco(const Params& params) : params_(params), donor_(params.donor, "donor"), group_(params.group, "group") {}

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    const nephron::ObjectClasses rules = object_classes(classes);
    targets(classes);  // says what is wrong before any work
    std::vector<SlideInfo> out;
    for (const Entry& entry : listing().entries) {
      for (const Area& area : entry.areas) rules.of(area.category, area.place);
      SlideInfo info;
      info.id = entry.slide;
      info.source = entry.file_name.empty() ? pictures() : pictures() / entry.file_name;
      info.annotations = {file()};
      info.mpp = params_.mpp;
      info.donor = params_.donor_key.empty() ? donor_.of(entry.slide) : entry.donor;
      info.group = group_.of(entry.slide);
      try {
        info.size = nephron::picture_size(info.source);
      } catch (const Error&) {  // open() says what is wrong, of this slide alone
      }
      out.push_back(std::move(info));
    }
    if (out.empty()) throw Error(file().string() + ": \"images\" lists no image");
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const SlideInfo& slide) const override {
    const Entry& entry = usable(slide);
    std::error_code unknown;
    if (!fs::exists(slide.source, unknown))
      throw Error(entry.place + ": its picture " + slide.source.string() + " is not there",
                  "get the picture, or take the entry out of the file");
    const auto most_pixels = params_.most_megapixels << 20;
    return std::make_unique<nephron::PictureSlide>(
        nephron::decode_picture(slide.source, nephron::PictureAs::rgb, most_pixels), slide.id);
  }

  bool annotated(const SlideInfo& slide) const override {
    const Entry* entry = entry_of(slide);
    return params_.negatives || !entry->areas.empty() || !entry->fault.empty();
  }

  void annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                nephron::AnnotationSink& sink) const override {
    const Entry& entry = usable(slide);
    if (!annotated(slide)) return;
    const nephron::Size size = slide.size.empty() ? nephron::picture_size(slide.source) : slide.size;
    if (entry.size != size)
      throw Error(entry.place + " has " + text(entry.size) + " px, its picture " + slide.source.string() + " has " +
                  text(size) + "; expected equal sizes");
    const nephron::ObjectClasses rules = object_classes(classes);
    sink.runs(0, {}, /*column_major=*/true);  // an image without any object was looked at all the same
    for (const Area& area : entry.areas) {
      if (area.crowd && !params_.crowds) continue;
      for (const int c : rules.of(area.category, area.place)) {
        for (const nephron::Polygon& polygon : area.polygons) sink.polygon(c, polygon);
        if (!area.runs.empty()) sink.runs(c, area.runs, /*column_major=*/true);
      }
    }
  }

  std::vector<nephron::ChannelRule> targets(const std::vector<std::string>& classes) const override {
    return nephron::channel_rules(params_.targets, Dataset::targets(classes), classes);
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    const std::string hint = "expected pictures in " + pictures().string() + " and the COCO file " + file().string();
    std::error_code unknown;
    faults.require_folder("root", params_.root, hint);
    if (fs::is_directory(params_.root, unknown)) {
      faults.require_folder("images", pictures(), hint);
      if (!fs::is_regular_file(file(), unknown))
        faults.add("file", "\"file\" names what is no file: " + file().string(), hint);
    }
    const auto look = [&](const char* key, const auto& check) {
      try {
        check();
      } catch (const Error& e) {
        faults.add(key, e.what(), e.hint());
      }
    };
    look("objects", [&] { object_classes(classes); });
    look("targets", [&] { targets(classes); });
  }

  void check_files(const std::vector<std::string>&, nephron::DatasetFindings& findings) const override {
    std::map<fs::path, bool> listed;
    for (const Entry& entry : listing().entries)
      if (!entry.file_name.empty()) listed[(pictures() / entry.file_name).lexically_normal()] = false;
    std::vector<std::string> strangers, gone;
    for (const fs::path& picture : nephron::slide_files(pictures(), endings, /*below=*/true)) {
      const auto found = listed.find(picture.lexically_normal());
      if (found == listed.end()) strangers.push_back(picture.lexically_relative(pictures()).string());
      else found->second = true;
    }
    for (const auto& [path, there] : listed)
      if (std::error_code unknown; !there && !fs::exists(path, unknown))
        gone.push_back(path.lexically_relative(pictures().lexically_normal()).string());
    if (!gone.empty())
      findings.finding(counted(gone.size(), "entry has", "entries have") + " no picture: " + nephron::names_of(gone) +
                       " in " + pictures().string());
    if (!strangers.empty())
      findings.note(counted(strangers.size(), "picture has", "pictures have") + " no entry in " + file().string() +
                    ", and " + (strangers.size() == 1 ? "is" : "are") + " left out: " + nephron::names_of(strangers));
  }

 private:
  static std::string counted(std::size_t n, const char* one, const char* many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
  }

  fs::path pictures() const { return params_.root / params_.images; }
  fs::path file() const { return params_.root / params_.file; }

  /// Read once, when it is first needed.
  const Listing& listing() const {
    const std::lock_guard lock(mutex_);
    if (listing_ == nullptr) {
      auto made = std::make_unique<Listing>();
      made->entries = read_entries(file(), params_.donor_key);
      for (const Entry& entry : made->entries) made->by_slide[entry.slide] = &entry;
      listing_ = std::move(made);
    }
    return *listing_;
  }

  const Entry* entry_of(const SlideInfo& slide) const {
    const auto& known = listing().by_slide;
    const auto found = known.find(slide.id);
    if (found == known.end()) throw Error(file().string() + ": no image is called \"" + slide.id + "\"");
    return found->second;
  }

  const Entry& usable(const SlideInfo& slide) const {
    const Entry* entry = entry_of(slide);
    if (!entry->fault.empty()) throw Error(entry->fault);
    return *entry;
  }

  nephron::ObjectClasses object_classes(const std::vector<std::string>& classes) const {
    nephron::ObjectClasses out(params_.objects, classes);
    if (params_.objects.empty())
      for (std::size_t c = 0; c < classes.size(); ++c) out.add(classes[c], static_cast<int>(c));
    out.ignore(params_.ignore);
    return out;
  }

  Params params_;
  nephron::NamePattern donor_, group_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const Listing> listing_;
};

NEPHRON_PLUGIN("coco", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, Coco, "coco",
                  "A folder of pictures with one COCO file of instances: polygons and run lengths, categories by name")

}  // namespace coco
