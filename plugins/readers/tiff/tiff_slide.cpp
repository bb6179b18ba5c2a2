#include "tiff_slide.hpp"

#include <algorithm>
#include <cstring>

#include <nephron/error.hpp>

#ifdef NEPHRON_JPEG2000
#include "jpeg2000.hpp"
#endif
#include "samples.hpp"

namespace tiff_reader {

using nephron::Error;
using nephron::ImageView;
using nephron::Region;

namespace {

/// Of one allocation of libtiff: what a sound file of this size may need.
std::size_t memory_for(const std::filesystem::path& file) {
  return (std::size_t{16} << 20) + std::min<std::size_t>(std::filesystem::file_size(file) * 4, std::size_t{1} << 28);
}

/// Bytes read at once where rows of a tile are read whole: they stay in the cache of the core.
constexpr std::int64_t piece_bytes = 1 << 18;

std::uint8_t* scratch(std::size_t size) {
  thread_local std::vector<std::uint8_t> bytes;
  if (bytes.size() < size) bytes.resize(size);
  return bytes.data();
}

std::int64_t rows_of(const Plane& p, std::int64_t index) {
  if (p.directory.tiled) return p.chunk.height;
  return std::min(p.chunk.height, p.directory.size.height - index / p.across() * p.chunk.height);
}

std::shared_ptr<Chunk> empty_chunk(const Plane& p, std::int64_t rows) {
  auto out = std::make_shared<Chunk>();
  out->width = p.chunk.width;
  out->height = rows;
  out->samples = p.samples();
  out->bytes.resize(static_cast<std::size_t>(out->width * rows * out->samples));
  return out;
}

}  // namespace

TiffSlide::TiffSlide(const std::filesystem::path& file, std::shared_ptr<ChunkCache> cache, bool scale_16_bit)
    : bytes_(file),
      most_memory_(memory_for(file)),
      handles_(file, most_memory_),
      cache_(std::move(cache)),
      number_(cache_->number()) {
  Handle handle(file, most_memory_);
  layout_ = read_layout(handle, file, scale_16_bit);
}

TiffSlide::~TiffSlide() { cache_->forget(number_); }

void TiffSlide::fail(const Plane& p, std::int64_t index, const std::string& why) const {
  const std::int64_t x = index % p.across() * p.chunk.width, y = index / p.across() * p.chunk.height;
  throw Error(bytes_.file().string() + ": the " + (p.directory.tiled ? "tile" : "strip") + " at " + std::to_string(x) +
                  ", " + std::to_string(y) + " of page " + std::to_string(p.directory.page) + " (" +
                  name_of_compression(p.directory.compression) + ") cannot be decoded: " + why,
              "the file is damaged: copy it again");
}

void TiffSlide::read_level(int level, const Region& region, const ImageView& out) const {
  const Level& l = layout_.levels.at(static_cast<std::size_t>(level));
  if (region.empty() || region.clipped({0, 0, l.size.width, l.size.height}) != region || out.size() != region.size() ||
      out.channels != 3 || out.depth != nephron::Depth::u8)
    throw Error(bytes_.file().string() + ": region " + std::to_string(region.x) + ", " + std::to_string(region.y) +
                " of " + std::to_string(region.width) + " x " + std::to_string(region.height) +
                " pixels leaves the slide, or the view is not RGB of its size");
  for (std::size_t i = 0; i < l.planes.size(); ++i) {
    const Plane& p = l.planes[i];
    const Size c = p.chunk;
    for (std::int64_t row = region.y / c.height; row * c.height < region.y + region.height; ++row)
      for (std::int64_t column = region.x / c.width; column * c.width < region.x + region.width; ++column) {
        const Region here = Region{column * c.width, row * c.height, c.width, c.height}.clipped(region);
        const Region inside{here.x - column * c.width, here.y - row * c.height, here.width, here.height};
        const ImageView to = out.crop({here.x - region.x, here.y - region.y, here.width, here.height});
        const std::int64_t index = row * p.across() + column;
        if (p.coding == Coding::raw) {
          read_raw(p, index, inside, to);
          continue;
        }
        const std::shared_ptr<const Chunk> from = chunk(level, i, index);
        for (std::int64_t y = 0; y < inside.height; ++y)
          scatter(from->bytes.data() + ((inside.y + y) * from->width + inside.x) * from->samples, from->samples,
                  p.channel, inside.width, to.row<std::uint8_t>(y));
      }
  }
}

void TiffSlide::read_raw(const Plane& p, std::int64_t index, const Region& part, const ImageView& out) const {
  const auto k = static_cast<std::size_t>(index);
  const std::int64_t samples = part.width * p.samples();
  if (p.bytes[k] == 0) {  // never written
    const std::vector<std::uint8_t> black(static_cast<std::size_t>(samples), p.inverted() ? 255 : 0);
    for (std::int64_t y = 0; y < part.height; ++y)
      scatter(black.data(), p.samples(), p.channel, part.width, out.row<std::uint8_t>(y));
    return;
  }
  const std::int64_t row_bytes = p.row_bytes(), bytes = samples * p.directory.sample_bytes();
  const bool as_stored = p.channel < 0 && p.samples() == 3 && p.directory.bits == 8;
  const std::uint64_t first =
      p.places[k] + static_cast<std::uint64_t>(part.y * row_bytes + part.x * p.samples() * p.directory.sample_bytes());
  // Rows of the chunk are read whole where little of them is left out: few calls cost less than many.
  const bool whole_rows = row_bytes <= 4 * bytes;
  if (as_stored && whole_rows) {
    bytes_.read_rows(first, static_cast<std::size_t>(bytes), static_cast<std::size_t>(row_bytes),
                     static_cast<std::size_t>(part.height), out.row<std::uint8_t>(0), out.stride);
    return;
  }
  const std::int64_t rows_at_once = whole_rows ? std::max<std::int64_t>(1, piece_bytes / row_bytes) : 1;
  std::uint8_t* const converted = scratch(static_cast<std::size_t>(samples + rows_at_once * row_bytes));
  std::uint8_t* const stored = converted + samples;
  for (std::int64_t y = 0; y < part.height; y += rows_at_once) {
    const std::int64_t rows = std::min(rows_at_once, part.height - y);
    const std::uint64_t place = first + static_cast<std::uint64_t>(y * row_bytes);
    if (as_stored && rows == 1) {
      bytes_.read(place, static_cast<std::size_t>(bytes), out.row<std::uint8_t>(y));
      continue;
    }
    bytes_.read(place, static_cast<std::size_t>((rows - 1) * row_bytes + bytes), stored);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::uint8_t* row = stored + r * row_bytes;
      if (p.directory.bits != 8 || p.inverted()) to_8_bit(p, row, samples, p.swap, converted), row = converted;
      scatter(row, p.samples(), p.channel, part.width, out.row<std::uint8_t>(y + r));
    }
  }
}

std::shared_ptr<const Chunk> TiffSlide::chunk(int level, std::size_t plane, std::int64_t index) const {
  const Plane& p = layout_.levels[static_cast<std::size_t>(level)].planes[plane];
  const ChunkCache::Key key{number_, static_cast<std::uint32_t>(level << 8) | static_cast<std::uint32_t>(plane),
                            static_cast<std::uint64_t>(index)};
  if (std::shared_ptr<const Chunk> held = cache_->find(key)) return held;
  if (p.coding == Coding::rows) return decode_rows(p, key);
  std::shared_ptr<const Chunk> made = decode(p, index);
  cache_->keep(key, made);
  return made;
}

std::shared_ptr<const Chunk> TiffSlide::decode(const Plane& p, std::int64_t index) const {
  const Directory& d = p.directory;
  const std::int64_t rows = rows_of(p, index);
  const std::shared_ptr<Chunk> out = empty_chunk(p, rows);
  const auto k = static_cast<std::size_t>(index);
  if (p.bytes[k] == 0) {
    if (p.inverted()) std::fill(out->bytes.begin(), out->bytes.end(), std::uint8_t{255});
    return out;
  }
  if (p.coding == Coding::jpeg2000 || p.coding == Coding::jpeg2000_ycc) {
#ifdef NEPHRON_JPEG2000
    std::vector<std::uint8_t> stream(static_cast<std::size_t>(p.bytes[k]));
    bytes_.read(p.places[k], stream.size(), stream.data());
    try {
      decode_jpeg2000(stream, p.chunk.width, p.chunk.height, p.coding == Coding::jpeg2000_ycc, out->bytes.data());
    } catch (const Error& e) {
      fail(p, index, e.what());
    }
#endif
    return out;
  }
  const HandlePool::Lent handle = handles_.lend(d.place);
  const std::int64_t bytes = rows * p.row_bytes();
  const std::int64_t expected =
      d.tiled ? TIFFTileSize64(handle->get())
              : static_cast<std::int64_t>(TIFFVStripSize64(handle->get(), static_cast<std::uint32_t>(rows)));
  if (expected != bytes)
    fail(p, index, "it has " + std::to_string(expected) + " bytes; expected " + std::to_string(bytes));
  std::uint8_t* const stored = d.bits == 8 ? out->bytes.data() : scratch(static_cast<std::size_t>(bytes));
  const auto number = static_cast<std::uint32_t>(index + d.across() * d.down() * (d.separate ? p.sample : 0));
  const tmsize_t got = d.tiled ? TIFFReadEncodedTile(handle->get(), number, stored, static_cast<tmsize_t>(bytes))
                               : TIFFReadEncodedStrip(handle->get(), number, stored, static_cast<tmsize_t>(bytes));
  handle->next_row = -1;
  if (got != bytes) fail(p, index, handle->trouble());
  to_8_bit(p, stored, rows * p.chunk.width * p.samples(), false, out->bytes.data());
  return out;
}

std::shared_ptr<const Chunk> TiffSlide::decode_rows(const Plane& p, ChunkCache::Key key) const {
  const Directory& d = p.directory;
  const auto index = static_cast<std::int64_t>(key.chunk);
  const HandlePool::Lent handle = handles_.lend(d.place);
  if (TIFFScanlineSize64(handle->get()) != static_cast<std::uint64_t>(p.row_bytes()))
    fail(p, index, "its rows have " + std::to_string(TIFFScanlineSize64(handle->get())) + " bytes");
  const std::int64_t wanted = index * p.chunk.height;
  const std::int64_t strip_start = wanted / d.chunk.height * d.chunk.height;
  const bool goes_on = handle->next_sample == p.sample && handle->next_row >= strip_start && handle->next_row <= wanted;
  std::int64_t row = goes_on ? handle->next_row : strip_start;
  std::shared_ptr<Chunk> out;
  std::uint8_t* const stored = scratch(static_cast<std::size_t>(p.row_bytes()));
  const std::int64_t samples = p.chunk.width * p.samples();
  const std::int64_t end = std::min(wanted + p.chunk.height, d.size.height);
  handle->next_row = -1;  // until it is known to have gone well
  for (; row < end; ++row) {
    if (row >= wanted && out == nullptr) out = empty_chunk(p, end - wanted);
    if (p.bytes[static_cast<std::size_t>(row / d.chunk.height)] == 0) continue;
    if (TIFFReadScanline(handle->get(), stored, static_cast<std::uint32_t>(row), static_cast<std::uint16_t>(p.sample)) <
        0)
      fail(p, index, handle->trouble());
    if (row >= wanted) to_8_bit(p, stored, samples, false, out->bytes.data() + (row - wanted) * samples);
  }
  handle->next_row = end;
  handle->next_sample = p.sample;
  cache_->keep(key, out);
  return out;
}

}  // namespace tiff_reader
