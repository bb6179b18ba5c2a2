#include "chunk_cache.hpp"

namespace tiff_reader {

std::shared_ptr<const Chunk> ChunkCache::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->chunk;
}

void ChunkCache::keep(const Key& key, std::shared_ptr<const Chunk> chunk) {
  const std::size_t size = chunk->bytes.size();
  const std::lock_guard lock(mutex_);
  if (size > most_bytes_ || by_key_.contains(key)) return;
  while (bytes_ + size > most_bytes_) drop_oldest();
  entries_.push_front({key, std::move(chunk)});
  by_key_[key] = entries_.begin();
  bytes_ += size;
}

void ChunkCache::forget(std::uint64_t slide) {
  const std::lock_guard lock(mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto next = std::next(it);
    if (it->key.slide == slide) {
      bytes_ -= it->chunk->bytes.size();
      by_key_.erase(it->key);
      entries_.erase(it);
    }
    it = next;
  }
}

std::uint64_t ChunkCache::number() {
  const std::lock_guard lock(mutex_);
  return ++slides_;
}

std::size_t ChunkCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void ChunkCache::drop_oldest() {
  bytes_ -= entries_.back().chunk->bytes.size();
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
}

}  // namespace tiff_reader
