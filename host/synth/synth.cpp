#include <host/synth/synth.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>

#include <nlohmann/json.hpp>

#include <nephron/rng.hpp>

#include <host/labels/geojson_text.hpp>
#include <host/labels/label_set.hpp>
#include <host/slides/make_component.hpp>
#include <host/synth/slide_makers.hpp>
#include <host/synth/slide_tiff.hpp>
#include <host/synth/synth_objects.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const std::vector<std::string> classes{"G", "FC"};

/// One file of a layout.
struct Plan {
  SlideInfo info;  ///< as the dataset knows it
  std::string id;  ///< as the layout calls it
  fs::path file;   ///< relative
  TiffStyle style;
  bool annotated = true;
};

std::string numbered(const char* format, int a) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, a);
  return text.data();
}

std::string hex_id(std::uint64_t seed, int i) {
  Rng rng(seed, "synth.id", 0, static_cast<std::uint64_t>(i));
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%09llx", static_cast<unsigned long long>(rng.bits64() >> 28));
  return text.data();
}

Plan kaggle_plan(const SynthRequest& request, int i) {
  using Axes = TiffStyle::Axes;
  Plan plan;
  plan.id = hex_id(request.seed, i);
  plan.file = fs::path(i < request.slides ? "train" : "test") / (plan.id + ".tiff");
  const std::array<TiffStyle, 4> styles{{{Axes::yxc, false, false, false, false},
                                         {Axes::cyx, true, false, false, true},
                                         {Axes::pages, false, false, false, false},
                                         {Axes::yxc, true, false, false, false}}};
  plan.style = styles[static_cast<std::size_t>(i) % styles.size()];
  return plan;
}

Plan mendeley_plan(int i) {
  Plan plan;
  plan.id = i % 3 == 0   ? numbered("SESCAM_%d_0", i / 3 + 1)
            : i % 3 == 1 ? numbered("VUHSK_%d", 1272 + 80 * (i / 3))
                         : numbered("SAS_%d_001", 21883 + 8 * (i / 3));
  plan.file = plan.id + ".svs";
  plan.style = {TiffStyle::Axes::yxc, true, true, true, false};
  return plan;
}

Plan portal_plan(int i) {
  Plan plan;
  plan.id = numbered("VAN%04d-LK-32-21-PAS_registered", i + 3);
  plan.file = plan.id + ".ome.tif";
  plan.style = {TiffStyle::Axes::ome, i % 2 == 0, false, false, i % 2 == 1};
  return plan;
}

class Synth {
 public:
  Synth(const SynthRequest& request, const Registry& registry) : request_(request) {
    const int all = request.slides + (request.slides + 2) / 3;
    maker_ = slide_maker(registry, request.dataset, {all, request.size, (request.slides + 3) / 2, request.seed});
    for (const auto& [key, value, source] : request.params.table()) maker_.params.set(key, value);
    dataset_ = make_component<Dataset>(registry, maker_, "dataset[0]", request.seed);
    origin_ = origin_of(registry, Dataset::kind, maker_, "giving slides");
    const auto found = guarded(origin_, [&] { return dataset_->slides(classes); });
    const auto wanted = static_cast<std::size_t>(all);
    if (found.size() < wanted)
      throw Error("dataset \"" + maker_.type + "\" makes " + std::to_string(found.size()) + " slides; " +
                  std::to_string(wanted) + " are wanted");
    for (std::size_t i = 0; i < wanted; ++i) {
      const int n = static_cast<int>(i);
      Plan plan = request.layout == "kaggle"     ? kaggle_plan(request, n)
                  : request.layout == "mendeley" ? mendeley_plan(n)
                                                 : portal_plan(n);
      plan.info = found[i];
      plan.annotated = n < request.slides;
      plans_.push_back(std::move(plan));
    }
  }

  SynthOutcome write() {
    claim_folder();
    write_slides();
    if (request_.layout == "kaggle") write_kaggle_tables();
    else
      for (const Plan& plan : plans_)
        if (plan.annotated) write_objects(fs::path("annotations") / (plan.id + ".json"), objects_of(plan));
    return std::move(outcome_);
  }

 private:
  /// synth.json says what the folder is going to hold, so that an interrupted call can be repeated.
  void claim_folder() const {
    require_output_folder(request_.out, {});
    const Json facts{{"layout", request_.layout},
                     {"dataset", maker_.type},
                     {"params", maker_.params.str()},
                     {"slides", request_.slides},
                     {"seed", request_.seed}};
    const std::string text = facts.dump(2) + "\n";
    const fs::path note = request_.out / "synth.json";
    if (fs::exists(note) && read_file(note) == text) return;
    if (fs::exists(request_.out) && (!fs::is_directory(request_.out) || !fs::is_empty(request_.out)))
      throw Error(request_.out.string() + " holds something else already; nothing is overwritten",
                  "name another folder");
    require_writable(request_.out, std::size_t{1} << 20);
    for (const Plan& plan : plans_) fs::create_directories((request_.out / plan.file).parent_path());
    write_file_atomically(note, text);
  }

  void write_slides() {
    std::mutex mutex;
    Progress progress("writing slides", static_cast<std::int64_t>(plans_.size()));
    thread_pool().parallel_for(plans_.size(), [&](std::size_t i) {
      const Plan& plan = plans_[i];
      const bool there = fs::exists(request_.out / plan.file);
      if (!there) {
        if (interrupted()) throw Cancelled();
        const auto reader = guarded(origin_, [&] { return dataset_->open(plan.info); });
        write_slide_tiff(request_.out / plan.file, *reader, plan.info.mpp, plan.style);
      }
      const std::lock_guard lock(mutex);
      ++(there ? outcome_.kept : outcome_.written);
      progress.update(outcome_.kept + outcome_.written);
    });
    progress.finish();
  }

  std::vector<AnnotatedObject> objects_of(const Plan& plan) const {
    return guarded(origin_, [&] { return varied_objects(*dataset_, plan.info, classes); });
  }

  void write_text(const fs::path& file, const std::string& text) {
    fs::create_directories((request_.out / file).parent_path());
    write_file_atomically(request_.out / file, text);
    outcome_.tables.push_back(request_.out / file);
  }
  void write_objects(const fs::path& file, const std::vector<AnnotatedObject>& objects) {
    write_text(file, geojson_text(objects, classes));
  }

  /// train.csv has the healthy objects but every fifth, which hand annotations add, together with the unhealthy ones.
  void write_kaggle_tables() {
    std::string masks = "id,encoding\n", blank = "id,predicted\n",
                facts =
                    "image_file,width_pixels,height_pixels,anatomical_structures_segmention_file,"
                    "glomerulus_segmentation_file,patient_number\n";
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      const Plan& plan = plans_[i];
      const Size size = plan.info.size;
      // As in the published file, the width of one slide is wrong.
      facts += plan.id + ".tiff," + std::to_string(i == 1 ? size.width / 2 : size.width) + "," +
               std::to_string(size.height) + "," + plan.id + "-anatomical-structure.json," + plan.id + ".json," +
               plan.info.donor + "\n";
      if (!plan.annotated) {
        blank += plan.id + ",\n";
        continue;
      }
      LabelSet truth{size, {"glomerulus"}, true, {}, {}, {}};
      std::vector<AnnotatedObject> extra;
      std::size_t healthy = 0;
      for (AnnotatedObject& object : objects_of(plan)) {
        if (object.class_name == "FC" || ++healthy % 5 == 0) {
          extra.push_back(std::move(object));
          continue;
        }
        object.class_name = "glomerulus";
        truth.objects.push_back(std::move(object));
      }
      masks += plan.id + "," + rle_text(masks_of(truth).at(0)) + "\n";
      write_objects(fs::path("train") / (plan.id + ".json"), truth.objects);
      write_objects(fs::path("train") / (plan.id + "-anatomical-structure.json"), structures(size));
      if (!extra.empty()) write_objects(fs::path("extra") / (plan.id + ".json"), extra);
    }
    write_text("sample_submission.csv", blank);
    write_text("HuBMAP-20-dataset_information.csv", facts);
    write_text("train.csv", masks);
  }

  /// Cortex in two parts with the medulla between.
  static std::vector<AnnotatedObject> structures(Size size) {
    const auto band = [&](double from, double to) {
      const double w = static_cast<double>(size.width), h = static_cast<double>(size.height);
      return Polygon{{{0, h * from}, {w, h * from}, {w, h * to}, {0, h * to}}};
    };
    AnnotatedObject cortex, medulla;
    cortex.class_name = "Cortex", cortex.parts = {band(0, 0.35), band(0.65, 1)};
    medulla.class_name = "Medulla", medulla.parts = {band(0.35, 0.65)};
    return {medulla, cortex};
  }

  const SynthRequest& request_;
  ComponentSpec maker_;
  std::shared_ptr<Dataset> dataset_;
  Origin origin_;
  std::vector<Plan> plans_;
  SynthOutcome outcome_;
};

}  // namespace

SynthOutcome write_synthetic(const SynthRequest& request, const Registry& registry) {
  return Synth(request, registry).write();
}

}  // namespace nephron::host
