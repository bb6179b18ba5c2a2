#include <host/view/collected.hpp>

#include <algorithm>
#include <array>
#include <set>

#include <nephron/dataset_check.hpp>
#include <nephron/error.hpp>
#include <nephron/slide_files.hpp>

#include <host/predict/picture_file.hpp>
#include <host/predict/prediction_record.hpp>
#include <host/slides/opener.hpp>
#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/usage_error.hpp>
#include <host/view/collect_parts.hpp>
#include <host/view/slide_picture.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_compared = 4;
const std::vector<std::string> slide_endings{".ome.tiff", ".ome.tif", ".tiff", ".tif", ".svs",  ".png", ".jpg",
                                             ".jpeg",     ".bmp",     ".ndpi", ".scn", ".mrxs", ".bif", ".vms"};
const std::vector<std::string> annotation_endings{".geojson", ".json", ".csv", ".png", ".tif", ".tiff"};

/// A picture that no reader takes and OpenCV does, in memory.
class DecodedPicture final : public SlideReader {
 public:
  explicit DecodedPicture(Image picture) : picture_(std::move(picture)) {}
  Size size() const noexcept override { return picture_.size(); }
  void read(const Region& region, const ImageView& out) const override { copy(picture_.view().crop(region), out); }

 private:
  Image picture_;
};

/// What opens slide files, for all of them.
struct Opening {
  explicit Opening(const Registry& registry) : opener(registry) {}
  ReaderOpener opener;

  std::shared_ptr<const SlideFile> open(const fs::path& file) {
    try {
      return opener.open(file);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error&) {
      Image picture;
      try {
        picture = read_picture(file);
      } catch (const Error&) {  // what the reader says is more to the point
      }
      if (picture.empty()) throw;
      return as_slide_file(std::make_shared<DecodedPicture>(std::move(picture)), 0, "decoded by OpenCV");
    }
  }
};

/// Of files that a folder's listing passes over because their names begin with a dot.
std::string text_of_hidden(const fs::path& folder) {
  std::size_t many = 0;
  std::string first;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const auto ends = [&](const std::string& ending) { return name.ends_with(ending); };
    if (name.front() != '.' || std::none_of(slide_endings.begin(), slide_endings.end(), ends)) continue;
    if (many++ == 0 || name < first) first = name;
  }
  if (many == 0) return {};
  return counted(many, "picture") + " of " + folder.string() + " " + (many == 1 ? "is" : "are") + " not shown, since " +
         (many == 1 ? "its name begins" : "their names begin") + " with a dot, such as " + first;
}

class Collector {
 public:
  Collector(const ViewWish& wish, Collecting& into) : wish_(wish), into_(into) {
    PluginSearch search;
    search.command_line = wish.plugins;
    into_.out.registry = std::make_unique<Registry>(search);
    opening_ = std::make_shared<Opening>(*into_.out.registry);
    into_.out.kept_alive.push_back(opening_);
  }

  void take(const fs::path& path) {
    std::error_code failed;
    if (!fs::exists(path, failed)) throw UsageError(path.string() + " does not exist", expected);
    if (fs::is_directory(path, failed)) return take_folder(path);
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    if (ending == ".csv")
      return add_layer(std::make_shared<SubmissionLayer>(path.stem().string(), ViewLayer::Kind::submission, path));
    if (ending == ".json" || ending == ".geojson")
      throw UsageError(path.string() + " is a file of annotations",
                       "Show it over its slide: --annotations " + path.string());
    add_file(slide_id(path, slide_endings), path);
  }

  void take_annotations(const fs::path& path) {
    std::error_code failed;
    std::map<std::string, fs::path> files;
    if (fs::is_directory(path, failed)) {
      for (const fs::path& file : slide_files(path, annotation_endings))
        files.emplace(slide_id(file, annotation_endings), file);
    } else if (path.extension() == ".csv") {
      return into_.truth.add(std::make_shared<SubmissionLayer>(path.stem().string(), ViewLayer::Kind::truth, path));
    } else {
      // One file and one slide belong together, whatever they are called.
      const std::string id = slide_id(path, annotation_endings);
      const auto& slides = into_.out.slides;
      const bool known = std::any_of(slides.begin(), slides.end(), [&](const ViewSlide& s) { return s.id == id; });
      if (!known && slides.size() != 1)
        throw UsageError(path.string() + " is named after no slide that is shown",
                         "Annotations are found by the slide's name: SLIDE.json for SLIDE.svs.");
      files[known ? id : slides.front().id] = path;
    }
    if (files.empty())
      throw UsageError(path.string() + " holds no annotations", "expected SLIDE.json, .geojson, .csv or masks");
    into_.truth.add(std::make_shared<FileLayer>("truth", std::move(files)));
  }

 private:
  static constexpr const char* expected =
      "Expected a run, a prediction, a slide, a folder of slides, a store or a submission CSV.";

  void take_folder(const fs::path& path) {
    if (fs::exists(path / "predict.json")) return take_prediction(path);
    if (fs::exists(path / store_marker)) return collect_store(path, into_);
    tell_hidden(path);
    const std::vector<fs::path> files = slide_files(path, slide_endings);
    if (!files.empty() && !fs::exists(path / "experiment.resolved.toml")) {
      for (const fs::path& file : files) add_file(slide_id(file, slide_endings), file);
      return;
    }
    try {
      collect_run(path, wish_.plugins, into_);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {
      if (fs::exists(path / "experiment.resolved.toml")) throw;
      throw UsageError(path.string() + " is nothing that can be viewed: " + e.what(), expected);
    }
  }

  void take_prediction(const fs::path& path) {
    const PredictionRecord record = read_prediction(path);
    if (!record.images.empty()) tell_hidden(record.images);
    const fs::path whole = fs::absolute(path).lexically_normal();
    const fs::path named = whole.has_filename() ? whole : whole.parent_path();
    const auto layer = std::make_shared<PredictionLayer>(named.filename().string(), named, record.classes);
    for (const std::string& id : layer->ids()) {
      fs::path picture = record.file_of(id);
      if (picture.empty() && !record.images.empty()) picture = file_with(record.images, id, slide_endings);
      if (picture.empty()) into_.add({id, "its file is gone since it was predicted", {}, {}, 0, {}});
      else add_file(id, picture);
    }
    into_.truths.push_back(std::make_shared<ComparedTruth>(named, record.masks, record.classes));
    into_.add_classes(record.classes);
    add_layer(layer);
  }

  void tell_hidden(const fs::path& folder) {
    if (std::string text = text_of_hidden(folder); !text.empty()) into_.out.problems.push_back(std::move(text));
  }

  void add_file(const std::string& id, const fs::path& file) {
    into_.add({id, file.string(), file, [opening = opening_, file] { return opening->open(file); }, 0, {}});
  }

  void add_layer(std::shared_ptr<ViewLayer> layer) {
    const std::string name = layer->name();
    const auto taken = [&](const std::string& text) {
      return std::any_of(into_.layers.begin(), into_.layers.end(), [&](const auto& l) { return l->name() == text; });
    };
    for (int n = 2; taken(layer->name()); ++n) layer->rename(name + " (" + std::to_string(n) + ")");
    into_.layers.push_back(std::move(layer));
    if (into_.layers.size() > most_compared)
      throw UsageError("more than four predictions and submissions were named", "Compare at most four at a time.");
  }

  const ViewWish& wish_;
  Collecting& into_;
  std::shared_ptr<Opening> opening_;
};

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code failed;
  return !a.empty() && !b.empty() && fs::equivalent(a, b, failed);
}

bool knows_anything(const Collecting& all, const ViewLayer& layer) {
  return std::any_of(all.out.slides.begin(), all.out.slides.end(),
                     [&](const ViewSlide& slide) { return layer.knows(slide.id) || !layer.maps(slide.id).empty(); });
}

/// Rows of a submission that belong to no slide that is shown, and slides that have no row: either may be a slip.
void tell_other_ids(const SubmissionLayer& layer, Collected& out) {
  std::vector<std::string> missing;
  std::set<std::string> unknown = layer.ids();
  for (const ViewSlide& slide : out.slides)
    if (unknown.erase(slide.id) == 0) missing.push_back(slide.id);
  if (missing.size() == out.slides.size()) return;  // nothing fits, which is said
  const std::string name = "\"" + layer.name() + "\" has ";
  if (!unknown.empty())
    out.problems.push_back(name + "rows of " + counted(unknown.size(), "slide") + " that " +
                           (unknown.size() == 1 ? "is" : "are") +
                           " not shown: " + names_of({unknown.begin(), unknown.end()}));
  if (!missing.empty())
    out.problems.push_back(name + "no row of " + counted(missing.size(), "slide") + ": " + names_of(missing));
}

}  // namespace

void Collecting::add(ViewSlide slide) {
  const auto same = std::find_if(out.slides.begin(), out.slides.end(), [&](const auto& s) { return s.id == slide.id; });
  if (same == out.slides.end()) {
    out.slides.push_back(std::move(slide));
  } else if (!same->open && slide.open) {
    *same = std::move(slide);
  } else if (slide.open && !same_file(same->source, slide.source)) {
    if (namesakes++ == 0) first_namesake = "\"" + slide.id + "\": " + same->place + " is shown, and not " + slide.place;
  }
}

void Collecting::add_classes(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (std::find(out.classes.begin(), out.classes.end(), name) == out.classes.end()) out.classes.push_back(name);
}

Collected collect(const ViewWish& wish) {
  Collecting all;
  Collector collector(wish, all);
  for (const fs::path& path : wish.what) collector.take(path);
  if (all.out.slides.empty())
    throw UsageError("no slide was named",
                     "A submission is shown over slides: name them, their folder, a prediction or a run too.");
  for (const fs::path& path : wish.annotations) collector.take_annotations(path);  // before what others compared with
  for (auto& layer : all.truths) all.truth.add(std::move(layer));
  for (const auto& layer : all.layers) {
    if (!knows_anything(all, *layer))
      all.out.problems.push_back("\"" + layer->name() + "\" has nothing of any slide that is shown");
    if (const auto* const rows = dynamic_cast<const SubmissionLayer*>(layer.get())) tell_other_ids(*rows, all.out);
  }
  if (all.namesakes > 0)
    all.out.problems.push_back(
        counted(all.namesakes, "slide has the name of another", "slides have the names of others") + ", such as " +
        all.first_namesake);
  std::sort(all.out.slides.begin(), all.out.slides.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  if (!all.truth.empty()) all.out.layers.push_back(std::make_shared<FirstOfLayers>(std::move(all.truth)));
  for (auto& layer : all.layers) all.out.layers.push_back(std::move(layer));
  if (all.out.classes.empty()) all.out.classes = {"object"};
  return std::move(all.out);
}

}  // namespace nephron::host
