#pragma once

#include <string>

#include <host/config/components.hpp>
#include <host/config/experiment.hpp>

namespace nephron::host {

// experiment.resolved.toml of a run: every key with its value, defaults too, so that a later default changes no old
// run; behind each the place where its value was written. The first line holds the hash of the rest.

/// Origin of a value that belongs to the resolved file itself: paths in it are relative to that.
inline constexpr const char* origin_of_this_file = "this file";

std::string resolved_file(const Experiment& experiment, const Components& components);

/// Gives the values of such a file the places that it names, so that errors speak of the files that a person wrote.
/// Does nothing with any other text, and nothing when the file was edited: its places may be wrong then.
void take_origins(const std::string& text, Value& parsed);

/// The text was made by resolved_file() and is not what that made any more.
bool was_edited(const std::string& text);

}  // namespace nephron::host
