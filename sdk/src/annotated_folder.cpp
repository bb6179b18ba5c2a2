#include <nephron/annotated_folder.hpp>

#include <set>

#include <nephron/error.hpp>
#include <nephron/slide_files.hpp>

namespace nephron {

namespace fs = std::filesystem;

namespace {

std::regex compiled(const std::string& pattern, const char* key) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error& e) {
    throw Error(std::string(key) + " = \"" + pattern + "\" is no regular expression: " + e.what());
  }
}

std::string first_bracket(const std::regex& pattern, const std::string& id) {
  std::smatch match;
  return std::regex_search(id, match, pattern) && match.size() > 1 ? match[1].str() : "";
}

}  // namespace

void AnnotatedFolderParams::validate() const {
  compiled(slides, "slides");
  if (!donor.empty() && compiled(donor, "donor").mark_count() < 1)
    throw Error("donor = \"" + donor + "\" has no group in brackets");
}

AnnotatedFolder::AnnotatedFolder(AnnotatedFolderParams params, Layout layout, Context& context)
    : params_(std::move(params)),
      layout_(std::move(layout)),
      context_(context),
      wanted_(compiled(params_.slides, "slides")),
      donor_(compiled(params_.donor, "donor")) {}

AnnotatedFolder::~AnnotatedFolder() = default;

std::vector<SlideInfo> AnnotatedFolder::slides(const std::vector<std::string>& classes) const {
  object_classes(classes), targets(classes);  // says what is wrong before any work
  const auto refuse = [&](const std::string& what) {
    throw Error("the folder " + params_.root.string() + " " + what + "; expected " + layout_.expected,
                "get the slides from " + layout_.source + ", or correct root");
  };
  if (!fs::is_directory(params_.root)) refuse("is not there");
  if (!params_.annotations.empty() && !fs::is_directory(params_.annotations))
    throw Error(params_.annotations.string() + " is not a folder; expected QuPath exports ID.json in it",
                "correct annotations");
  std::vector<SlideInfo> out;
  std::size_t passed_over = 0;
  for (const fs::path& file : slide_files(params_.root, layout_.endings, /*below=*/true)) {
    SlideInfo info;
    info.id = slide_id(file, layout_.endings);
    if (!std::regex_search(info.id, wanted_)) {
      ++passed_over;
      continue;
    }
    info.source = file;
    info.mpp = params_.mpp;
    info.donor = first_bracket(donor_, info.id);
    info.group = params_.group;
    if (fs::path note = annotation_of(info); !note.empty()) info.annotations = {std::move(note)};
    read_header(info, context_.slides(), params_.reader);
    out.push_back(std::move(info));
  }
  if (out.empty())
    refuse(passed_over == 0 ? "holds no slide"
                            : "holds " + std::to_string(passed_over) + " slides, but none whose id holds \"" +
                                  params_.slides + "\"");
  return out;
}

std::unique_ptr<SlideReader> AnnotatedFolder::open(const SlideInfo& slide) const {
  return context_.slides().open(slide.source, params_.reader);
}

std::vector<fs::path> AnnotatedFolder::annotation_places(const fs::path& slide, const std::string& id) const {
  const std::string name = id + ".json";
  if (!params_.annotations.empty()) return {params_.annotations / name};
  return {params_.root / "annotations" / name, slide.parent_path() / name};
}

fs::path AnnotatedFolder::annotation_of(const SlideInfo& slide) const {
  for (fs::path& place : annotation_places(slide.source, slide.id))
    if (fs::exists(place)) return std::move(place);
  return {};
}

void AnnotatedFolder::check_folders(const std::vector<std::string>& classes, ParameterFaults& faults) const {
  faults.require_folder("root", params_.root, "expected " + layout_.expected + "; from " + layout_.source);
  if (!params_.annotations.empty())
    faults.require_folder("annotations", params_.annotations, "expected QuPath exports ID.json in it");
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

void AnnotatedFolder::find_lone_files(DatasetFindings& findings) const {
  std::vector<std::string> without;
  std::set<std::string> ids;
  for (const fs::path& file : slide_files(params_.root, layout_.endings, /*below=*/true)) {
    const std::string id = slide_id(file, layout_.endings);
    ids.insert(id);
    SlideInfo slide;
    slide.id = id;
    slide.source = file;
    if (std::regex_search(id, wanted_) && annotation_of(slide).empty()) without.push_back(id);
  }
  if (!without.empty())
    findings.note(std::to_string(without.size()) + (without.size() == 1 ? " slide has" : " slides have") +
                  " no annotation: " + names_of(without) + "; looked for " +
                  annotation_places(params_.root / "NAME", "NAME").front().string());
  const fs::path folder = params_.annotations.empty() ? params_.root / "annotations" : params_.annotations;
  std::error_code unknown;
  std::vector<std::string> lone;
  if (fs::is_directory(folder, unknown))
    for (const fs::path& file : slide_files(folder, {".json"}, /*below=*/false))
      if (!ids.contains(slide_id(file, {".json"}))) lone.push_back(file.filename().string());
  if (lone.empty()) return;
  const std::string text = std::to_string(lone.size()) + (lone.size() == 1 ? " annotation has" : " annotations have") +
                           " no slide: " + names_of(lone) + " in " + folder.string();
  if (params_.annotations.empty()) findings.finding(text);
  else findings.note(text);  // a folder of its own may serve several datasets
}

CheckedFolder::~CheckedFolder() = default;

void CheckedFolder::check_parameters(const std::vector<std::string>& classes, ParameterFaults& faults) const {
  check_folders(classes, faults);
}

void CheckedFolder::check_files(const std::vector<std::string>&, DatasetFindings& findings) const {
  find_lone_files(findings);
}

bool AnnotatedFolder::annotated(const SlideInfo& slide) const { return !annotation_of(slide).empty(); }

void AnnotatedFolder::annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                               AnnotationSink& sink) const {
  if (const fs::path file = annotation_of(slide); !file.empty())
    object_classes(classes).annotate(file, sink, context_.log());
}

std::vector<ChannelRule> AnnotatedFolder::targets(const std::vector<std::string>& classes) const {
  return channel_rules(params_.targets, Dataset::targets(classes), classes);
}

ObjectClasses AnnotatedFolder::object_classes(const std::vector<std::string>& classes) const {
  if (!params_.objects.empty()) return {params_.objects, classes};
  ObjectClasses out;
  out.add("G", 0);
  out.add("", 0);
  if (classes.size() > 1) out.add("FC", 1);
  else out.leave_out("FC");
  return out;
}

}  // namespace nephron
