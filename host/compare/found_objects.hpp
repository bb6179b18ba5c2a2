#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

#include <host/compare/finding.hpp>
#include <host/compare/measured_run.hpp>

namespace nephron::host {

/// A true object is found where a found one of its class overlaps it by this much (IoU); a found one is false where no
/// true one does.
inline constexpr double found_from = 0.5;

enum class ObjectFate { won, lost, gained, gone };

/// An object whose fate changed between two sides. Of a side of several seeds, found means: by more than half of them.
struct ChangedObject {
  ObjectFate fate = ObjectFate::won;  ///< won, lost: a true one; gained, gone: a false one
  SlideKey slide;
  std::string donor, of_class;
  Region box;                                ///< at the level that was measured
  double iou_before = 0, iou_after = 0;      ///< of true ones; mean over the seeds
  double share_before = 0, share_after = 0;  ///< of true ones: of the seeds that found it
  double confidence = 0;                     ///< of false ones
};

/// The same false object in two runs, or in one of them only.
struct FalseFates {
  std::size_t kept = 0, gained = 0, gone = 0;
};

/// The objects of a side beside those of the first one, slide by slide.
struct ObjectDifferences {
  std::size_t side = 0;
  std::size_t kept = 0, won = 0, lost = 0, missed = 0;  ///< true objects: found by both, by one, by neither
  double false_before = 0, false_after = 0;             ///< found objects that are none; mean over the seeds
  std::optional<FalseFates> false_fates;                ///< of one run beside another: seeds have each their own
  std::vector<ChangedObject> changed;
  /// By donor, tested as every figure: the share of true objects found, and false ones a slide.
  Finding found, false_ones;
  /// Of all objects together, with the interval of donors drawn anew.
  double share_before = 0, share_after = 0;
  BootstrapIntervals share_difference;
};

/// Every side beside the first. Throws Error for damaged tables. Slides are those of the table.
std::vector<ObjectDifferences> compare_objects(const std::vector<MeasuredRun>& runs, const std::vector<Side>& sides,
                                               const ValueTable& table, std::uint64_t seed);

}  // namespace nephron::host
