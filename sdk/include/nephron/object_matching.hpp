#pragma once

#include <span>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/metric.hpp>

namespace nephron {

/// Pairs, no object in two of them, of objects of one class whose IoU is at least `least_iou`: the pair of largest IoU
/// first, of equal ones the earlier objects. At 0.5 and above no object has a choice (but where both are exactly 0.5),
/// and these are all pairs that can be; below, it is the usual greedy choice, and another one may have more pairs.
/// By found.
NEPHRON_API std::vector<ObjectPair> matched_by_iou(const MeasuredObjects& objects, double least_iou);

/// As COCO's evaluation chooses: found objects of one class by falling confidence (of equal ones the earlier first),
/// each takes the free true object of its class with the largest IoU of at least `least_iou` (of equal ones the later).
/// By falling confidence.
NEPHRON_API std::vector<ObjectPair> matched_by_confidence(const MeasuredObjects& objects, double least_iou);

}  // namespace nephron
