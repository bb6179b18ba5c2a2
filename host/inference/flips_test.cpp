#include <host/inference/flips.hpp>

#include <numeric>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

const std::vector<Flip> all{{false, false}, {true, false}, {false, true}, {true, true}};

std::vector<std::int64_t> dims_of(const Flip& flip) {
  std::vector<std::int64_t> dims;
  if (flip.y) dims.push_back(2);
  if (flip.x) dims.push_back(3);
  return dims;
}

TEST(Flips, ShowEveryTileInEveryDirection) {
  const Size size{5, 4};
  std::vector<std::uint8_t> bytes(2 * 4 * 5 * 3);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  const Normalise how = Normalise::of({0.1, 0.2, 0.3}, {0.5, 0.4, 0.3});
  const at::Tensor plain = flipped_inputs(bytes.data(), 2, size, {{}}, how);
  EXPECT_EQ(plain.sizes(), (at::IntArrayRef{2, 3, 4, 5}));
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_EQ(plain[1][static_cast<std::int64_t>(c)][2][3].item<float>(),
              (static_cast<float>(bytes[(20 + 13) * 3 + c]) - how.mean[c]) * how.inverse[c]);
  const at::Tensor seen = flipped_inputs(bytes.data(), 2, size, all, how);
  EXPECT_TRUE(seen.is_contiguous(at::MemoryFormat::ChannelsLast));
  for (std::int64_t tile = 0; tile < 2; ++tile)
    for (std::size_t f = 0; f < all.size(); ++f)
      EXPECT_TRUE(
          seen[4 * tile + static_cast<std::int64_t>(f)].equal(plain.narrow(0, tile, 1).flip(dims_of(all[f]))[0]));
}

TEST(Flips, ComeBackAsTheirMean) {
  const at::Tensor maps = at::rand({2 * 4, 3, 6, 5});
  at::Tensor mean = at::zeros({2, 3, 6, 5});
  for (std::int64_t f = 0; f < 4; ++f)
    mean += maps.slice(0, f, 8, 4).flip(dims_of(all[static_cast<std::size_t>(f)])) / 4;
  std::vector<float> out(2 * 3 * 6 * 5, 7);
  add_flipped_back(maps.contiguous(at::MemoryFormat::ChannelsLast), all, 0.25F, /*first=*/true, out.data());
  const at::Tensor found = at::from_blob(out.data(), {2, 3, 6, 5});
  EXPECT_LT((found - mean).abs().max().item<float>(), 1e-6F);
  add_flipped_back(maps, all, 0.25F, /*first=*/false, out.data());
  EXPECT_LT((found - 2 * mean).abs().max().item<float>(), 2e-6F);
}

TEST(Flips, UnknownNamesAreRefused) {
  EXPECT_TRUE(flip_named("flip_xy").x && flip_named("flip_xy").y);
  EXPECT_THROW(flip_named("rot90"), Error);
}

}  // namespace
}  // namespace nephron::host
