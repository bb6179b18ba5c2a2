#include <host/predict/dataset_export.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <nephron/error.hpp>
#include <nephron/folder_name.hpp>

#include <host/data/listed_files.hpp>
#include <host/data/prepared.hpp>
#include <host/predict/chosen_dataset.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/truth.hpp>
#include <host/util/command_output.hpp>
#include <host/util/files.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// Where a slide goes: its picture, and a mask a class.
struct Outputs {
  fs::path picture;
  std::vector<fs::path> masks;
  fs::path ignored;  ///< where its annotation ignores pixels; empty: a class has the folder's name
};

Outputs outputs_of(const SlideInfo& slide, const std::vector<std::string>& classes, const fs::path& out) {
  const std::string file = file_name_of_slide(slide.id) + ".png";
  Outputs o{out / "images" / file, {}, {}};
  for (const std::string& name : classes)
    o.masks.push_back(classes.size() == 1 ? out / "masks" / file : out / "masks" / folder_name(name) / file);
  if (const std::string name = ignored_folder(classes); !name.empty()) o.ignored = out / "masks" / name / file;
  return o;
}

/// That everything may be written, before pixels are read.
void require_outputs(const Listing& listing, const ExportRequest& request) {
  const std::vector<fs::path> inputs = files_of(listing);
  const auto name_of_slide = [&](const Listing::Entry& entry) {
    return "slide \"" + entry.info.id + "\" of dataset \"" + listing.dataset_name(entry.dataset) + "\"";
  };
  std::map<fs::path, std::string> pictures;
  for (const Listing::Entry& entry : listing.slides()) {
    const Outputs outputs = outputs_of(entry.info, listing.experiment().classes, request.out);
    const auto [other, fresh] = pictures.try_emplace(outputs.picture, name_of_slide(entry));
    if (!fresh)
      throw Error(
          other->second + " and " + name_of_slide(entry) + " would both be written as " + outputs.picture.string(),
          "choose one dataset with --dataset, and a folder for each");
    require_output(outputs.picture, request.overwrite, inputs);
    for (const fs::path& mask : outputs.masks) require_output(mask, request.overwrite, inputs);
    if (!outputs.ignored.empty()) require_output(outputs.ignored, request.overwrite, inputs);
  }
}

void export_slide(const PreparedSlide& slide, const std::vector<std::string>& classes, const ExportRequest& request) {
  const Size size = slide.size();
  const Image picture(size, 3), labels(size, 1, slide.label_depth());
  slide.read({0, 0, size.width, size.height}, picture.view(), labels.view());
  const Outputs outputs = outputs_of(slide.info(), classes, request.out);
  save_png(outputs.picture, picture.view());
  if (!slide.annotated()) return;
  for (std::size_t c = 0; c < slide.targets().size() && c < classes.size(); ++c)
    save_png(outputs.masks[c], target_mask(labels.view(), slide.targets()[c]).view());
  if (outputs.ignored.empty()) return;
  if (const Image ignored = ignored_mask(labels.view(), classes.size()); !ignored.empty()) {
    fs::create_directories(outputs.ignored.parent_path());
    save_png(outputs.ignored, ignored.view());
  }
}

}  // namespace

ExportOutcome export_datasets(Experiment experiment, const Registry& registry, const ExportRequest& request) {
  if (!request.dataset.empty()) experiment = with_dataset(std::move(experiment), request.dataset);
  // What is written once needs no place in the store, unless it is there.
  if (request.factor != experiment.data.factor || experiment.data.mpp > 0) experiment.data.store.clear();
  experiment.data.factor = request.factor;
  experiment.data.mpp = 0;
  require_output_folder(request.out, {});
  const Listing listing(experiment, registry);
  require_outputs(listing, request);
  require_writable(request.out / "images", std::size_t{1} << 20);
  if (experiment.classes.size() == 1) require_writable(request.out / "masks", 0);
  else
    for (const std::string& name : experiment.classes) require_writable(request.out / "masks" / folder_name(name), 0);
  const PreparedData data = prepare(listing, {}, /*most_lost=*/1);
  warn_of_problems(data);
  ExportOutcome outcome;
  outcome.problems = data.problems;
  Progress progress("writing slides", static_cast<std::int64_t>(data.slides.size()));
  for (const auto& slide : data.slides) {
    export_slide(*slide, experiment.classes, request);
    ++outcome.slides;
    if (slide->annotated()) ++outcome.masks;
    progress.update(outcome.slides);
  }
  return outcome;
}

}  // namespace nephron::host
