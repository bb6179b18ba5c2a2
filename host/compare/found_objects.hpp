#pragma once

#include <cstddef>
#include <cstdint>
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

/// An object whose fate changed between two runs.
struct ChangedObject {
  ObjectFate fate = ObjectFate::won;  ///< won, lost: a true one; gained, gone: a false one
  SlideKey slide;
  std::string donor, of_class;
  Region box;                            ///< at the level that was measured
  double iou_before = 0, iou_after = 0;  ///< of true ones
  double confidence = 0;                 ///< of false ones
};

/// The objects of a run beside those of the first one, slide by slide.
struct ObjectComparisonOfRuns {
  std::size_t run = 0;
  std::size_t kept = 0, won = 0, lost = 0, missed = 0;           ///< true objects: found by both, by one, by neither
  std::size_t false_kept = 0, false_gained = 0, false_gone = 0;  ///< found objects that are none
  std::vector<ChangedObject> changed;
  /// By donor, tested as every figure: the share of true objects found, and false ones a slide.
  Finding found, false_ones;
  /// Of all objects together, with the interval of donors drawn anew.
  double share_before = 0, share_after = 0;
  BootstrapIntervals share_difference;
};

/// Throws Error for damaged tables. Slides are those of the table.
ObjectComparisonOfRuns compare_objects(const std::vector<MeasuredRun>& runs, std::size_t first, std::size_t run,
                                       const ValueTable& table, std::uint64_t seed);

}  // namespace nephron::host
