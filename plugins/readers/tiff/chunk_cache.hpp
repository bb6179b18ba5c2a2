#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace tiff_reader {

/// Decoded 8-bit samples of a tile or strip, side by side; rows are packed.
struct Chunk {
  std::int64_t width = 0;
  std::int64_t height = 0;
  int samples = 1;
  std::vector<std::uint8_t> bytes;
};

/// Decoded chunks of all slides of a reader, those used last; never more than a stated number of bytes. Thread-safe.
class ChunkCache {
 public:
  struct Key {
    std::uint64_t slide = 0;
    std::uint32_t plane = 0;
    std::uint64_t chunk = 0;
    bool operator==(const Key&) const = default;
  };

  explicit ChunkCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  /// Null when it is not held.
  std::shared_ptr<const Chunk> find(const Key& key);
  /// A chunk that is larger than the whole cache is not held.
  void keep(const Key& key, std::shared_ptr<const Chunk> chunk);
  /// Drops what is held of a slide.
  void forget(std::uint64_t slide);
  /// A number that no other slide has.
  std::uint64_t number();
  std::size_t bytes() const;

 private:
  struct Hash {
    std::size_t operator()(const Key& k) const noexcept {
      std::uint64_t h = (k.slide * 0x9e3779b97f4a7c15ULL) ^ (std::uint64_t{k.plane} << 48) ^ k.chunk;
      h ^= h >> 31;
      return static_cast<std::size_t>(h * 0xbf58476d1ce4e5b9ULL);
    }
  };
  struct Entry {
    Key key;
    std::shared_ptr<const Chunk> chunk;
  };
  void drop_oldest();

  mutable std::mutex mutex_;
  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t slides_ = 0;
  std::list<Entry> entries_;  // last used first
  std::unordered_map<Key, std::list<Entry>::iterator, Hash> by_key_;
};

}  // namespace tiff_reader
