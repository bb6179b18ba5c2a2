#pragma once

#include <string>
#include <string_view>

#include <nephron/export.hpp>

namespace nephron {

/// What a folder is called that belongs to a name, of a class or an experiment, wherever nephron makes one: letters,
/// digits, '-', '_', '.' and whatever is not ASCII stay, everything else becomes '_'; a leading dot gets one before it.
/// Names that differ can have one folder ("a b" and "a/b"): who makes several folders side by side asks first.
NEPHRON_API std::string folder_name(std::string_view name);

}  // namespace nephron
