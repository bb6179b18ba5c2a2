#pragma once

#include <filesystem>
#include <vector>

#include <host/config/splits_file.hpp>
#include <host/data/listing.hpp>

namespace nephron::host {

// Folds are dealt over the listing, before any pixel is touched, so that a slide that cannot be read moves no other.
// Each function gives one Splits::Slide for every slide of the listing, in its order.

/// The folds of an experiment: those of data.folds.file, or slides and donors dealt in turn. Throws ConfigError for
/// slides that the file does not name.
Splits splits_of(const Listing& listing);

/// The same, but slides that data.folds.file does not name are dealt on: each to the fold with the fewest, or to its
/// donor's. What the file names besides stays in it, at the end.
Splits extended_splits(const Listing& listing);

/// The folds that a run wrote down. Throws Error that names the slides when the listing has lost some, has new ones, or
/// has some that would be dealt otherwise now.
Splits splits_of_run(const Listing& listing, const std::filesystem::path& file);

/// Throws ConfigError when one of the folds `which` would hold out no slide. One fold of an experiment that holds out
/// none at all may be trained.
void require_held_out(const Listing& listing, const Splits& splits, const std::vector<int>& which);

/// Quoted names, the first ones and how many there are besides: "a", "b" and 12 more.
std::string list_of_names(const std::vector<std::string>& names);

}  // namespace nephron::host
