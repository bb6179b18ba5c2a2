#include "file_bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <tests/support/scratch_folder.hpp>

namespace tiff_reader {
namespace {

// Lengths and places that are no multiples of anything, more than goes one way at once, rows that lie apart.
TEST(FileBytes, OfAnyLengthToAnyPlace) {
  const nephron::ScratchFolder scratch("file_bytes");
  constexpr std::size_t page = 4096, most = 70 * page;
  std::vector<std::uint8_t> bytes(most);
  std::uint32_t state = 1;
  for (std::uint8_t& v : bytes) v = static_cast<std::uint8_t>((state = state * 1664525U + 1013904223U) >> 24);
  const std::filesystem::path file = scratch.path() / "bytes";
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), most);
  const FileBytes reader(file);
  std::vector<std::uint8_t> out(most + 3 * page);
  std::uint8_t* const start = out.data() + page - reinterpret_cast<std::uintptr_t>(out.data()) % page;
  for (const std::size_t place : {0U, 1U, 4095U, 4096U, 5003U})
    for (const std::size_t further : {0U, 1U, 7U, 31U, 32U, 4095U})
      for (const std::size_t count : {1U, 2047U, 2048U, 2049U, 65535U, 65536U, 65537U, 200003U}) {
        std::uint8_t* const to = start + (place + further) % page;
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        reader.read(place, count, to);
        const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(place);
        ASSERT_TRUE(std::equal(to, to + count, from)) << place << ", " << further << ", " << count;
        const auto beside = std::count(out.data(), to, 0) + std::count(to + count, out.data() + out.size(), 0);
        ASSERT_EQ(static_cast<std::size_t>(beside), out.size() - count) << "nothing beside them is written";
      }
  constexpr std::size_t rows = 301, count = 601, step = 607, stride = 613;  // more rows than one call takes
  reader.read_rows(5, count, step, rows, start + 6, stride);
  for (std::size_t row = 0; row < rows; ++row)
    ASSERT_TRUE(std::equal(start + 6 + row * stride, start + 6 + row * stride + count,
                           bytes.begin() + static_cast<std::ptrdiff_t>(5 + row * step)))
        << row;
  reader.read_rows(5, count, count, rows, start + 6, count);
  EXPECT_TRUE(std::equal(start + 6, start + 6 + rows * count, bytes.begin() + 5));
  EXPECT_THROW(reader.read(most - 100, 5000, start + 2 * page - 93), nephron::Error);
}

}  // namespace
}  // namespace tiff_reader
