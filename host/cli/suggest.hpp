#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace nephron::host {

/// What a person who gave these arguments probably meant: "unknown command "trian"; did you mean "train"?", or the same
/// of an option. "" when every command and option is known, or nothing is near.
std::string suggestion(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace nephron::host
