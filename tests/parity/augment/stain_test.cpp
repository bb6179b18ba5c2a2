// Two stains: HEStain of Albumentations, transfers by the formula in double precision, Reinhard's by OpenCV's CIELAB.
#include <cmath>

#include "tissue_fixture.hpp"

namespace nephron::host {
namespace {

TEST_F(TissueParity, StainJitterIsHeStain) {
  const std::vector<std::string> names{"dark",  "e_heavy", "h_heavy", "high_contrast",
                                       "light", "macenko", "ruifrok", "standard"};
  for (std::uint64_t i = 0; i < 12; ++i) {
    Rng rng = generator_of(i);
    const std::string name = names[static_cast<std::size_t>(rng.integer(0, 7))];
    const double h = rng.uniform(0.7, 1.3), e = rng.uniform(0.7, 1.3);
    const double more_h = rng.uniform(-0.2, 0.2), more_e = rng.uniform(-0.2, 0.2);
    add({{"transform", "he_stain"}, {"preset", name}, {"scales", {h, e}}, {"shifts", {more_h, more_e}}},
        draw("stain_jitter", {}, i));
  }
  const Difference d = compare_all("stain_jitter");
  EXPECT_LE(d.beyond_one, 0.001);
  EXPECT_EQ(d.labels, 0);
}

TEST_F(TissueParity, TransfersAreTheirFormulas) {
  const std::string file = (folder_ / "stains.json").string();
  add({{"numbers", "stain_file"}, {"file", "stains.json"}, {"true", {{0.65, 0.70, 0.29}, {0.07, 0.99, 0.11}}}},
      RecordedPlan({width, height}));
  run_peer();  // statistics of the picture ("slide") and of a changed one ("other")
  const nlohmann::json off = answer(0);
  std::printf("[ measured ] stains found: off by %.4f (Macenko), %.4f (Vahadane), %.4f from Albumentations' Vahadane\n",
              off["macenko"].get<double>(), off["vahadane"].get<double>(), off["peer"].get<double>());
  EXPECT_LT(off["macenko"].get<double>(), 0.1);
  EXPECT_LT(off["vahadane"].get<double>(), 0.2);
  EXPECT_LT(off["peer"].get<double>(), 0.02);
  jobs_.clear(), plans_.clear();
  for (std::uint64_t i = 0; i < 6; ++i) {
    const double share = i % 2 == 0 ? 1 : generator_of(i).uniform(0.5, 1);
    for (const char* type : {"stain_transfer", "reinhard"}) {
      // With a fixed target the share is the second draw, behind none.
      const Value::Array range = i % 2 == 0 ? Value::Array{1, 1} : Value::Array{0.5, 1};
      add({{"transform", type}, {"file", "stains.json"}, {"share", share}},
          draw(type, {{"statistics", file, {}}, {"target", "other", {}}, {"share", range, {}}}, i));
    }
  }
  Difference transfer, reinhard;
  const std::vector<Difference> all = compare();
  for (std::size_t i = 0; i < all.size(); ++i) (i % 2 == 0 ? transfer : reinhard).take(all[i]);
  std::printf("[ measured ] stain_transfer: worst %.0f, mean %.4f; reinhard: worst %.0f, mean %.3f, beyond one %.5f\n",
              transfer.worst, transfer.mean, reinhard.worst, reinhard.mean, reinhard.beyond_one);
  EXPECT_LE(transfer.worst, 1);
  EXPECT_LE(transfer.labels + reinhard.labels, 0);
  EXPECT_LE(reinhard.mean, 0.5);  // a cube of 17 nodes a side
}

}  // namespace
}  // namespace nephron::host
