#include <host/store/tiff_directory.hpp>

#include <map>
#include <set>

#include <nephron/error.hpp>

#include <host/store/tiff_writer.hpp>

namespace nephron::host {

namespace {

using Picture = MappedTiff::Picture;

class Parser {
 public:
  Parser(std::span<const std::uint8_t> bytes, const std::filesystem::path& file) : bytes_(bytes), file_(file) {}

  std::vector<Picture> all() {
    std::uint64_t at = header();
    std::vector<Picture> out;
    std::set<std::uint64_t> seen;
    while (at != 0) {
      if (!seen.insert(at).second) fail("its directories go round in a circle");
      if (out.size() >= most_pictures) fail("it has more than " + std::to_string(most_pictures) + " directories");
      at = directory(at);
      out.push_back(picture());
    }
    if (out.empty()) fail("it has no directory");
    return out;
  }

 private:
  static constexpr std::size_t most_pictures = 256;
  struct Entry {
    std::uint64_t type = 0, count = 0, at = 0;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_.string() + " is damaged or no file of the store: " + what, "prepare the slide again");
  }

  void require(std::uint64_t at, std::uint64_t size, const char* what) const {
    if (size > bytes_.size() || at > bytes_.size() - size)
      fail(std::string(what) + " at byte " + std::to_string(at) + " lies beyond its end at " +
           std::to_string(bytes_.size()));
  }

  std::uint64_t number(std::uint64_t at, int size) const {
    require(at, static_cast<std::uint64_t>(size), "a number");
    std::uint64_t v = 0;
    for (int i = size - 1; i >= 0; --i) v = v << 8 | bytes_[at + static_cast<std::uint64_t>(i)];
    return v;
  }

  std::uint64_t header() {
    if (bytes_.size() < 8 || bytes_[0] != 'I' || bytes_[1] != 'I') fail("it does not begin as a TIFF");
    const std::uint64_t version = number(2, 2);
    if (version != 42 && version != 43) fail("it does not begin as a TIFF");
    big_ = version == 43;
    return big_ ? number(8, 8) : number(4, 4);
  }

  /// Fills entries_; returns the place of the next directory.
  std::uint64_t directory(std::uint64_t at) {
    const int count_bytes = big_ ? 8 : 2, entry_bytes = big_ ? 20 : 12, value_bytes = big_ ? 8 : 4;
    const std::uint64_t n = number(at, count_bytes);
    if (n > 64) fail("a directory has " + std::to_string(n) + " entries");
    at += static_cast<std::uint64_t>(count_bytes);
    entries_.clear();
    for (std::uint64_t i = 0; i < n; ++i, at += static_cast<std::uint64_t>(entry_bytes)) {
      Entry e{number(at + 2, 2), number(at + 4, big_ ? 8 : 4), 0};
      const std::uint64_t place = at + (big_ ? 12U : 8U);
      const std::uint64_t size = size_of(e.type);
      if (size == 0) continue;
      if (e.count > bytes_.size() / size) fail("an entry has " + std::to_string(e.count) + " values");
      e.at = e.count * size <= static_cast<std::uint64_t>(value_bytes) ? place : number(place, value_bytes);
      require(e.at, e.count * size, "an entry");
      entries_[number(at, 2)] = e;
    }
    return number(at, value_bytes);
  }

  static std::uint64_t size_of(std::uint64_t type) {
    switch (type) {
      case 2:
        return 1;
      case 3:
        return 2;
      case 4:
        return 4;
      case 5:
      case 16:
        return 8;
      default:
        return 0;
    }
  }

  std::uint64_t value(std::uint64_t tag, std::uint64_t i = 0) const {
    const auto found = entries_.find(tag);
    if (found == entries_.end() || i >= found->second.count) fail("tag " + std::to_string(tag) + " is missing");
    const Entry& e = found->second;
    if (e.type == 2 || e.type == 5) fail("tag " + std::to_string(tag) + " is no number");
    const std::uint64_t size = size_of(e.type);
    return number(e.at + i * size, static_cast<int>(size));
  }

  void expect(std::uint64_t tag, std::uint64_t wanted, const char* what) const {
    if (value(tag) != wanted)
      fail(std::string(what) + " is " + std::to_string(value(tag)) + ", not " + std::to_string(wanted));
  }

  Picture picture() const {
    constexpr std::uint64_t most_side = std::uint64_t{1} << 31;
    Picture p;
    const std::uint64_t width = value(256), height = value(257), channels = value(277);
    if (width == 0 || height == 0 || width > most_side || height > most_side)
      fail("a picture of " + std::to_string(width) + " x " + std::to_string(height) + " px");
    if (channels != 1 && channels != 3) fail("a picture of " + std::to_string(channels) + " channels");
    p.size = {static_cast<std::int64_t>(width), static_cast<std::int64_t>(height)};
    p.channels = static_cast<int>(channels);
    const std::uint64_t bits = value(258);
    if (bits != 8 && !(channels == 1 && (bits == 16 || bits == 32)))
      fail("its pixels have " + std::to_string(bits) + " bits");
    for (std::uint64_t c = 1; c < channels; ++c)
      if (value(258, c) != bits) fail("its pixels have " + std::to_string(value(258, c)) + " bits");
    p.depth = bits == 8 ? Depth::u8 : bits == 16 ? Depth::u16 : Depth::u32;
    expect(259, 1, "its compression");
    expect(284, 1, "its order of channels");
    expect(322, static_cast<std::uint64_t>(tile_side), "the width of its tiles");
    expect(323, static_cast<std::uint64_t>(tile_side), "the height of its tiles");
    if (const auto found = entries_.find(270);
        found != entries_.end() && found->second.type == 2 && found->second.count > 0)
      p.description.assign(reinterpret_cast<const char*>(bytes_.data() + found->second.at), found->second.count - 1);
    tiles(p);
    return p;
  }

  void tiles(Picture& p) const {
    const TiffTiles grid(p.size);
    p.across = grid.across;
    const auto found = entries_.find(324);
    if (found == entries_.end() || found->second.count != static_cast<std::uint64_t>(grid.count()))
      fail("its " + std::to_string(p.size.width) + " x " + std::to_string(p.size.height) + " px need " +
           std::to_string(grid.count()) + " tiles, not " +
           std::to_string(found == entries_.end() ? 0 : found->second.count));
    const auto tile_bytes = static_cast<std::uint64_t>(tile_side * tile_side * p.pixel_bytes());
    p.offsets.resize(found->second.count);
    for (std::size_t i = 0; i < p.offsets.size(); ++i) {
      p.offsets[i] = value(324, i);
      require(p.offsets[i], tile_bytes, "a tile");
    }
  }

  std::span<const std::uint8_t> bytes_;
  const std::filesystem::path& file_;
  bool big_ = false;
  std::map<std::uint64_t, Entry> entries_;  // by tag
};

}  // namespace

std::vector<MappedTiff::Picture> read_directories(std::span<const std::uint8_t> bytes,
                                                  const std::filesystem::path& file) {
  return Parser(bytes, file).all();
}

}  // namespace nephron::host
