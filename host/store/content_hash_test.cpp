#include <host/store/content_hash.hpp>

#include <algorithm>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

std::string hash_of(const std::string& bytes) {
  ContentHash hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

TEST(ContentHash, DoesNotDependOnPieces) {
  std::mt19937 random(1);
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1000U, 5000U}) {
    const std::string bytes = noise(size, 2);
    const std::string whole = hash_of(bytes);
    EXPECT_EQ(whole.size(), 32U);
    for (int n = 0; n < 50; ++n) {
      ContentHash hash;
      for (std::size_t at = 0; at < size;) {
        const std::size_t piece = std::min<std::size_t>(size - at, random() % 200);
        hash.add(bytes.data() + at, piece);
        at += piece;
      }
      ASSERT_EQ(hash.hex(), whole) << size;
    }
  }
}

// What is written into records must be found by the next version too: figures of another program of the same rules.
TEST(ContentHash, StaysAsItIs) {
  EXPECT_EQ(hash_of(""), "c6a11cb79a1e33b71ae508ab291c0975");
  EXPECT_EQ(hash_of("nephron"), "60919bd7926486d345d9dcb1fe1c03ed");
  EXPECT_EQ(hash_of(std::string(1000, 'x')), "11ca848ff1909b191344db2cb58958c7");
  std::string many;
  for (std::size_t i = 0; i < 100003; ++i) many += static_cast<char>(i * i + i / 7);
  EXPECT_EQ(hash_of(many), "ac99fba29a3739cb00146da56bba316b");
}

// Stripes that come whole are taken by AVX2 where the processor has it, those that come in pieces by plain code.
TEST(ContentHash, WideAndPlainCodeAgree) {
  constexpr std::size_t stripe = 64;
  const std::string bytes = noise(5000 * stripe, 6);
  const auto in_pieces = [](ContentHash& hash, const char* from, std::size_t size) {
    for (std::size_t at = 0; at < size; at += stripe - 1) hash.add(from + at, std::min(size - at, stripe - 1));
  };
  for (const std::size_t first : {0U, 1U, 15U, 16U, 17U, 4000U})  // stripes before the wide code begins
    for (const std::size_t size : {1U, 63U, 64U, 65U, 127U, 1023U, 1024U, 1025U, 2048U, 4097U, 63999U}) {
      ContentHash wide, plain;
      in_pieces(wide, bytes.data(), first * stripe);
      wide.add(bytes.data() + first * stripe, size);
      in_pieces(plain, bytes.data(), first * stripe + size);
      ASSERT_EQ(wide.hex(), plain.hex()) << first << ", " << size;
    }
}

TEST(ContentHash, SeesEveryChangeOfABit) {
  for (const bool blank : {true, false}) {
    const std::string bytes = blank ? std::string(2500, '\0') : noise(2500, 3);
    std::set<std::string> seen{hash_of(bytes)};
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string other = bytes;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      seen.insert(hash_of(other));
    }
    EXPECT_EQ(seen.size(), 8 * bytes.size() + 1);
  }
}

TEST(ContentHash, SeesLengthsOrdersAndPlaces) {
  std::set<std::string> seen;
  for (std::size_t size = 0; size < 500; ++size) seen.insert(hash_of(std::string(size, '\0')));
  EXPECT_EQ(seen.size(), 500U);
  // Words and stripes that change places, and one word in a blank file.
  const std::string bytes = noise(4096, 4);
  seen = {hash_of(bytes)};
  std::size_t count = 1;
  for (const std::size_t unit : {8U, 64U, 1024U})
    for (std::size_t a = 0; a < bytes.size() / unit; a += 3)
      for (std::size_t b = a + 1; b < bytes.size() / unit; b += 7, ++count) {
        std::string other = bytes;
        for (std::size_t i = 0; i < unit; ++i) std::swap(other[a * unit + i], other[b * unit + i]);
        seen.insert(hash_of(other));
      }
  EXPECT_EQ(seen.size(), count);
  seen.clear();
  for (std::size_t at = 0; at + 8 <= 4096; ++at)
    seen.insert(hash_of(std::string(at, '\0') + "12345678" + std::string(4088 - at, '\0')));
  EXPECT_EQ(seen.size(), 4089U);
}

TEST(ContentHash, OfFiles) {
  const auto file = std::filesystem::temp_directory_path() / ("nephron_hash_" + std::to_string(getpid()));
  const std::string bytes = noise((1 << 20) + 13, 5);
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(content_hash_of(file), hash_of(bytes));
  std::filesystem::remove(file);
  EXPECT_THROW(content_hash_of(file), Error);
  EXPECT_EQ(content_hash_of(std::filesystem::temp_directory_path()), "");
}

}  // namespace
}  // namespace nephron::host
