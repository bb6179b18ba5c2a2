#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/geojson.hpp>
#include <nephron/labels.hpp>
#include <nephron/log.hpp>
#include <nephron/room.hpp>
#include <nephron/schema.hpp>

namespace nephron {

/// Place of a class in the experiment's `classes`. Throws ParameterError that lists them when it is not one.
NEPHRON_API int class_number(const std::string& name, const std::vector<std::string>& classes);

/// A line of `objects = [{ name = "FC", class = "unhealthy" }]`: a parameter of datasets whose annotation files name
/// their objects.
struct ObjectRule {
  std::string name;        ///< in the annotation file; empty: objects without a name
  std::string class_name;  ///< of the experiment; empty: such objects are left out
  Room room{};
  static void describe(Schema<ObjectRule>& s) {
    s.field("name", &ObjectRule::name, "what annotation files call the objects; empty: those without a name");
    s.field("class", &ObjectRule::class_name, "of the experiment; empty: such objects are left out");
  }
};

/// Which classes of the experiment annotated objects have, by their names. Names are compared without regard to case. A
/// name may have several classes, or none. Const calls are thread-safe.
class NEPHRON_API ObjectClasses {
 public:
  ObjectClasses() = default;
  /// Throws ParameterError for a class that the experiment has not.
  ObjectClasses(const std::vector<ObjectRule>& rules, const std::vector<std::string>& classes);

  void add(std::string name, int class_index);
  void leave_out(std::string name);
  /// Objects of these names are ignored (AnnotationSink::ignored), and nothing else; what was said of them before does
  /// not count. <nephron/ignored.hpp> has the parameter.
  void ignore(const std::vector<std::string>& names);
  /// What add(), leave_out() and ignore() said. Throws ParameterError that begins with `where` when they said nothing
  /// of the name.
  std::vector<int> of(std::string_view name, std::string_view where) const;
  /// Gives every part of every object to the sink; says in the log which features are no objects.
  void annotate(const AnnotatedObjects& objects, std::string_view where, AnnotationSink& sink, Log& log) const;
  /// The same of a GeoJSON file.
  void annotate(const std::filesystem::path& file, AnnotationSink& sink, Log& log) const;

 private:
  struct Entry {
    std::string name;
    std::vector<int> classes;
  };
  Entry& entry(std::string name);
  std::vector<Entry> entries_;
  Room room_;
};

}  // namespace nephron
