#pragma once

#include <filesystem>
#include <memory>

#include <nephron/slide.hpp>

#include "chunk_cache.hpp"
#include "file_bytes.hpp"
#include "handle.hpp"
#include "layout.hpp"

namespace tiff_reader {

/// An open TIFF. Uncompressed pixels are read where they lie; others chunk by chunk through the cache.
class TiffSlide final : public nephron::SlideFile {
 public:
  TiffSlide(const std::filesystem::path& file, std::shared_ptr<ChunkCache> cache, bool scale_16_bit);
  ~TiffSlide() override;

  Size size() const noexcept override { return layout_.levels.front().size; }
  const nephron::SlideHeader& header() const noexcept override { return layout_.header; }
  void read(const nephron::Region& region, const nephron::ImageView& out) const override { read_level(0, region, out); }
  void read_level(int level, const nephron::Region& region, const nephron::ImageView& out) const override;

 private:
  void read_raw(const Plane& plane, std::int64_t chunk, const nephron::Region& part,
                const nephron::ImageView& out) const;
  std::shared_ptr<const Chunk> chunk(int level, std::size_t plane, std::int64_t index) const;
  std::shared_ptr<const Chunk> decode(const Plane& plane, std::int64_t index) const;
  std::shared_ptr<const Chunk> decode_rows(const Plane& plane, ChunkCache::Key key) const;
  [[noreturn]] void fail(const Plane& plane, std::int64_t index, const std::string& why) const;

  FileBytes bytes_;
  std::size_t most_memory_;
  mutable HandlePool handles_;
  std::shared_ptr<ChunkCache> cache_;
  std::uint64_t number_;
  Layout layout_;
};

}  // namespace tiff_reader
