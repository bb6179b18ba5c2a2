#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nephron/image.hpp>

struct evp_md_ctx_st;

namespace nephron::host {

/// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(const void* bytes, std::size_t size);
  std::string hex();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> state_;
};

std::string sha256_hex(const void* bytes, std::size_t size);

/// The digests of the tiles of several pictures, which threads fill in any order, and one digest of them all: of the
/// pictures' sizes and pixels, whatever the file they lie in.
class TileDigests {
 public:
  explicit TileDigests(std::vector<Size> pictures);
  /// Thread-safe for different tiles. A tile that is never set counts as blank.
  void set(std::size_t picture, std::size_t tile, const void* bytes, std::size_t size) {
    digests_[picture].at(tile) = sha256_hex(bytes, size);
  }
  std::string hex() const;

 private:
  friend class RowsDigest;
  std::vector<Size> sizes_;
  std::vector<std::vector<std::string>> digests_;
};

/// The digest that TileDigests gives of one picture, of rows that come in their order. Holds a state a tile across.
class RowsDigest {
 public:
  /// `padding`: what tiles hold beyond the picture.
  RowsDigest(Size size, int channels, std::uint8_t padding);
  /// Rows that follow those that were given, all across.
  void add(const ImageView& rows);
  std::int64_t rows() const noexcept { return rows_; }
  /// Once all rows were given.
  std::string hex() const { return tiles_.hex(); }

 private:
  void add_row(const std::uint8_t* row);
  void finish_tiles();

  Size size_;
  int channels_;
  std::vector<std::uint8_t> padding_;  ///< a row of a tile
  std::vector<std::unique_ptr<Sha256>> states_;
  TileDigests tiles_;
  std::int64_t rows_ = 0;
};

/// Of a picture in memory, as the store's files have it: u8 RGB.
std::string picture_digest(const ImageView& picture);

}  // namespace nephron::host
