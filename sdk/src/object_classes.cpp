#include <nephron/object_classes.hpp>

#include <algorithm>
#include <cctype>

#include <nephron/ignored.hpp>
#include <nephron/parameter_error.hpp>

namespace nephron {

namespace {

std::string quoted(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "\"" : ", \"") + name + "\"";
  return out;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

bool is_ignored(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return same(n, name); });
}

int class_number(const std::string& name, const std::vector<std::string>& classes) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found != classes.end()) return static_cast<int>(found - classes.begin());
  const std::string near = nearest(name, classes);
  throw ParameterError("\"" + name + "\" is not one of the experiment's classes: " + quoted(classes),
                       near.empty() ? "" : "did you mean \"" + near + "\"?");
}

ObjectClasses::ObjectClasses(const std::vector<ObjectRule>& rules, const std::vector<std::string>& classes) {
  for (const ObjectRule& rule : rules) {
    if (rule.class_name.empty()) leave_out(rule.name);
    else add(rule.name, class_number(rule.class_name, classes));
  }
}

ObjectClasses::Entry& ObjectClasses::entry(std::string name) {
  for (Entry& e : entries_)
    if (same(e.name, name)) return e;
  return entries_.emplace_back(Entry{std::move(name), {}});
}

void ObjectClasses::add(std::string name, int class_index) {
  std::vector<int>& classes = entry(std::move(name)).classes;
  if (std::find(classes.begin(), classes.end(), class_index) == classes.end()) classes.push_back(class_index);
}

void ObjectClasses::leave_out(std::string name) { entry(std::move(name)); }

void ObjectClasses::ignore(const std::vector<std::string>& names) {
  for (const std::string& name : names) entry(name).classes = {AnnotationSink::ignored};
}

std::vector<int> ObjectClasses::of(std::string_view name, std::string_view where) const {
  std::vector<std::string> known;
  for (const Entry& e : entries_) {
    if (same(e.name, name)) return e.classes;
    if (!e.name.empty()) known.push_back(e.name);
  }
  throw ParameterError(std::string(where) +
                           (name.empty() ? ": an object has no classification"
                                         : ": an object is classified as \"" + std::string(name) + "\"") +
                           "; expected one of " + quoted(known),
                       "correct the file, or say in the dataset's parameters which class such objects have");
}

void ObjectClasses::annotate(const AnnotatedObjects& objects, std::string_view where, AnnotationSink& sink,
                             Log& log) const {
  for (const AnnotatedObject& object : objects.objects) {
    const std::string place =
        object.id.empty() ? std::string(where) : std::string(where) + ", object \"" + object.id + "\"";
    for (const int c : of(object.class_name, place))
      for (const Polygon& part : object.parts) sink.polygon(c, part);
  }
  for (const SkippedFeature& skipped : objects.skipped)
    log.warning(std::string(where) + ": feature " + std::to_string(skipped.number) + " is left out: " + skipped.why);
}

void ObjectClasses::annotate(const std::filesystem::path& file, AnnotationSink& sink, Log& log) const {
  annotate(read_geojson(file), file.string(), sink, log);
}

}  // namespace nephron
