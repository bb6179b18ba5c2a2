#include <host/data/label_index.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/objects/row_joiner.hpp>
#include <host/objects/row_run.hpp>
#include <host/store/bit_counts.hpp>

namespace nephron::host {

struct LabelIndex::Sums {
  std::once_flag once;
  std::vector<std::vector<std::uint32_t>> of_class;
};

struct LabelIndex::Objects {
  std::mutex mutex;
  std::vector<std::optional<std::vector<Region>>> of_class;
};

struct LabelIndex::Counts {
  std::shared_mutex mutex;
  std::map<std::uint32_t, std::vector<std::int64_t>> of_set;  // whose elements stay where they are
};

struct LabelIndex::Strip {
  std::int64_t left;
  Image pixels;
};

LabelIndex::LabelIndex(Size size, std::vector<std::uint32_t> presence, int classes, Pixels pixels)
    : size_(size),
      classes_(classes),
      across_((size.width + block - 1) / block),
      down_((size.height + block - 1) / block),
      present_(std::move(presence)),
      pixels_(std::move(pixels)),
      sums_(std::make_shared<Sums>()),
      objects_(std::make_shared<Objects>()),
      block_counts_(std::make_shared<Counts>()) {
  objects_->of_class.resize(static_cast<std::size_t>(classes));
  if (present_.size() != static_cast<std::size_t>(across_ * down_)) throw Error("a label index has the wrong size");
}

namespace {

/// The box of a part, and where its first row begins.
struct PartBox {
  std::int64_t left = 0, top = -1, right = 0, bottom = 0, begins = 0;

  void add(std::int64_t y, std::int64_t first, std::int64_t end) { join({first, y, end, y + 1, first}); }
  void join(const PartBox& other) {
    if (top < 0) return void(*this = other);
    begins = std::tie(top, begins) < std::tie(other.top, other.begins) ? begins : other.begins;
    left = std::min(left, other.left), top = std::min(top, other.top);
    right = std::max(right, other.right), bottom = std::max(bottom, other.bottom);
  }
};

/// True when a pixel of the region, which lies inside, has one of the bits.
bool any_in(const ImageView& labels, const Region& r, std::uint32_t bits) {
  return with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = r.y; y < r.y + r.height; ++y) {
      const auto* row = labels.row<const decltype(zero)>(y);
      for (std::int64_t x = r.x; x < r.x + r.width; ++x)
        if ((row[x] & bits) != 0) return true;
    }
    return false;
  });
}

Image owned(const ImageView& part) {
  Image out(part.size(), 1, part.depth);
  copy(part, out.view());
  return out;
}

/// Pixels of a region, which lies inside, that have one of the bits.
std::int64_t pixels_with(const ImageView& labels, const Region& r, std::uint32_t bits) {
  std::int64_t out = 0;
  with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = r.y; y < r.y + r.height; ++y) {
      const auto* row = labels.row<const decltype(zero)>(y);
      for (std::int64_t x = r.x; x < r.x + r.width; ++x) out += (row[x] & bits) != 0 ? 1 : 0;
    }
  });
  return out;
}

/// The blocks that lie inside a region of pixels.
Region whole_blocks(const Region& r) {
  constexpr std::int64_t block = LabelIndex::block;
  const std::int64_t x = (r.x + block - 1) / block, y = (r.y + block - 1) / block;
  const Region out{x, y, (r.x + r.width) / block - x, (r.y + r.height) / block - y};
  return out.empty() ? Region{} : out;
}

std::size_t blocks_along(std::int64_t side) {
  return static_cast<std::size_t>((side + LabelIndex::block - 1) / LabelIndex::block);
}

}  // namespace

LabelIndex::LabelIndex(const ImageView& labels, int classes)
    : LabelIndex(labels.size(), std::vector<std::uint32_t>(blocks_along(labels.width) * blocks_along(labels.height)),
                 classes,
                 {[labels](const Region& r, std::uint32_t bits) { return any_in(labels, r, bits); },
                  [labels](const Region& r) { return owned(labels.crop(r)); }}) {
  with_label_type(labels.depth, [&](auto zero) {
    for (std::int64_t y = 0; y < labels.height; ++y) {
      const auto* row = labels.row<const decltype(zero)>(y);
      std::uint32_t* blocks = present_.data() + (y / block) * across_;
      for (std::int64_t x = 0; x < labels.width; ++x) blocks[x / block] |= row[x];
    }
  });
  BitCounts counts;
  counts.add(labels);
  counts_ = counts.of_first(static_cast<std::size_t>(classes));
  if (classes < most_classes) ignored_ = counts.of(static_cast<std::size_t>(classes));
}

void LabelIndex::make_sums() const {
  sums_->of_class.resize(static_cast<std::size_t>(classes_));
  const auto wide = static_cast<std::size_t>(across_ + 1);
  for (std::size_t c = 0; c < sums_->of_class.size(); ++c) {
    auto& s = sums_->of_class[c];
    s.resize(wide * static_cast<std::size_t>(down_ + 1));
    for (std::size_t y = 0; y < static_cast<std::size_t>(down_); ++y)
      for (std::size_t x = 0; x < static_cast<std::size_t>(across_); ++x)
        s[(y + 1) * wide + x + 1] =
            s[y * wide + x + 1] + s[(y + 1) * wide + x] - s[y * wide + x] + (present_[y * (wide - 1) + x] >> c & 1U);
  }
}

bool LabelIndex::any_in_blocks(const Region& b, std::uint32_t classes) const {
  if (b.empty()) return false;
  std::call_once(sums_->once, [this] { make_sums(); });
  const std::int64_t wide = across_ + 1;
  const auto at = [&](std::int64_t x, std::int64_t y) { return static_cast<std::size_t>(y * wide + x); };
  for (std::size_t c = 0; c < sums_->of_class.size(); ++c) {
    if ((classes >> c & 1U) == 0) continue;
    const auto& s = sums_->of_class[c];
    if (s[at(b.x + b.width, b.y + b.height)] - s[at(b.x, b.y + b.height)] - s[at(b.x + b.width, b.y)] +
            s[at(b.x, b.y)] !=
        0)
      return true;
  }
  return false;
}

template <class Visit>
bool LabelIndex::any_on_edge(const Region& r, const Region& inner, std::uint32_t classes, const Visit& visit) const {
  for (std::int64_t by = r.y / block; by * block < r.y + r.height; ++by) {
    const bool inner_row = by >= inner.y && by < inner.y + inner.height;
    for (std::int64_t bx = r.x / block; bx * block < r.x + r.width; ++bx) {
      if (inner_row && inner.width > 0 && bx == inner.x) bx = inner.x + inner.width;
      if (bx * block >= r.x + r.width) break;
      if ((present_[static_cast<std::size_t>(by * across_ + bx)] & classes) == 0) continue;
      if (visit(r.clipped({bx * block, by * block, block, block}))) return true;
    }
  }
  return false;
}

std::int64_t LabelIndex::blocks_with(std::size_t class_index) const {
  if (class_index >= static_cast<std::size_t>(classes_) || present_.empty()) return 0;
  std::call_once(sums_->once, [this] { make_sums(); });
  return sums_->of_class[class_index].back();
}

Pixel LabelIndex::block_of(std::size_t class_index, std::int64_t n) const {
  const auto& s = sums_->of_class[class_index];
  const std::int64_t wide = across_ + 1;
  const auto at = [&](std::int64_t x, std::int64_t y) -> std::int64_t {
    return s[static_cast<std::size_t>(y * wide + x)];
  };
  // The last place up to which there are at most n: first the rows above, then the row's blocks to the left.
  const auto last_at_most = [](std::int64_t places, std::int64_t most, const auto& count) {
    std::int64_t low = 0, high = places;
    while (low + 1 < high) {
      const std::int64_t middle = (low + high) / 2;
      (count(middle) <= most ? low : high) = middle;
    }
    return low;
  };
  const std::int64_t y = last_at_most(down_, n, [&](std::int64_t rows) { return at(across_, rows); });
  const std::int64_t left = n - at(across_, y);
  const std::int64_t x =
      last_at_most(across_, left, [&](std::int64_t blocks) { return at(blocks, y + 1) - at(blocks, y); });
  return {x, y};
}

std::optional<Pixel> LabelIndex::draw(std::size_t class_index, Rng& rng) const {
  const std::int64_t blocks = blocks_with(class_index);
  if (blocks == 0) return std::nullopt;
  const Region all{0, 0, size_.width, size_.height};
  const std::uint32_t bit = 1U << class_index;
  for (int tries = 0; tries < 100000; ++tries) {  // a block that says so holds one of 256 at least
    const Pixel b = block_of(class_index, rng.integer(0, blocks - 1));
    const Region pixel{b.x * block + rng.integer(0, block - 1), b.y * block + rng.integer(0, block - 1), 1, 1};
    if (!pixel.clipped(all).empty() && pixels_.any(pixel, bit)) return Pixel{pixel.x, pixel.y};
  }
  throw Error("the map of labels says that a class is there, and its pixels do not have it");
}

const std::vector<Region>& LabelIndex::objects(std::size_t class_index) const {
  static const std::vector<Region> none;
  if (class_index >= static_cast<std::size_t>(classes_) || present_.empty()) return none;
  const std::lock_guard lock(objects_->mutex);
  auto& found = objects_->of_class[class_index];
  if (!found) found = find_objects(1U << class_index);
  return *found;
}

std::vector<LabelIndex::Strip> LabelIndex::strips(std::int64_t row, std::uint32_t bits) const {
  std::vector<Strip> out;
  const std::int64_t height = std::min(block, size_.height - row * block);
  for (std::int64_t bx = 0; bx < across_; ++bx) {
    const std::int64_t first = bx;
    while (bx < across_ && (present_[static_cast<std::size_t>(row * across_ + bx)] & bits) != 0) ++bx;
    if (bx == first) continue;
    const std::int64_t left = first * block;
    out.push_back({left, pixels_.read({left, row * block, std::min(bx * block, size_.width) - left, height})});
  }
  return out;
}

std::vector<Region> LabelIndex::find_objects(std::uint32_t bit) const {
  std::vector<PartBox> parts;
  const auto close = [&](PartBox&& part) { parts.push_back(part); };
  RowJoiner<PartBox> joiner;
  for (std::int64_t by = 0; by < down_; ++by) {
    const std::vector<Strip> row = strips(by, bit);
    for (std::int64_t y = 0; y < std::min(block, size_.height - by * block); ++y) {
      joiner.begin_row(by * block + y, close);
      for (const auto& strip : row)
        with_label_type(strip.pixels.view().depth, [&](auto zero) {
          for_each_run(strip.pixels.view().row<const decltype(zero)>(y), strip.pixels.size().width, bit,
                       [&](std::int64_t first, std::int64_t end) { joiner.add(strip.left + first, strip.left + end); });
        });
    }
  }
  joiner.finish(close);
  std::sort(parts.begin(), parts.end(),
            [](const PartBox& a, const PartBox& b) { return std::tie(a.top, a.begins) < std::tie(b.top, b.begins); });
  std::vector<Region> out;
  for (const PartBox& p : parts) out.push_back({p.left, p.top, p.right - p.left, p.bottom - p.top});
  return out;
}

std::vector<std::int64_t> LabelIndex::count_blocks(std::uint32_t classes) const {
  const auto wide = static_cast<std::size_t>(across_ + 1);
  std::vector<std::int64_t> sums(wide * static_cast<std::size_t>(down_ + 1)), blocks(wide);
  for (std::int64_t by = 0; by < down_; ++by) {
    std::fill(blocks.begin(), blocks.end(), 0);
    for (const auto& [left, pixels] : strips(by, classes))
      for (std::int64_t x = 0; x < pixels.size().width; x += block) {
        const std::int64_t width = std::min(block, pixels.size().width - x);
        blocks[static_cast<std::size_t>((left + x) / block)] =
            pixels_with(pixels.view(), {x, 0, width, pixels.size().height}, classes);
      }
    std::int64_t here = 0;
    const std::size_t above = static_cast<std::size_t>(by) * wide, below = above + wide;
    for (std::size_t x = 0; x + 1 < wide; ++x) {
      here += blocks[x];
      sums[below + x + 1] = sums[above + x + 1] + here;
    }
  }
  return sums;
}

const std::vector<std::int64_t>& LabelIndex::counts_of(std::uint32_t classes) const {
  {
    const std::shared_lock lock(block_counts_->mutex);
    if (const auto found = block_counts_->of_set.find(classes); found != block_counts_->of_set.end())
      return found->second;
  }
  const std::unique_lock lock(block_counts_->mutex);
  auto& sums = block_counts_->of_set[classes];
  if (sums.empty()) sums = count_blocks(classes);
  return sums;
}

std::int64_t LabelIndex::count(const Region& region, std::uint32_t wanted) const {
  const std::uint32_t classes = wanted & first_bits(classes_);
  const Region r = region.clipped({0, 0, size_.width, size_.height}), inner = whole_blocks(r);
  if (r.empty() || classes == 0) return 0;
  std::int64_t out = 0;
  if (!inner.empty()) {
    const std::vector<std::int64_t>& sums = counts_of(classes);
    const auto at = [&](std::int64_t x, std::int64_t y) {
      return sums[static_cast<std::size_t>(y * (across_ + 1) + x)];
    };
    const std::int64_t right = inner.x + inner.width, below = inner.y + inner.height;
    out = at(right, below) - at(inner.x, below) - at(right, inner.y) + at(inner.x, inner.y);
  }
  any_on_edge(r, inner, classes, [&](const Region& part) {
    out += pixels_with(pixels_.read(part).view(), {0, 0, part.width, part.height}, classes);
    return false;
  });
  return out;
}

bool LabelIndex::any(const Region& region, std::uint32_t wanted) const {
  const std::uint32_t classes = wanted & first_bits(classes_);  // what is ignored has no label
  const Region r = region.clipped({0, 0, size_.width, size_.height}), inner = whole_blocks(r);
  if (r.empty()) return false;
  return any_in_blocks(inner, classes) ||
         any_on_edge(r, inner, classes, [&](const Region& part) { return pixels_.any(part, classes); });
}

}  // namespace nephron::host
