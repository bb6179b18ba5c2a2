#include <map>

#include <nephron/error.hpp>

#include <host/config/run_experiment.hpp>
#include <host/data/listing.hpp>
#include <host/runs/run.hpp>
#include <host/runs/validation_files.hpp>
#include <host/view/collect_parts.hpp>
#include <host/view/label_layers.hpp>
#include <host/view/object_sink.hpp>
#include <host/view/slide_picture.hpp>

namespace nephron::host {

namespace {

/// The datasets of a run, with the plugins that they are made of.
struct RunData {
  std::unique_ptr<Registry> registry;  // first: destroyed last
  std::unique_ptr<Listing> listing;
};

std::shared_ptr<const SlideFile> open_of(const RunData& data, const Listing::Entry& entry) {
  return guarded(data.listing->origin(entry, "opening"), [&]() -> std::shared_ptr<const SlideFile> {
    std::shared_ptr<const SlideReader> slide = data.listing->datasets()[entry.dataset]->open(entry.info);
    if (slide == nullptr) throw Error("the dataset gave no reader");
    if (auto file = std::dynamic_pointer_cast<const SlideFile>(slide)) return file;
    return as_slide_file(std::move(slide), entry.info.mpp,
                         "made by dataset " + data.listing->dataset_name(entry.dataset));
  });
}

class RunTruth final : public ViewLayer {
 public:
  explicit RunTruth(std::shared_ptr<const RunData> data) : ViewLayer("truth", Kind::truth), data_(std::move(data)) {
    for (const Listing::Entry& entry : data_->listing->slides()) entries_.emplace(entry.info.id, &entry);
  }
  bool knows(const std::string& id) const override {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return false;
    const Listing::Entry& entry = *found->second;
    return guarded(data_->listing->origin(entry, "asking for the annotation of"),
                   [&] { return data_->listing->datasets()[entry.dataset]->annotated(entry.info); });
  }
  LabelSet labels(const std::string& id, Size slide, const Stop& stop) const override {
    if (stop()) throw Cancelled();
    const Listing::Entry& entry = *entries_.at(id);
    ObjectSink sink(slide, classes());
    guarded(data_->listing->origin(entry, "annotating"),
            [&] { data_->listing->datasets()[entry.dataset]->annotate(entry.info, classes(), sink); });
    return sink.labels();
  }
  std::vector<std::string> classes() const override { return data_->listing->experiment().classes; }
  std::vector<std::filesystem::path> files() const override {
    std::vector<std::filesystem::path> out;
    for (const Listing::Entry& entry : data_->listing->slides())
      out.insert(out.end(), entry.info.annotations.begin(), entry.info.annotations.end());
    return out;
  }

 private:
  std::shared_ptr<const RunData> data_;
  std::map<std::string, const Listing::Entry*> entries_;
};

/// Maps and masks that the run's validation saved, of the slides that its folds held out.
class ValidationLayer final : public ViewLayer {
 public:
  ValidationLayer(const std::filesystem::path& folder, std::shared_ptr<const RunData> data)
      : ViewLayer("validation", Kind::prediction),
        files_(folder, data->listing->experiment().datasets.size() > 1),
        data_(std::move(data)) {
    for (const Listing::Entry& entry : data_->listing->slides())
      slides_.try_emplace(entry.info.id,
                          ValidationFiles::Slide{data_->listing->dataset_name(entry.dataset), entry.info.id});
  }
  bool knows(const std::string& id) const override { return !saved(ValidationFiles::Map::masks, id).empty(); }
  LabelSet labels(const std::string& id, Size, const Stop& stop) const override {
    return read_masks(saved(ValidationFiles::Map::masks, id), stop);
  }
  std::vector<Map> maps(const std::string& id) const override {
    std::vector<Map> out;
    const auto found = saved(ValidationFiles::Map::probabilities, id);
    for (const std::string& name : classes())
      if (const auto file = found.find(name); file != found.end()) out.push_back({name, file->second});
    return out;
  }
  std::vector<std::string> classes() const override { return data_->listing->experiment().classes; }

 private:
  /// By class.
  std::map<std::string, std::filesystem::path> saved(ValidationFiles::Map map, const std::string& id) const {
    std::map<std::string, std::filesystem::path> out;
    const auto slide = slides_.find(id);
    if (slide == slides_.end()) return out;
    for (const std::string& name : classes())
      if (std::filesystem::path file = files_.map_there(map, name, slide->second); !file.empty())
        out.emplace(name, std::move(file));
    return out;
  }

  ValidationFiles files_;
  std::shared_ptr<const RunData> data_;
  std::map<std::string, ValidationFiles::Slide> slides_;  ///< by id; of those that share one, the first is shown
};

bool anything_saved(const std::filesystem::path& validation) {
  return std::filesystem::is_directory(validation / "masks") ||
         std::filesystem::is_directory(validation / "probabilities");
}

}  // namespace

void collect_run(const std::filesystem::path& path, const std::vector<std::filesystem::path>& plugins,
                 Collecting& into) {
  const RunFolder run = RunFolder::open(path);
  const auto data = std::make_shared<RunData>();
  PluginSearch search;
  search.command_line = plugins;
  const Experiment experiment = load_run_experiment(run.experiment(), {}, search, data->registry);
  data->listing = std::make_unique<Listing>(experiment, *data->registry);
  for (const std::string& problem : data->listing->problems()) into.out.problems.push_back(problem);
  for (const Listing::Entry& entry : data->listing->slides()) {
    ViewSlide slide;
    slide.id = entry.info.id;
    slide.place = entry.info.source.empty() ? "dataset " + data->listing->dataset_name(entry.dataset)
                                            : entry.info.source.string();
    slide.source = entry.info.source;
    slide.open = [data, &entry] { return open_of(*data, entry); };
    slide.mpp = entry.info.mpp;
    into.add(std::move(slide));
  }
  into.add_classes(experiment.classes);
  into.truths.push_back(std::make_shared<RunTruth>(data));
  if (const auto validation = run.folder() / "validation"; anything_saved(validation))
    into.layers.push_back(std::make_shared<ValidationLayer>(validation, data));
}

}  // namespace nephron::host
