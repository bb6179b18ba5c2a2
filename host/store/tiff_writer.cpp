#include <host/store/tiff_writer.hpp>

#include <cmath>
#include <cstring>
#include <string_view>

#include <nephron/error.hpp>
#include <nephron/plugin.hpp>
#include <nephron/version.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t page = 4096;
constexpr const char* software = "nephron " NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(
    NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH);

enum Type : std::uint16_t { ascii = 2, short_ = 3, long_ = 4, rational = 5, long8 = 16 };

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// One image file directory: entries of fixed size, then the values that do not fit into them.
class Directory {
 public:
  Directory(bool big, std::int64_t at) : big_(big), at_(at) {}

  void number(std::uint16_t tag, Type type, std::uint64_t value) { numbers(tag, type, {value}); }
  void numbers(std::uint16_t tag, Type type, const std::vector<std::uint64_t>& values) {
    std::string bytes;
    for (const std::uint64_t v : values) put(bytes, v, type == short_ ? 2 : type == long_ ? 4 : 8);
    entries_.push_back({tag, type, values.size(), std::move(bytes)});
  }
  void text(std::uint16_t tag, std::string_view value) {
    entries_.push_back({tag, ascii, value.size() + 1, std::string(value) + '\0'});
  }

  std::string bytes(bool last) const {
    const int inline_bytes = big_ ? 8 : 4;
    const std::size_t head = big_ ? 8 + 20 * entries_.size() + 8 : 2 + 12 * entries_.size() + 4;
    std::string table, values;
    put(table, entries_.size(), big_ ? 8 : 2);
    for (const Entry& e : entries_) {
      put(table, e.tag, 2);
      put(table, e.type, 2);
      put(table, e.count, big_ ? 8 : 4);
      if (e.bytes.size() <= static_cast<std::size_t>(inline_bytes)) {
        table += e.bytes;
        table.append(static_cast<std::size_t>(inline_bytes) - e.bytes.size(), '\0');
      } else {
        put(table, static_cast<std::uint64_t>(at_) + head + values.size(), inline_bytes);
        values += e.bytes;
        values.append(values.size() % 8 == 0 ? 0 : 8 - values.size() % 8, '\0');
      }
    }
    // The next directory follows at the next multiple of 8.
    std::string all = table + std::string(static_cast<std::size_t>(inline_bytes), '\0') + values;
    all.append(all.size() % 8 == 0 ? 0 : 8 - all.size() % 8, '\0');
    std::string next;
    put(next, last ? 0 : static_cast<std::uint64_t>(at_) + all.size(), inline_bytes);
    return all.replace(table.size(), next.size(), next);
  }

 private:
  struct Entry {
    std::uint16_t tag;
    Type type;
    std::uint64_t count;
    std::string bytes;
  };
  bool big_;
  std::int64_t at_;
  std::vector<Entry> entries_;
};

}  // namespace

TiffWriter::TiffWriter(const std::filesystem::path& file, std::vector<Picture> pictures, bool sparse, bool sync)
    : out_(file), pictures_(std::move(pictures)), end_(page), sparse_(sparse), sync_(sync) {
  constexpr std::int64_t classic_limit = 0xffff0000;
  big_ = bytes_of(pictures_) > classic_limit;
  for (const Picture& p : pictures_) {
    auto& offsets = offsets_.emplace_back(static_cast<std::size_t>(TiffTiles(p.size).count()));
    if (sparse) continue;
    for (auto& offset : offsets) {
      offset = static_cast<std::uint64_t>(end_);
      end_ += tile_bytes(p);
    }
  }
}

std::int64_t TiffWriter::bytes_of(const std::vector<Picture>& pictures) {
  std::int64_t bytes = page;
  for (const Picture& p : pictures)
    bytes += TiffTiles(p.size).count() * (tile_bytes(p) + 16) + page + static_cast<std::int64_t>(p.description.size());
  return bytes;
}

std::uint64_t& TiffWriter::offset(std::size_t picture, std::int64_t column, std::int64_t row) {
  return offsets_.at(picture).at(static_cast<std::size_t>(row * TiffTiles(pictures_[picture].size).across + column));
}

void TiffWriter::place_tile(std::size_t picture, std::int64_t column, std::int64_t row) {
  offset(picture, column, row) = static_cast<std::uint64_t>(end_);
  end_ += tile_bytes(pictures_[picture]);
}

void TiffWriter::write_tile(std::size_t picture, std::int64_t column, std::int64_t row, const std::uint8_t* pixels) {
  const auto place = static_cast<std::int64_t>(offset(picture, column, row));
  if (place == 0) throw Error("a tile of a TIFF is written before it has a place");
  const auto bytes = static_cast<std::size_t>(tile_bytes(pictures_[picture]));
  out_.write_at(place, pixels, bytes);
  if (sync_) out_.start_writing(place, bytes);
}

std::string TiffWriter::directory(std::size_t picture, std::int64_t at, bool last) const {
  const Picture& p = pictures_[picture];
  const auto& offsets = offsets_[picture];
  const bool colour = p.channels == 3;
  Directory d(big_, at);
  d.number(254, long_, picture == 0 ? 0 : 1);  // NewSubfileType: a reduction
  d.number(256, long_, static_cast<std::uint64_t>(p.size.width));
  d.number(257, long_, static_cast<std::uint64_t>(p.size.height));
  d.numbers(258, short_,  // BitsPerSample
            std::vector<std::uint64_t>(static_cast<std::size_t>(p.channels), static_cast<std::uint64_t>(8 * p.bytes)));
  d.number(259, short_, 1);               // no compression
  d.number(262, short_, colour ? 2 : 1);  // RGB, black is zero
  if (!p.description.empty()) d.text(270, p.description);
  d.number(277, short_, static_cast<std::uint64_t>(p.channels));
  if (p.mpp > 0 && std::isfinite(p.mpp)) {
    // Pixels a centimetre, in thousandths; both numbers of 32 bits.
    const double per_cm = std::min(1e4 / p.mpp, 4e6);
    const std::uint64_t ratio = static_cast<std::uint64_t>(std::llround(per_cm * 1000)) | std::uint64_t{1000} << 32;
    d.number(282, rational, ratio);
    d.number(283, rational, ratio);
  }
  d.number(284, short_, 1);  // channels side by side
  if (p.mpp > 0 && std::isfinite(p.mpp)) d.number(296, short_, 3);
  d.text(305, software);
  d.number(322, long_, static_cast<std::uint64_t>(tile_side));
  d.number(323, long_, static_cast<std::uint64_t>(tile_side));
  d.numbers(324, big_ ? long8 : long_, offsets);
  d.numbers(325, long_, std::vector<std::uint64_t>(offsets.size(), static_cast<std::uint64_t>(tile_bytes(p))));
  return d.bytes(last);
}

std::int64_t TiffWriter::finish() {
  std::uint64_t blank = 0;
  for (std::size_t i = 0; i < pictures_.size(); ++i)
    for (auto& offset : offsets_[i]) {
      if (offset != 0) continue;
      if (blank == 0) {
        blank = static_cast<std::uint64_t>(end_);
        std::int64_t most = 0;
        for (const Picture& p : pictures_) most = std::max(most, tile_bytes(p));
        const std::string zeros(static_cast<std::size_t>(most), '\0');
        out_.write_at(end_, zeros.data(), zeros.size());
        end_ += most;
      }
      offset = blank;
    }
  const std::int64_t first = end_;
  for (std::size_t i = 0; i < pictures_.size(); ++i) {
    const std::string bytes = directory(i, end_, i + 1 == pictures_.size());
    out_.write_at(end_, bytes.data(), bytes.size());
    end_ += static_cast<std::int64_t>(bytes.size());
  }
  // Last, so that a file that was left half-written is no TIFF.
  std::string header = "II";
  put(header, big_ ? 43 : 42, 2);
  if (big_) put(header, 8, 4);
  put(header, static_cast<std::uint64_t>(first), big_ ? 8 : 4);
  out_.write_at(0, header.data(), header.size());
  out_.close(sync_);
  return end_;
}

}  // namespace nephron::host
