#include <host/store/digest.hpp>

#include <algorithm>
#include <utility>

#include <openssl/evp.h>

#include <nephron/error.hpp>

#include <host/store/tiff_writer.hpp>

namespace nephron::host {

Sha256::Sha256() : state_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr); }
Sha256::~Sha256() = default;

void Sha256::add(const void* bytes, std::size_t size) { EVP_DigestUpdate(state_.get(), bytes, size); }

std::string Sha256::hex() {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_.get(), bytes, &size);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr char digits[] = "0123456789abcdef";
    (out += digits[bytes[i] >> 4]) += digits[bytes[i] & 15];
  }
  return out;
}

std::string sha256_hex(const void* bytes, std::size_t size) {
  Sha256 digest;
  digest.add(bytes, size);
  return digest.hex();
}

TileDigests::TileDigests(std::vector<Size> pictures) : sizes_(std::move(pictures)) {
  for (const Size size : sizes_) digests_.emplace_back(static_cast<std::size_t>(TiffTiles(size).count()));
}

std::string TileDigests::hex() const {
  Sha256 all;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    const std::string size = std::to_string(sizes_[i].width) + " x " + std::to_string(sizes_[i].height);
    all.add(size.c_str(), size.size() + 1);
    for (const std::string& tile : digests_[i]) all.add(tile.c_str(), tile.size() + 1);
  }
  return all.hex();
}

RowsDigest::RowsDigest(Size size, int channels, std::uint8_t padding)
    : size_(size),
      channels_(channels),
      padding_(static_cast<std::size_t>(tile_side * channels), padding),
      states_(static_cast<std::size_t>(TiffTiles(size).across)),
      tiles_({size}) {}

void RowsDigest::add(const ImageView& rows) {
  if (rows.width != size_.width || rows.channels != channels_ || rows_ + rows.height > size_.height)
    throw Error("rows that are not the picture's cannot be digested");
  for (std::int64_t y = 0; y < rows.height; ++y) add_row(rows.row<const std::uint8_t>(y));
}

void RowsDigest::add_row(const std::uint8_t* row) {
  for (std::size_t column = 0; column < states_.size(); ++column) {
    auto& state = states_[column];
    if (state == nullptr) state = std::make_unique<Sha256>();
    const auto x = static_cast<std::int64_t>(column) * tile_side;
    const auto bytes = static_cast<std::size_t>(std::min(tile_side, size_.width - x) * channels_);
    state->add(row + x * channels_, bytes);
    if (bytes < padding_.size()) state->add(padding_.data(), padding_.size() - bytes);
  }
  if (++rows_ % tile_side == 0 || rows_ == size_.height) finish_tiles();
}

void RowsDigest::finish_tiles() {
  const std::int64_t down = (rows_ - 1) / tile_side;
  for (std::size_t column = 0; column < states_.size(); ++column) {
    for (std::int64_t row = rows_; row < (down + 1) * tile_side; ++row)
      states_[column]->add(padding_.data(), padding_.size());
    tiles_.digests_[0][static_cast<std::size_t>(down) * states_.size() + column] = states_[column]->hex();
    states_[column].reset();
  }
}

std::string picture_digest(const ImageView& picture) {
  RowsDigest digest(picture.size(), 3, 255);
  digest.add(picture);
  return digest.hex();
}

}  // namespace nephron::host
