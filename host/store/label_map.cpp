#include <host/store/label_map.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <span>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/label_pixels.hpp>

#include <host/store/bit_counts.hpp>
#include <host/store/digest.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::int64_t tile_pixels = tile_side * tile_side;

Size blocks_of(Size size) {
  return {(size.width + presence_block - 1) / presence_block, (size.height + presence_block - 1) / presence_block};
}

/// What a picture of the file holds.
struct Content {
  std::string kind;  // "labels", "presence", "probability"
  int class_index = -1;
};

/// Whether a byte of a tile, which has a multiple of `piece` of them, is not 0. Pieces are asked whole: the compiler
/// reads many bytes at once.
bool any_set(const std::uint8_t* bytes, std::int64_t size) {
  constexpr std::int64_t piece = 4096;
  static_assert(tile_pixels % piece == 0);
  for (; size > 0; size -= piece, bytes += piece) {
    std::uint8_t seen = 0;
    for (std::int64_t i = 0; i < piece; ++i) seen |= bytes[i];
    if (seen != 0) return true;
  }
  return false;
}

/// Of the bits of at most a block's pixels.
template <class T>
T union_of(const T* pixels, std::int64_t n) {
  T seen = 0;
  if (n == presence_block)
    for (std::int64_t i = 0; i < presence_block; ++i) seen |= pixels[i];
  else
    for (std::int64_t i = 0; i < n; ++i) seen |= pixels[i];
  return seen;
}

using Paint = std::function<void(const Region&, const ImageView&)>;

class Writer {
 public:
  /// Without a file: what would be written is digested alone.
  Writer(const std::filesystem::path& file, const LabelSource& source, Size full, double mpp, Reduction reduction,
         const std::vector<std::string>& classes, ThreadPool& threads)
      : source_(source),
        reduction_(reduction),
        classes_(classes),
        threads_(threads),
        depth_(label_depth(static_cast<int>(classes.size()) + (source.ignores ? 1 : 0))) {
    contents_ = {{"labels", -1}, {"presence", -1}};
    for (const int c : source.soft) contents_.push_back({"probability", c});
    const Size size = reduction.size_of(full);
    presence_ = Image(blocks_of(size), 1, depth_);
    std::vector<TiffWriter::Picture> pictures;
    for (const Content& c : contents_) {
      const bool presence = c.kind == "presence";
      sizes_.push_back(presence ? blocks_of(size) : size);
      pictures.push_back({sizes_.back(), 1, mpp * reduction.value() * (presence ? presence_block : 1), describe(c),
                          static_cast<int>(bytes_of(depth_of(c)))});
    }
    digests_ = std::make_unique<TileDigests>(sizes_);
    if (!file.empty()) out_ = std::make_unique<TiffWriter>(file, std::move(pictures), /*sparse=*/true);
  }

  WrittenLabels run() {
    WrittenLabels written;
    for (std::size_t i = 0; i < contents_.size(); ++i) {
      const Content& c = contents_[i];
      if (c.kind == "labels")
        picture(
            i, [&](const Region& r, const ImageView& v) { source_.paint(reduction_, r, v); }, /*of_bits=*/true);
      else if (c.kind == "presence")
        picture(
            i, [&](const Region& r, const ImageView& v) { copy(presence_.view().crop(r), v); }, false);
      else
        picture(
            i, [&](const Region& r, const ImageView& v) { source_.paint_soft(c.class_index, reduction_, r, v); },
            false);
    }
    written.foreground = counts_.of_first(classes_.size());
    if (source_.ignores) written.ignored = counts_.of(classes_.size());
    if (out_ != nullptr) written.bytes = out_->finish();
    written.digest = digests_->hex();
    return written;
  }

 private:
  Depth depth_of(const Content& c) const { return c.kind == "probability" ? Depth::u8 : depth_; }

  std::string describe(const Content& c) const {
    Json json{{"nephron", c.kind}, {"reduction", reduction_.value()}};
    if (c.class_index < 0) json["classes"] = classes_;
    else json["class"] = c.class_index;
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
  }

  /// Paints tiles a few at a time, by all threads, and writes those that hold something in their order. Bits are
  /// counted, and of them alone it is known which regions are blank: a low probability sets none.
  void picture(std::size_t index, const Paint& paint, bool of_bits) {
    const Size size = sizes_[index];
    const TiffTiles grid(size);
    const Depth depth = depth_of(contents_[index]);
    const std::int64_t tile_bytes = tile_pixels * static_cast<std::int64_t>(bytes_of(depth));
    const std::int64_t chunk = static_cast<std::int64_t>(4 * std::max<std::size_t>(1, threads_.threads()));
    std::vector<std::uint8_t> tiles(static_cast<std::size_t>(std::min(chunk, grid.count()) * tile_bytes));
    std::vector<char> holds(static_cast<std::size_t>(chunk));
    for (std::int64_t first = 0; first < grid.count(); first += chunk) {
      if (interrupted()) throw Cancelled();
      const auto n = static_cast<std::size_t>(std::min(chunk, grid.count() - first));
      threads_.parallel_for(n, [&](std::size_t i) {
        const std::int64_t tile = first + static_cast<std::int64_t>(i);
        const Region place{tile % grid.across * tile_side, tile / grid.across * tile_side, tile_side, tile_side};
        const Region inside = place.clipped({0, 0, size.width, size.height});
        std::uint8_t* const pixels = tiles.data() + i * static_cast<std::size_t>(tile_bytes);
        holds[i] = 0;
        if (of_bits && !source_.touches(reduction_, inside)) return;
        std::fill_n(pixels, tile_bytes, std::uint8_t{0});
        const ImageView view{pixels, inside.width, inside.height, 1, depth, tile_bytes / tile_side};
        paint(inside, view);
        holds[i] = static_cast<char>(any_set(pixels, tile_bytes));
        if (holds[i] == 0) return;
        digests_->set(index, static_cast<std::size_t>(tile), pixels, static_cast<std::size_t>(tile_bytes));
        if (of_bits) note(view, inside, presence_.view());
      });
      if (out_ != nullptr) write(index, grid, first, {holds.data(), n}, tiles.data());
    }
  }

  /// Tiles that hold something, the first of which is `first`: they take their places in their order, so that the file
  /// does not depend on threads, and are written by all of them.
  void write(std::size_t index, const TiffTiles& grid, std::int64_t first, std::span<const char> holds,
             const std::uint8_t* tiles) {
    const std::int64_t bytes = tile_pixels * static_cast<std::int64_t>(bytes_of(depth_of(contents_[index])));
    const auto column = [&](std::size_t i) { return (first + static_cast<std::int64_t>(i)) % grid.across; };
    const auto row = [&](std::size_t i) { return (first + static_cast<std::int64_t>(i)) / grid.across; };
    for (std::size_t i = 0; i < holds.size(); ++i)
      if (holds[i] != 0) out_->place_tile(index, column(i), row(i));
    threads_.parallel_for(holds.size(), [&](std::size_t i) {
      if (holds[i] != 0) out_->write_tile(index, column(i), row(i), tiles + static_cast<std::int64_t>(i) * bytes);
    });
  }

  /// Counts and presence of a tile. Blocks do not cross tiles.
  void note(const ImageView& labels, const Region& place, const ImageView& presence) {
    with_label_type(labels.depth, [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t y = 0; y < place.height; ++y) {
        const T* const row = labels.row<const T>(y);
        T* const blocks = presence.row<T>((place.y + y) / presence_block) + place.x / presence_block;
        for (std::int64_t x = 0; x < place.width; x += presence_block)
          blocks[x / presence_block] |= union_of(row + x, std::min(presence_block, place.width - x));
      }
    });
    BitCounts counts;
    counts.add(labels);
    const std::lock_guard lock(mutex_);
    counts_ += counts;
  }

  const LabelSource& source_;
  Reduction reduction_;
  const std::vector<std::string>& classes_;
  ThreadPool& threads_;
  Depth depth_;
  std::vector<Content> contents_;
  std::vector<Size> sizes_;
  Image presence_;
  std::unique_ptr<TileDigests> digests_;
  std::unique_ptr<TiffWriter> out_;
  std::mutex mutex_;
  BitCounts counts_;
};

}  // namespace

WrittenLabels write_labels(const std::filesystem::path& file, const LabelSource& source, Size full, double mpp,
                           Reduction reduction, const std::vector<std::string>& classes, ThreadPool& threads) {
  return Writer(file, source, full, mpp, reduction, classes, threads).run();
}

WrittenLabels digest_labels(const LabelSource& source, Size full, Reduction reduction,
                            const std::vector<std::string>& classes, ThreadPool& threads) {
  return Writer({}, source, full, 0, reduction, classes, threads).run();
}

LabelPictures::LabelPictures(const MappedTiff& file, const std::filesystem::path& name, Size full,
                             Reduction reduction) {
  const auto fail = [&](const std::string& what) {
    throw Error(name.string() + " is damaged or no file of the store: " + what, "prepare the slide again");
  };
  const Size size = reduction.size_of(full);
  for (std::size_t i = 0; i < file.pictures().size(); ++i) {
    const MappedTiff::Picture& p = file.pictures()[i];
    const auto said = nlohmann::json::parse(p.description, nullptr, false);
    if (!said.is_object() || !said.contains("nephron") || !said["nephron"].is_string() || !said.contains("reduction") ||
        !said["reduction"].is_number() || said["reduction"].get<double>() != reduction.value())
      fail("a picture does not say what it is");
    const std::string kind = said["nephron"];
    if (p.channels != 1 || p.size != (kind == "presence" ? blocks_of(size) : size))
      fail("its " + kind + " at reduction " + reduction.str() + " has another size than the slide");
    if (kind == "probability" && p.depth != Depth::u8) fail("a probability of more than 8 bits");
    if (kind == "labels") bits = i;
    else if (kind == "presence") presence = i;
    else if (said.contains("class") && said["class"].is_number_integer() && said["class"] >= 0 &&
             said["class"] < most_classes)
      soft[said["class"].get<int>()] = i;
    else fail("a picture does not say what it is");
  }
  if (bits == none || presence == none || file.pictures()[bits].depth != file.pictures()[presence].depth)
    fail("labels or presence are missing, or differ in their bits");
}

}  // namespace nephron::host
