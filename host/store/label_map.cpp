#include <host/store/label_map.hpp>

#include <algorithm>
#include <mutex>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/store/digest.hpp>
#include <host/store/tiff_writer.hpp>
#include <host/util/interrupt.hpp>

namespace nephron::host {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::int64_t tile_bytes = tile_side * tile_side;

Size reduced(Size full, int factor) { return {full.width / factor, full.height / factor}; }
Size blocks_of(Size size) {
  return {(size.width + presence_block - 1) / presence_block, (size.height + presence_block - 1) / presence_block};
}

/// What a picture of the file holds.
struct Content {
  std::string kind;  // "labels", "presence", "probability"
  int factor = 1;
  int class_index = -1;
};

using Paint = std::function<void(const Region&, const ImageView&)>;

class Writer {
 public:
  Writer(const std::filesystem::path& file, const LabelSource& source, Size full, double mpp,
         const std::vector<int>& factors, const std::vector<std::string>& classes, ThreadPool& threads)
      : source_(source), full_(full), classes_(classes), threads_(threads) {
    for (const char* kind : {"labels", "presence"})
      for (const int f : factors) contents_.push_back({kind, f, -1});
    for (const int c : source.soft)
      for (const int f : factors) contents_.push_back({"probability", f, c});
    std::vector<TiffWriter::Picture> pictures;
    for (const Content& c : contents_) {
      const bool presence = c.kind == "presence";
      const Size size = reduced(full, c.factor);
      pictures.push_back(
          {presence ? blocks_of(size) : size, 1, mpp * c.factor * (presence ? presence_block : 1), describe(c)});
      if (presence) presence_[c.factor] = Image(blocks_of(size), 1);
    }
    digests_ = std::make_unique<TileDigests>(contents_.size());
    for (std::size_t i = 0; i < contents_.size(); ++i)
      digests_->resize(i, static_cast<std::size_t>(TiffTiles(pictures[i].size).count()));
    sizes_.reserve(pictures.size());
    for (const auto& p : pictures) sizes_.push_back(p.size);
    out_ = std::make_unique<TiffWriter>(file, std::move(pictures), /*sparse=*/true);
  }

  WrittenLabels run() {
    WrittenLabels written;
    for (std::size_t i = 0; i < contents_.size(); ++i) {
      const Content& c = contents_[i];
      if (c.kind == "labels") {
        counts_.assign(256, 0);
        picture(
            i, c.factor, [&](const Region& r, const ImageView& v) { source_.paint(c.factor, r, v); }, /*count=*/true);
        written.foreground[c.factor] = foreground();
      } else if (c.kind == "presence") {
        const ImageView& blocks = presence_.at(c.factor).view();
        picture(
            i, 0, [&](const Region& r, const ImageView& v) { copy(blocks.crop(r), v); }, false);
      } else {
        picture(
            i, c.factor,
            [&](const Region& r, const ImageView& v) { source_.paint_soft(c.class_index, c.factor, r, v); }, false);
      }
    }
    written.bytes = out_->finish();
    written.digest = digests_->hex();
    return written;
  }

 private:
  std::string describe(const Content& c) const {
    Json json{{"nephron", c.kind}, {"factor", c.factor}};
    if (c.class_index < 0) json["classes"] = classes_;
    else json["class"] = c.class_index;
    return json.dump(-1, ' ', true, Json::error_handler_t::replace);
  }

  /// Paints tiles a few at a time, by all threads, and writes those that hold something in their order. `factor` 0:
  /// there is no telling which regions are blank.
  void picture(std::size_t index, int factor, const Paint& paint, bool count) {
    const Size size = sizes_[index];
    const TiffTiles grid(size);
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
        if (factor != 0 && !source_.touches(factor, inside)) return;
        std::fill_n(pixels, tile_bytes, std::uint8_t{0});
        paint(inside, {pixels, inside.width, inside.height, 1, Depth::u8, tile_side});
        holds[i] = static_cast<char>(std::any_of(pixels, pixels + tile_bytes, [](std::uint8_t v) { return v != 0; }));
        if (holds[i] == 0) return;
        digests_->set(index, static_cast<std::size_t>(tile), pixels, static_cast<std::size_t>(tile_bytes));
        if (count) note(pixels, inside, presence_.at(factor).view());
      });
      for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t tile = first + static_cast<std::int64_t>(i);
        if (holds[i] != 0)
          out_->write_tile(index, tile % grid.across, tile / grid.across,
                           tiles.data() + i * static_cast<std::size_t>(tile_bytes));
      }
    }
  }

  /// Counts and presence of a tile. Blocks do not cross tiles.
  void note(const std::uint8_t* pixels, const Region& place, const ImageView& presence) {
    std::array<std::int64_t, 256> histogram{};
    for (std::int64_t y = 0; y < place.height; ++y, pixels += tile_side) {
      auto* blocks = presence.row<std::uint8_t>((place.y + y) / presence_block) + place.x / presence_block;
      for (std::int64_t x = 0; x < place.width; ++x) {
        blocks[x / presence_block] |= pixels[x];
        ++histogram[pixels[x]];
      }
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t v = 0; v < histogram.size(); ++v) counts_[v] += histogram[v];
  }

  std::vector<std::int64_t> foreground() const {
    std::vector<std::int64_t> out(classes_.size());
    for (std::size_t v = 0; v < counts_.size(); ++v)
      for (std::size_t c = 0; c < out.size(); ++c)
        if ((v >> c & 1U) != 0) out[c] += counts_[v];
    return out;
  }

  const LabelSource& source_;
  Size full_;
  const std::vector<std::string>& classes_;
  ThreadPool& threads_;
  std::vector<Content> contents_;
  std::vector<Size> sizes_;
  std::map<int, Image> presence_;
  std::unique_ptr<TileDigests> digests_;
  std::unique_ptr<TiffWriter> out_;
  std::mutex mutex_;
  std::vector<std::int64_t> counts_;  // by value
};

}  // namespace

WrittenLabels write_labels(const std::filesystem::path& file, const LabelSource& source, Size full, double mpp,
                           const std::vector<int>& factors, const std::vector<std::string>& classes,
                           ThreadPool& threads) {
  return Writer(file, source, full, mpp, factors, classes, threads).run();
}

LabelPictures::LabelPictures(const MappedTiff& file, const std::filesystem::path& name, Size full) {
  const auto fail = [&](const std::string& what) {
    throw Error(name.string() + " is damaged or no file of the store: " + what, "prepare the slide again");
  };
  for (std::size_t i = 0; i < file.pictures().size(); ++i) {
    const MappedTiff::Picture& p = file.pictures()[i];
    const auto said = nlohmann::json::parse(p.description, nullptr, false);
    if (!said.is_object() || !said.contains("nephron") || !said["nephron"].is_string() || !said.contains("factor") ||
        !said["factor"].is_number_integer())
      fail("a picture does not say what it is");
    const std::string kind = said["nephron"];
    const auto factor = said["factor"].get<std::int64_t>();
    if (factor < 1 || factor > 64) fail("a picture of factor " + std::to_string(factor));
    const Size size = reduced(full, static_cast<int>(factor));
    if (p.channels != 1 || p.size != (kind == "presence" ? blocks_of(size) : size))
      fail("its " + kind + " at factor " + std::to_string(factor) + " has another size than the slide");
    Level& level = levels[static_cast<int>(factor)];
    if (kind == "labels") level.bits = i;
    else if (kind == "presence") level.presence = i;
    else if (said.contains("class") && said["class"].is_number_integer() && said["class"] >= 0 && said["class"] < 8)
      level.soft[said["class"].get<int>()] = i;
    else fail("a picture does not say what it is");
  }
  for (const auto& [factor, level] : levels)
    if (level.bits == none || level.presence == none)
      fail("labels or presence at factor " + std::to_string(factor) + " are missing");
}

}  // namespace nephron::host
