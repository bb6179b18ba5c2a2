#include <host/store/digest.hpp>

#include <openssl/evp.h>

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

std::string TileDigests::hex() const {
  Sha256 all;
  for (const auto& picture : digests_)
    for (const std::string& tile : picture) all.add(tile.c_str(), tile.size() + 1);
  return all.hex();
}

}  // namespace nephron::host
