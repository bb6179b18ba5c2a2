#include <host/metrics/object_comparison.hpp>

#include <algorithm>
#include <unordered_map>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

struct OwnedRun {
  RowRun run;
  std::uint32_t owner;
};

/// The runs of all objects, row by row.
std::vector<OwnedRun> runs_of(std::span<const FoundObject> objects) {
  std::vector<OwnedRun> out;
  std::size_t n = 0;
  for (const FoundObject& object : objects) n += object.runs.size();
  out.reserve(n);
  for (std::size_t i = 0; i < objects.size(); ++i)
    for (const RowRun& run : objects[i].runs) out.push_back({run, static_cast<std::uint32_t>(i)});
  std::sort(out.begin(), out.end(), [](const OwnedRun& a, const OwnedRun& b) { return a.run < b.run; });
  return out;
}

void add_measured(std::vector<MeasuredObject>& out, std::size_t class_index, const std::vector<FoundObject>& objects,
                  const std::vector<FoundObject>& others) {
  const std::vector<bool> hits = centre_hits(objects, others);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const FoundObject& o = objects[i];
    out.push_back({.class_index = class_index,
                   .box = o.box,
                   .area = o.area,
                   .centroid = o.centroid,
                   .confidence = o.confidence,
                   .mean_probability = o.mean_probability,
                   .centre_hits = hits[i]});
  }
}

}  // namespace

std::vector<ObjectPair> pairs_of(std::span<const FoundObject> found, std::span<const FoundObject> truth,
                                 std::size_t first_found, std::size_t first_truth) {
  const std::vector<OwnedRun> a = runs_of(found), b = runs_of(truth);
  std::unordered_map<std::uint64_t, std::int64_t> common;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const RowRun &p = i->run, &q = j->run;
    if (p.y == q.y)
      if (const std::int32_t n = std::min(p.end, q.end) - std::max(p.first, q.first); n > 0)
        common[(std::uint64_t{i->owner} << 32) | j->owner] += n;
    const bool p_first = p.y != q.y ? p.y < q.y : p.end < q.end;
    ++(p_first ? i : j);
  }
  std::vector<ObjectPair> out;
  for (const auto& [key, pixels] : common) {
    const std::size_t f = key >> 32, t = key & 0xFFFFFFFFU;
    const auto either = static_cast<double>(found[f].area + truth[t].area - pixels);
    out.push_back({first_found + f, first_truth + t, pixels, static_cast<double>(pixels) / either});
  }
  std::sort(out.begin(), out.end(), [](const ObjectPair& x, const ObjectPair& y) {
    return x.found != y.found ? x.found < y.found : x.truth < y.truth;
  });
  return out;
}

std::vector<bool> centre_hits(std::span<const FoundObject> objects, std::span<const FoundObject> others) {
  const std::vector<OwnedRun> runs = runs_of(others);
  std::vector<bool> out;
  for (const FoundObject& object : objects) {
    const auto x = static_cast<std::int64_t>(object.centre().x), y = static_cast<std::int64_t>(object.centre().y);
    const auto after = std::partition_point(
        runs.begin(), runs.end(), [&](const OwnedRun& r) { return r.run.y < y || (r.run.y == y && r.run.first <= x); });
    out.push_back(after != runs.begin() && std::prev(after)->run.y == y && x < std::prev(after)->run.end);
  }
  return out;
}

void ObjectComparison::rows(std::int64_t y, const ImageView& predicted, const ImageView& truth,
                            const ImageView& probability) {
  const bool sound = predicted.channels == 1 && truth.channels == 1 && predicted.depth == Depth::u8 &&
                     truth.depth == Depth::u8 && predicted.size() == truth.size();
  if (!sound) throw Error("masks of a class are compared that are no bytes, or of different sizes");
  if (!probability.empty() && (!(probability.size() == predicted.size()) || probability.depth != Depth::f32))
    throw Error("probabilities of a class are no 32-bit floats, or of another size than its masks");
  for (std::int64_t i = 0; i < predicted.height; ++i) {
    runs_of_row(predicted.row<const std::uint8_t>(i), predicted.width, y + i, predicted_runs_);
    runs_of_row(truth.row<const std::uint8_t>(i), truth.width, y + i, truth_runs_);
    for (const RowRun& run : predicted_runs_) overlap_.predicted += run.length();
    for (const RowRun& run : truth_runs_) overlap_.truth += run.length();
    overlap_.both += common_pixels(predicted_runs_, truth_runs_);
    found_.row(y + i, predicted_runs_, probability.empty() ? nullptr : probability.row<const float>(i));
    truth_.row(y + i, truth_runs_);
  }
}

ComparedObjects ObjectComparison::finish() {
  ComparedObjects out{found_.finish(), truth_.finish(), overlap_};
  overlap_ = {};
  return out;
}

MeasuredObjects measured_objects(std::span<const ComparedObjects> classes) {
  MeasuredObjects out;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    add_measured(out.found, c, classes[c].found, classes[c].truth);
    add_measured(out.truth, c, classes[c].truth, classes[c].found);
  }
  std::size_t first_found = 0;
  for (const ComparedObjects& a : classes) {
    std::size_t first_truth = 0;
    std::vector<ObjectPair> pairs;
    for (const ComparedObjects& b : classes) {
      const std::vector<ObjectPair> more = pairs_of(a.found, b.truth, first_found, first_truth);
      pairs.insert(pairs.end(), more.begin(), more.end());
      first_truth += b.truth.size();
    }
    std::sort(pairs.begin(), pairs.end(), [](const ObjectPair& x, const ObjectPair& y) {
      return x.found != y.found ? x.found < y.found : x.truth < y.truth;
    });
    out.pairs.insert(out.pairs.end(), pairs.begin(), pairs.end());
    first_found += a.found.size();
  }
  return out;
}

}  // namespace nephron::host
