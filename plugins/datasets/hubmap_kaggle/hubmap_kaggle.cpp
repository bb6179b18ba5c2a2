#include <mutex>
#include <optional>
#include <set>

#include <nephron/dataset.hpp>
#include <nephron/dataset_check.hpp>
#include <nephron/geojson.hpp>
#include <nephron/parameter_check.hpp>
#include <nephron/slide_files.hpp>

#include "params.hpp"
#include "tables.hpp"

namespace hubmap_kaggle {

namespace fs = std::filesystem;
using nephron::Error;
using nephron::SlideInfo;

namespace {

const std::vector<std::string> endings{".tiff", ".tif"};

std::string text(nephron::Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height) + " px"; }

/// Classes of the experiment that glomeruli have.
struct Classes {
  int healthy = 0;
  int unhealthy = -1;  ///< none
  Classes(const Params& params, const std::vector<std::string>& names) {
    if (!params.healthy_class.empty()) healthy = nephron::class_number(params.healthy_class, names);
    if (!params.unhealthy_class.empty()) unhealthy = nephron::class_number(params.unhealthy_class, names);
    else if (names.size() > 1 && healthy != 1) unhealthy = 1;
    else if (params.only_fc) unhealthy = 0;
  }
};

}  // namespace

class HubmapKaggle final : public nephron::Dataset, public nephron::ParameterCheck, public nephron::DatasetCheck {
 public:
  HubmapKaggle(const Params& params, nephron::Context& context) : params_(params), context_(context) {}

  std::vector<SlideInfo> slides(const std::vector<std::string>& classes) const override {
    structures(classes), targets(classes);  // says what is wrong before any work
    require_layout();
    std::vector<SlideInfo> out;
    if (params_.part != "test") list("train", out);
    if (params_.part != "train") list("test", out);
    if (out.empty()) refuse_layout("it holds no slide");
    return out;
  }

  std::unique_ptr<nephron::SlideReader> open(const SlideInfo& slide) const override {
    return context_.slides().open(slide.source, params_.reader);
  }

  bool annotated(const SlideInfo& slide) const override {
    if (params_.only_fc) return fs::exists(extra_file(slide));
    return has_truth(slide) || (!params_.extra.empty() && fs::exists(extra_file(slide)));
  }

  void annotate(const SlideInfo& slide, const std::vector<std::string>& names,
                nephron::AnnotationSink& sink) const override {
    const Classes classes(params_, names);
    if (!params_.only_fc && has_truth(slide)) annotate_truth(slide, classes.healthy, sink);
    if (!params_.extra.empty() && fs::exists(extra_file(slide)))
      extra_classes(classes).annotate(extra_file(slide), sink, context_.log());
    if (const fs::path file = beside(slide, "-anatomical-structure.json"); structures_count() && fs::exists(file))
      structures(names).annotate(file, sink, context_.log());
  }

  std::vector<nephron::ChannelRule> targets(const std::vector<std::string>& names) const override {
    const Classes classes(params_, names);
    auto rules = Dataset::targets(names);
    // The reference's healthy channel is (label == 1). What add_fc has added would be taken away again.
    if (classes.unhealthy >= 0 && classes.unhealthy != classes.healthy && !params_.add_fc)
      rules.at(static_cast<std::size_t>(classes.healthy)).none_of = 1U << classes.unhealthy;
    return nephron::channel_rules(params_.targets, std::move(rules), names);
  }

  void check_parameters(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const override {
    const auto look = [&](const char* key, const auto& check) {
      try {
        check();
      } catch (const Error& e) {
        faults.add(key, e.what(), e.hint());
      }
    };
    look("root", [&] { require_layout(); });
    look("structures", [&] { structures(classes); });
    look("targets", [&] { targets(classes); });
  }

  void check_files(const std::vector<std::string>&, nephron::DatasetFindings& findings) const override {
    if (params_.part == "test") return;
    std::set<std::string> ids;
    std::vector<std::string> without;
    for (const fs::path& file : nephron::slide_files(params_.root / "train", endings)) {
      SlideInfo slide;
      slide.id = nephron::slide_id(file, endings);
      slide.source = file;
      ids.insert(slide.id);
      if (!annotated(slide)) without.push_back(slide.id);
    }
    if (!without.empty())
      findings.note(std::to_string(without.size()) + (without.size() == 1 ? " slide" : " slides") + " of " +
                    (params_.root / "train").string() + (without.size() == 1 ? " has" : " have") +
                    " no annotation: " + nephron::names_of(without));
    if (params_.truth != "rle" || params_.only_fc) return;
    std::vector<std::string> lone;
    for (const std::string& id : tables().masks.ids())
      if (!ids.contains(id)) lone.push_back(id);
    if (!lone.empty())
      findings.finding((params_.root / "train.csv").string() + " has " + std::to_string(lone.size()) +
                       (lone.size() == 1 ? " mask" : " masks") + " of slides that are not in " +
                       (params_.root / "train").string() + ": " + nephron::names_of(lone));
  }

 private:
  struct Tables {
    MaskTable masks;
    MetadataTable metadata;
  };

  // train.csv may be tens of megabytes: read once, whoever asks first.
  const Tables& tables() const {
    const std::lock_guard lock(mutex_);
    if (!tables_)
      tables_.emplace(Tables{MaskTable(params_.root / "train.csv"),
                             MetadataTable(params_.metadata.empty() ? fs::path() : params_.root / params_.metadata)});
    return *tables_;
  }

  [[noreturn]] void refuse_layout(const std::string& what) const {
    throw Error(
        "the folder " + params_.root.string() + " is not laid out as Kaggle's \"HuBMAP - Hacking the Kidney\": " +
            what + "; expected train/ID.tiff, test/ID.tiff, train.csv (id,encoding) and " + params_.metadata + " in it",
        "unpack the competition's data there, or correct root");
  }

  void require_layout() const {
    if (!fs::is_directory(params_.root)) refuse_layout("it is no folder");
    for (const char* part : {"train", "test"}) {
      if (params_.part != "all" && params_.part != part) continue;
      if (!fs::is_directory(params_.root / part)) refuse_layout(std::string("it has no folder ") + part);
    }
    if (params_.part != "test" && params_.truth == "rle" && !params_.only_fc && !fs::exists(params_.root / "train.csv"))
      refuse_layout("it has no train.csv");
    if (!params_.extra.empty() && !fs::is_directory(params_.extra))
      throw Error(params_.extra.string() + " is not a folder; expected QuPath exports ID.json in it", "correct extra");
  }

  void list(const std::string& part, std::vector<SlideInfo>& out) const {
    for (const fs::path& file : nephron::slide_files(params_.root / part, endings)) {
      SlideInfo info;
      info.id = nephron::slide_id(file, endings);
      info.source = file;
      info.mpp = params_.mpp;
      info.group = params_.group;
      const bool readable = nephron::read_header(info, context_.slides(), params_.reader);
      if (const MetadataTable::Row* row = tables().metadata.find(file.filename().string())) {
        info.donor = row->donor;
        // One file is known to have another width than its row says.
        if (readable && !row->size.empty() && row->size != info.size)
          context_.log().info(row->where + " says that " + file.filename().string() + " has " + text(row->size) +
                              "; its header says " + text(info.size) + ", which counts");
      }
      for (const fs::path& note : {params_.root / "train.csv", beside(info, ".json"),
                                   beside(info, "-anatomical-structure.json"), extra_file(info)})
        if (reads(note, info) && fs::exists(note)) info.annotations.push_back(note);
      out.push_back(std::move(info));
    }
  }

  /// Whether annotate() may look at the file.
  bool reads(const fs::path& note, const SlideInfo& info) const {
    if (note == params_.root / "train.csv") return params_.truth == "rle" && !params_.only_fc && has_truth(info);
    if (note == beside(info, ".json")) return params_.truth == "polygons" && !params_.only_fc;
    if (note == beside(info, "-anatomical-structure.json")) return structures_count();
    return !params_.extra.empty();
  }

  static fs::path beside(const SlideInfo& slide, const std::string& ending) {
    return slide.source.parent_path() / (slide.id + ending);
  }
  fs::path extra_file(const SlideInfo& slide) const { return params_.extra / (slide.id + ".json"); }

  bool has_truth(const SlideInfo& slide) const {
    return params_.truth == "rle" ? tables().masks.has(slide.id) : fs::exists(beside(slide, ".json"));
  }

  void annotate_truth(const SlideInfo& slide, int healthy, nephron::AnnotationSink& sink) const {
    if (params_.truth == "rle") {
      const nephron::Size size = slide.size.empty() ? open(slide)->size() : slide.size;
      const nephron::Runs runs = tables().masks.runs(slide.id, size);
      sink.runs(healthy, runs, /*column_major=*/true);
      return;
    }
    nephron::ObjectClasses truth;
    truth.add("glomerulus", healthy);
    truth.ignore(params_.ignore);
    truth.annotate(beside(slide, ".json"), sink, context_.log());
  }

  nephron::ObjectClasses extra_classes(const Classes& classes) const {
    nephron::ObjectClasses out;
    out.leave_out("G");
    out.leave_out("FC");
    if (!params_.only_fc) out.add("G", classes.healthy);
    if (params_.add_fc) out.add("FC", classes.healthy);
    if (classes.unhealthy >= 0) out.add("FC", classes.unhealthy);
    out.ignore(params_.ignore);
    return out;
  }

  /// The anatomy says something that is asked for.
  bool structures_count() const { return !params_.structures.empty() || !params_.ignore.empty(); }

  nephron::ObjectClasses structures(const std::vector<std::string>& names) const {
    nephron::ObjectClasses out(params_.structures, names);
    for (const char* name : {"Cortex", "Medulla", "Outer Medulla", "Inner Medulla", "Outer Stripe"})
      out.leave_out(name);
    out.ignore(params_.ignore);
    return out;
  }

  Params params_;
  nephron::Context& context_;
  mutable std::mutex mutex_;
  mutable std::optional<Tables> tables_;
};

NEPHRON_PLUGIN("hubmap_kaggle", "1.0.0")
NEPHRON_COMPONENT(nephron::Dataset, HubmapKaggle, "hubmap_kaggle",
                  "Kaggle's \"HuBMAP - Hacking the Kidney\": slides, masks, donors, hand annotations, anatomy")

}  // namespace hubmap_kaggle
