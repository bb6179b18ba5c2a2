#include <nephron/object_matching.hpp>

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace nephron {

namespace {

/// Pairs of one class that overlap enough.
std::vector<ObjectPair> candidates(const MeasuredObjects& objects, double least_iou) {
  std::vector<ObjectPair> out;
  for (const ObjectPair& pair : objects.pairs)
    if (pair.iou >= least_iou && objects.found[pair.found].class_index == objects.truth[pair.truth].class_index)
      out.push_back(pair);
  return out;
}

/// In their order, those whose objects are both free.
std::vector<ObjectPair> free_ones(const std::vector<ObjectPair>& pairs, const MeasuredObjects& objects) {
  std::vector<ObjectPair> out;
  std::vector<bool> found(objects.found.size()), truth(objects.truth.size());
  for (const ObjectPair& pair : pairs) {
    if (found[pair.found] || truth[pair.truth]) continue;
    found[pair.found] = truth[pair.truth] = true;
    out.push_back(pair);
  }
  return out;
}

}  // namespace

std::vector<ObjectPair> matched_by_iou(const MeasuredObjects& objects, double least_iou) {
  std::vector<ObjectPair> pairs = candidates(objects, least_iou);
  std::sort(pairs.begin(), pairs.end(), [](const ObjectPair& a, const ObjectPair& b) {
    return std::tuple(-a.iou, a.found, a.truth) < std::tuple(-b.iou, b.found, b.truth);
  });
  std::vector<ObjectPair> out = free_ones(pairs, objects);
  std::sort(out.begin(), out.end(), [](const ObjectPair& a, const ObjectPair& b) { return a.found < b.found; });
  return out;
}

std::vector<ObjectPair> matched_by_confidence(const MeasuredObjects& objects, double least_iou) {
  std::vector<ObjectPair> pairs = candidates(objects, least_iou);
  const auto confidence = [&](const ObjectPair& pair) { return objects.found[pair.found].confidence; };
  std::sort(pairs.begin(), pairs.end(), [&](const ObjectPair& a, const ObjectPair& b) {
    return std::tuple(-confidence(a), a.found, -a.iou, b.truth) < std::tuple(-confidence(b), b.found, -b.iou, a.truth);
  });
  return free_ones(pairs, objects);
}

}  // namespace nephron
