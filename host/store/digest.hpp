#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

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

/// The digests of the tiles of several pictures, which threads fill in any order, and one digest of them all.
class TileDigests {
 public:
  explicit TileDigests(std::size_t pictures) : digests_(pictures) {}
  void resize(std::size_t picture, std::size_t tiles) { digests_.at(picture).resize(tiles); }
  /// Thread-safe for different tiles. A tile that is never set counts as blank.
  void set(std::size_t picture, std::size_t tile, const void* bytes, std::size_t size) {
    digests_[picture].at(tile) = sha256_hex(bytes, size);
  }
  std::string hex() const;

 private:
  std::vector<std::vector<std::string>> digests_;
};

}  // namespace nephron::host
