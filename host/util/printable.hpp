#pragma once

#include <string>
#include <string_view>

namespace nephron::host {

/// Text for a terminal or a log: names of files, slides and classes may hold anything, and an escape sequence among
/// them would be obeyed. Control characters (but line breaks and tabs), directions of writing and what is no UTF-8 come
/// out as "\x1b"; everything else is kept.
std::string printable(std::string_view text);

/// A name within a line or a column: line breaks and tabs come out as "\n" and "\t" too.
std::string printable_name(std::string_view name);

/// A number as people write it: "0.9", "1.97628", six digits at most.
std::string short_number(double value);

/// Prints text made printable.
void print(std::string_view text);
void print_error(std::string_view text);  ///< on the standard error

}  // namespace nephron::host
