#include <nephron/annotated_folder.hpp>

#include <regex>
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

struct AnnotatedFolder::Data {
  Data(AnnotatedFolderParams p, Layout l, Context& c)
      : params(std::move(p)),
        layout(std::move(l)),
        context(c),
        wanted(compiled(params.slides, "slides")),
        donor(compiled(params.donor, "donor")) {}

  ObjectClasses object_classes(const std::vector<std::string>& classes) const;
  std::vector<fs::path> annotation_places(const fs::path& slide, const std::string& id) const;
  fs::path annotation_of(const SlideInfo& slide) const;

  const AnnotatedFolderParams params;
  const Layout layout;
  Context& context;
  const std::regex wanted, donor;
};

AnnotatedFolder::AnnotatedFolder(AnnotatedFolderParams params, Layout layout, Context& context)
    : data_(std::make_unique<Data>(std::move(params), std::move(layout), context)) {}

AnnotatedFolder::~AnnotatedFolder() = default;

std::vector<fs::path> AnnotatedFolder::Data::annotation_places(const fs::path& slide, const std::string& id) const {
  const std::string name = id + ".json";
  if (!params.annotations.empty()) return {params.annotations / name};
  return {params.root / "annotations" / name, slide.parent_path() / name};
}

fs::path AnnotatedFolder::Data::annotation_of(const SlideInfo& slide) const {
  for (fs::path& place : annotation_places(slide.source, slide.id))
    if (fs::exists(place)) return std::move(place);
  return {};
}

ObjectClasses AnnotatedFolder::Data::object_classes(const std::vector<std::string>& classes) const {
  ObjectClasses out(params.objects, classes);
  if (params.objects.empty()) {
    out.add("G", 0);
    out.add("", 0);
    if (classes.size() > 1) out.add("FC", 1);
    else out.leave_out("FC");
  }
  out.ignore(params.ignore);
  return out;
}

std::vector<SlideInfo> AnnotatedFolder::slides(const std::vector<std::string>& classes) const {
  data_->object_classes(classes), targets(classes);  // says what is wrong before any work
  const auto refuse = [&](const std::string& what) {
    throw Error("the folder " + data_->params.root.string() + " " + what + "; expected " + data_->layout.expected,
                "get the slides from " + data_->layout.source + ", or correct root");
  };
  if (!fs::is_directory(data_->params.root)) refuse("is not there");
  if (!data_->params.annotations.empty() && !fs::is_directory(data_->params.annotations))
    throw Error(data_->params.annotations.string() + " is not a folder; expected QuPath exports ID.json in it",
                "correct annotations");
  std::vector<SlideInfo> out;
  std::size_t passed_over = 0;
  for (const fs::path& file : slide_files(data_->params.root, data_->layout.endings, /*below=*/true)) {
    SlideInfo info;
    info.id = slide_id(file, data_->layout.endings);
    if (!std::regex_search(info.id, data_->wanted)) {
      ++passed_over;
      continue;
    }
    info.source = file;
    info.mpp = data_->params.mpp;
    info.donor = first_bracket(data_->donor, info.id);
    info.group = data_->params.group;
    if (fs::path note = data_->annotation_of(info); !note.empty()) info.annotations = {std::move(note)};
    read_header(info, data_->context.slides(), data_->params.reader);
    out.push_back(std::move(info));
  }
  if (out.empty())
    refuse(passed_over == 0 ? "holds no slide"
                            : "holds " + std::to_string(passed_over) + " slides, but none whose id holds \"" +
                                  data_->params.slides + "\"");
  return out;
}

std::unique_ptr<SlideReader> AnnotatedFolder::open(const SlideInfo& slide) const {
  return data_->context.slides().open(slide.source, data_->params.reader);
}

void AnnotatedFolder::check_parameters(const std::vector<std::string>& classes, ParameterFaults& faults) const {
  faults.require_folder("root", data_->params.root,
                        "expected " + data_->layout.expected + "; from " + data_->layout.source);
  if (!data_->params.annotations.empty())
    faults.require_folder("annotations", data_->params.annotations, "expected QuPath exports ID.json in it");
  const auto look = [&](const char* key, const auto& check) {
    try {
      check();
    } catch (const Error& e) {
      faults.add(key, e.what(), e.hint());
    }
  };
  look("objects", [&] { data_->object_classes(classes); });
  look("targets", [&] { targets(classes); });
}

void AnnotatedFolder::check_files(const std::vector<std::string>&, DatasetFindings& findings) const {
  std::vector<std::string> without;
  std::set<std::string> ids;
  for (const fs::path& file : slide_files(data_->params.root, data_->layout.endings, /*below=*/true)) {
    const std::string id = slide_id(file, data_->layout.endings);
    ids.insert(id);
    SlideInfo slide;
    slide.id = id;
    slide.source = file;
    if (std::regex_search(id, data_->wanted) && data_->annotation_of(slide).empty()) without.push_back(id);
  }
  if (!without.empty())
    findings.note(std::to_string(without.size()) + (without.size() == 1 ? " slide has" : " slides have") +
                  " no annotation: " + names_of(without) + "; looked for " +
                  data_->annotation_places(data_->params.root / "NAME", "NAME").front().string());
  const fs::path folder =
      data_->params.annotations.empty() ? data_->params.root / "annotations" : data_->params.annotations;
  std::error_code unknown;
  std::vector<std::string> lone;
  if (fs::is_directory(folder, unknown))
    for (const fs::path& file : slide_files(folder, {".json"}, /*below=*/false))
      if (!ids.contains(slide_id(file, {".json"}))) lone.push_back(file.filename().string());
  if (lone.empty()) return;
  const std::string text = std::to_string(lone.size()) + (lone.size() == 1 ? " annotation has" : " annotations have") +
                           " no slide: " + names_of(lone) + " in " + folder.string();
  if (data_->params.annotations.empty()) findings.finding(text);
  else findings.note(text);  // a folder of its own may serve several datasets
}

bool AnnotatedFolder::annotated(const SlideInfo& slide) const { return !data_->annotation_of(slide).empty(); }

void AnnotatedFolder::annotate(const SlideInfo& slide, const std::vector<std::string>& classes,
                               AnnotationSink& sink) const {
  if (const fs::path file = data_->annotation_of(slide); !file.empty())
    data_->object_classes(classes).annotate(file, sink, data_->context.log());
}

std::vector<ChannelRule> AnnotatedFolder::targets(const std::vector<std::string>& classes) const {
  return channel_rules(data_->params.targets, Dataset::targets(classes), classes);
}

}  // namespace nephron
