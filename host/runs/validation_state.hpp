#pragma once

#include <filesystem>
#include <string>

#include <host/runs/run.hpp>
#include <host/util/checked_json.hpp>

namespace nephron::host {

/// Where `nephron validate RUN` leaves its figures.
inline std::filesystem::path validation_scores(const std::filesystem::path& run) {
  return run / "validation" / "scores.json";
}

/// They are there, and of a validation that came to its end. Throws Error where the file is damaged.
bool is_validated(const std::filesystem::path& run);

/// The checkpoint that "best", "last" or "average" means in a fold now: "step-40". Empty where it is not there.
std::string checkpoint_now(const FoldFolder& fold, const std::string& which);

/// In which folds a validation (its scores.json) measured other weights than those that its run has by that name now,
/// because it was trained further: "fold 0 at step-20, which is at step-60 now". Empty where nothing changed, and where
/// the validation does not say what it measured.
std::string weights_since(const std::filesystem::path& run, const JsonNode& scores);

/// Why the figures of a validation are not those of its run as it is: "cut short", "only folds 0, 1", "of older
/// weights:
/// ..."; empty where they are.
std::string validation_fault(const std::filesystem::path& run, const JsonNode& scores);

}  // namespace nephron::host
