#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/schema.hpp>

namespace nephron {

/// Declares `ignore = ["artefact", "unsure"]`, a parameter of datasets whose annotation files give what they annotate
/// names: those whose pixels are not annotated (AnnotationSink::ignored). Case does not count.
template <class T>
void describe_ignore(Schema<T>& s, std::vector<std::string> T::*member) {
  s.field("ignore", member,
          "names in the annotation whose pixels count in no loss and in no figure: not annotated, or not to be told");
}

/// True when `names` holds the name, as describe_ignore() means it.
NEPHRON_API bool is_ignored(std::string_view name, const std::vector<std::string>& names);

}  // namespace nephron
