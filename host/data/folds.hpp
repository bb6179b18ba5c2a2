#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/data/prepared.hpp>

namespace nephron::host {

/// The name of the [[dataset]] that a slide is of.
const std::string& dataset_name(const Experiment& experiment, const PreparedSlide& slide);

/// The slides of one fold, as indices into PreparedData::slides. All are annotated.
struct FoldSlides {
  std::vector<std::size_t> training;
  std::vector<std::size_t> held_out;
};
FoldSlides slides_of(const PreparedData& data, int fold);

/// Throws Error when every slide that the fold should hold out was lost.
void require_left(const PreparedData& data, const Splits& splits, int fold);

/// Throws Error when labels of the fold's training were made by networks that saw its held-out slides (FoldRules).
void require_unseen(const PreparedData& data, int fold);

/// What makes a fold's Dice better than it is, a sentence each: a donor on both sides, slides with equal pixels. Which
/// of the folds it concerns is said. Empty: nothing was found.
std::vector<std::string> leaks(const Experiment& experiment, const PreparedData& data, const std::vector<int>& which);

/// Writes a fold's slides.json, ids, datasets, donors, files, reductions and digests of both sides, or compares it with
/// the one that is there: a fold goes on with the slides that it began with. Throws Error that names those that differ.
void settle_fold_slides(const std::filesystem::path& file, const Experiment& experiment, const PreparedData& data,
                        const FoldSlides& slides);
/// Ids of all slides that networks of a run were trained on, from slides.json; nothing when a fold has none.
std::optional<std::vector<std::string>> trained_on(const std::filesystem::path& run, const std::vector<int>& folds);

}  // namespace nephron::host
