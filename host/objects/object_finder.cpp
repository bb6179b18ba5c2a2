#include <host/objects/object_finder.hpp>

#include <algorithm>
#include <array>
#include <string>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/objects/holes.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t least_specks = 4096;

void require_sound(const ImageView& mask, const ImageView& probability, std::int64_t width) {
  if (mask.channels != 1 || !is_label_depth(mask.depth)) throw Error("rows of a mask are one channel of labels");
  if (mask.width > std::numeric_limits<std::int32_t>::max())
    throw Error("a mask of over 2^31 columns is too large for its objects to be found");
  if (width != 0 && mask.width != width)
    throw Error("rows of " + std::to_string(mask.width) + " px follow rows of " + std::to_string(width) + " px");
  if (!probability.empty() &&
      (!(probability.size() == mask.size()) || probability.channels != 1 || probability.depth != Depth::f32))
    throw Error("probabilities are one channel of 32-bit floats, of the mask's size");
}

Region box_of(const std::vector<RowRun>& runs) {
  std::int64_t left = std::numeric_limits<std::int64_t>::max(), right = 0;
  for (const RowRun& run : runs) {
    left = std::min<std::int64_t>(left, run.first);
    right = std::max<std::int64_t>(right, run.end);
  }
  return {left, runs.front().y, right - left, runs.back().y + 1 - runs.front().y};
}

/// Area, box and centroid of its runs.
void measure(FoundObject& object) {
  double x = 0, y = 0;
  object.area = 0;
  for (const RowRun& run : object.runs) {
    const auto n = static_cast<double>(run.length());
    object.area += run.length();
    x += n * (run.first + run.end - 1) / 2.0;
    y += n * run.y;
  }
  object.box = box_of(object.runs);
  object.centroid = {x / static_cast<double>(object.area), y / static_cast<double>(object.area)};
}

}  // namespace

bool FoundObject::contains(std::int64_t x, std::int64_t y) const noexcept { return holds_pixel(runs, x, y); }

void ObjectFinder::Sums::add(const float* probability, std::int64_t n) {
  // Lanes of their own, so that the loop is one of vectors, and parts short enough for floats; the same ones for each
  // run, whatever its band.
  constexpr std::int64_t lanes = 16, longest = 256 * lanes;
  for (; n > 0; n -= longest, probability += longest) {
    const std::int64_t part = std::min(n, longest), whole = part / lanes * lanes;
    std::array<float, lanes> total{}, largest{};
    largest.fill(most);
    const auto take = [&](std::size_t lane, float p) {
      total[lane] += p;
      largest[lane] = largest[lane] < p ? p : largest[lane];
    };
    for (std::int64_t x = 0; x < whole; x += lanes)
      for (std::size_t i = 0; i < lanes; ++i) take(i, probability[x + static_cast<std::int64_t>(i)]);
    for (std::int64_t x = whole; x < part; ++x) take(static_cast<std::size_t>(x - whole), probability[x]);
    pixels += part;
    for (std::size_t i = 0; i < lanes; ++i) sum += total[i], most = std::max(most, largest[i]);
  }
}

void ObjectFinder::Sums::join(const Sums& other) {
  sum += other.sum;
  pixels += other.pixels;
  most = std::max(most, other.most);
}

void ObjectFinder::Part::add(std::int64_t y, std::int64_t first, std::int64_t end, const float* probability) {
  runs.push_back({static_cast<std::int32_t>(y), static_cast<std::int32_t>(first), static_cast<std::int32_t>(end)});
  top = std::min(top, y);
  if (probability != nullptr) sums.add(probability + first, end - first);
}

void ObjectFinder::Part::join(Part&& other) {
  if (runs.size() < other.runs.size()) std::swap(runs, other.runs);
  runs.insert(runs.end(), other.runs.begin(), other.runs.end());
  sums.join(other.sums);
  top = std::min(top, other.top);
}

ObjectFinder::ObjectFinder(ObjectOptions options) : options_(options), most_specks_(least_specks) {}

void ObjectFinder::rows(std::int64_t y, const ImageView& mask, const ImageView& probability) {
  if (mask.empty()) return;
  require_sound(mask, probability, width_);
  width_ = mask.width;
  const bool bytes = mask.depth == Depth::u8 && (options_.bits & 0xFFU) == 0xFFU;
  for (std::int64_t i = 0; i < mask.height; ++i) {
    const float* const p = probability.empty() ? nullptr : probability.row<const float>(i);
    begin_row(y + i);
    const auto add = [&](std::int64_t first, std::int64_t end) { joiner_.add(first, end, p); };
    if (bytes) for_each_run(mask.row<const std::uint8_t>(i), mask.width, add);
    else
      with_label_type(mask.depth, [&](auto zero) {
        for_each_run(mask.row<const decltype(zero)>(i), mask.width, options_.bits, add);
      });
  }
}

void ObjectFinder::begin_row(std::int64_t y) {
  if (y < next_row_)
    throw Error("row " + std::to_string(y) + " of a mask follows row " + std::to_string(next_row_ - 1) +
                "; rows come in rising order");
  if (y >= std::numeric_limits<std::int32_t>::max())
    throw Error("a mask of over 2^31 rows is too large for its objects to be found");
  joiner_.begin_row(y, [&](Part&& part) { close(std::move(part)); });
  next_row_ = y + 1;
}

void ObjectFinder::row(std::int64_t y, std::span<const RowRun> runs, const float* probability) {
  begin_row(y);
  for (const RowRun& run : runs) joiner_.add(run.first, run.end, probability);
}

void ObjectFinder::close(Part&& part) {
  if (!std::is_sorted(part.runs.begin(), part.runs.end())) std::sort(part.runs.begin(), part.runs.end());
  part.runs.shrink_to_fit();
  Closed closed;
  closed.object.runs = std::move(part.runs);
  closed.sums = part.sums;
  measure(closed.object);
  if (options_.fill_holes > 0) fill_holes(closed);
  if (closed.object.area < options_.least_area) {
    if (options_.fill_holes <= 0) return;
    ++specks_;
  }
  closed_.push_back(std::move(closed));
  if (specks_ > most_specks_) drop_specks();
}

void ObjectFinder::fill_holes(Closed& outer) {
  const std::vector<RowRun> holes = holes_of(outer.object.runs, outer.object.box, options_.fill_holes);
  if (holes.empty()) return;
  outer.object.runs = joined_runs(outer.object.runs, holes);
  measure(outer.object);
  // What lies in a hole ended below the top of the object, and was closed before it.
  const auto since = std::partition_point(closed_.begin(), closed_.end(), [&](const Closed& c) {
    return c.object.box.y + c.object.box.height <= outer.object.box.y;
  });
  for (auto inner = since; inner != closed_.end(); ++inner) {
    const RowRun& first = inner->object.runs.front();
    if (inner->swallowed || !holds_pixel(holes, first.first, first.y)) continue;
    outer.sums.join(inner->sums);
    inner->swallowed = true;
    if (inner->object.area >= options_.least_area) ++specks_;
    inner->object.runs.resize(1);
    inner->object.runs.shrink_to_fit();
  }
}

/// Only an object that is open, and began above it, can lie around a speck.
void ObjectFinder::drop_specks() {
  std::int64_t top = next_row_;
  joiner_.for_each_open([&](const Part& part) { top = std::min(top, part.top); });
  std::erase_if(closed_, [&](const Closed& c) {
    const bool speck = c.swallowed || c.object.area < options_.least_area;
    const bool drop = speck && (c.swallowed || c.object.box.y <= top);
    if (drop) --specks_;
    return drop;
  });
  most_specks_ = std::max(least_specks, 2 * specks_);
}

std::vector<FoundObject> ObjectFinder::finish() {
  joiner_.finish([&](Part&& part) { close(std::move(part)); });
  std::vector<FoundObject> out;
  for (Closed& c : closed_) {
    if (c.swallowed || c.object.area < options_.least_area) continue;
    if (c.sums.pixels > 0) {
      c.object.confidence = c.sums.most;
      c.object.mean_probability = c.sums.sum / static_cast<double>(c.sums.pixels);
    }
    out.push_back(std::move(c.object));
  }
  std::sort(out.begin(), out.end(), [](const FoundObject& a, const FoundObject& b) { return a.runs[0] < b.runs[0]; });
  *this = ObjectFinder(options_);
  return out;
}

}  // namespace nephron::host
