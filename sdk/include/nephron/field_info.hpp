#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/room.hpp>
#include <nephron/value.hpp>

namespace nephron {

/// A component named in an experiment: `{ type = "focal", gamma = 2 }`. As a field it is checked against the named
/// component's own schema.
struct ComponentSpec {
  std::string type;
  Value params;   ///< the component's own keys
  Source source;  ///< of the table
  Room room{};
};

/// Type-erased facts of one parameter: what `describe`, the JSON schema and the documentation show.
struct NEPHRON_API FieldInfo {
  std::string name;
  std::string doc;
  std::string type;  ///< "bool", "int", "float", "string", "path", "array", "table", "component"
  Value fallback;    ///< default; null when required or "unset"
  bool required = false;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;
  std::string unit;
  bool must_exist = false;             ///< of "path": a file or folder that has to be there
  std::string component_kind;          ///< of "component", and of arrays of them
  std::shared_ptr<FieldInfo> element;  ///< of "array"
  std::int64_t length = -1;            ///< of "array": fixed length, or -1
  std::vector<FieldInfo> members;      ///< of "table"
  std::string shared_kind;             ///< of "table": the kind of the component that shares it, or ""
  Room room{};
};

/// Told of every component that a file names, so that the host can check it against that component's schema.
class NEPHRON_API ComponentVisitor {
 public:
  virtual ~ComponentVisitor();
  /// `own`: fields of the table that its holder reads itself, such as the weight of a loss term.
  virtual void component(std::string_view kind, const ComponentSpec& spec, const Source& type_source,
                         const std::vector<FieldInfo>& own, Diagnostics& faults) = 0;
};

/// What decoding needs besides the value.
struct DecodeContext {
  Diagnostics& faults;
  ComponentVisitor* visitor = nullptr;
  /// Keys of the table that somebody else reads: known to "did you mean".
  const std::vector<FieldInfo>* others = nullptr;
  Room room{};
};

}  // namespace nephron
