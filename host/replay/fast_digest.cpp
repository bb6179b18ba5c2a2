#include <host/replay/fast_digest.hpp>

#include <algorithm>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// Looked for once: OpenSSL takes a lock for it.
EVP_MAC* method() {
  static EVP_MAC* const once = EVP_MAC_fetch(nullptr, "GMAC", nullptr);
  if (once == nullptr) throw Error("OpenSSL has no GMAC, of which digests of steps are made");
  return once;
}

}  // namespace

FastDigest::FastDigest() : state_(EVP_MAC_CTX_new(method()), EVP_MAC_CTX_free) {
  if (state_ == nullptr) throw Error("OpenSSL gives no state for a digest");
  begin();
}
FastDigest::~FastDigest() = default;

void FastDigest::begin() {
  static constexpr unsigned char key[16] = {'n', 'e', 'p', 'h', 'r', 'o', 'n', ' ',
                                            'd', 'i', 'g', 'e', 's', 't', ' ', '1'};
  unsigned char iv[12] = {};
  char cipher[] = "AES-128-GCM";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
                                   OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_IV, iv, sizeof iv),
                                   OSSL_PARAM_construct_end()};
  if (EVP_MAC_init(state_.get(), key, sizeof key, parameters) != 1) throw Error("OpenSSL begins no digest");
}

void FastDigest::add(const void* bytes, std::size_t size) {
  constexpr std::size_t most = std::size_t{1} << 30;  // OpenSSL counts in ints
  const auto* at = static_cast<const unsigned char*>(bytes);
  while (size > 0) {
    const std::size_t now = std::min(size, most);
    if (EVP_MAC_update(state_.get(), at, now) != 1) throw Error("OpenSSL goes on with no digest");
    at += now, size -= now;
  }
}

std::uint64_t FastDigest::take() {
  unsigned char tag[16] = {};
  std::size_t size = 0;
  if (EVP_MAC_final(state_.get(), tag, &size, sizeof tag) != 1) throw Error("OpenSSL ends no digest");
  begin();
  std::uint64_t out = 0;
  std::memcpy(&out, tag, sizeof out);
  return out;
}

}  // namespace nephron::host
