// What is told of objects: confidence, size, and how much of each the objects of another class cover.
#include <host/predict/object_outputs.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <nephron/csv.hpp>

#include <host/util/files.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

constexpr Size size{60, 40};

void fill(const Image& mask, const Region& box) {
  for (std::int64_t y = box.y; y < box.y + box.height; ++y)
    for (std::int64_t x = box.x; x < box.x + box.width; ++x) mask.view().row<std::uint8_t>(y)[x] = 255;
}

Image probabilities(const Image& mask, float inside) {
  Image out(size, 1, Depth::f32);
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x)
      out.view().row<float>(y)[x] = mask.view().row<const std::uint8_t>(y)[x] != 0 ? inside : 0.1F;
  return out;
}

TEST(ObjectOutputs, TellConfidenceSizeAndTheShareOfOtherClasses) {
  const ScratchFolder scratch("object-outputs");
  Image healthy(size, 1), unhealthy(size, 1);
  fill(healthy, {5, 5, 20, 10}), fill(healthy, {40, 20, 10, 10});
  fill(unhealthy, {20, 0, 10, 30});  // covers a quarter of the first one, nothing of the second
  const Image likely = probabilities(healthy, 0.8F), less = probabilities(unhealthy, 0.6F);
  likely.view().row<float>(8)[9] = 1;
  Kept kept;
  kept.geojson = kept.objects = true, kept.least_area = 1;
  const OutputFolder output(scratch.path(), {"healthy", "unhealthy"});
  output.make(kept, false);
  ObjectOutputs outputs(output, kept, {"healthy", "unhealthy"}, {"s", "s.tif", size, 0.5});
  for (std::int64_t y = 0; y < size.height; y += 7) {
    const Region rows{0, y, size.width, std::min<std::int64_t>(7, size.height - y)};
    const auto part = [&](const Image& image) { return image.view().crop(rows); };
    outputs.rows(y, std::vector<ImageView>{part(healthy), part(unhealthy)},
                 std::vector<ImageView>{part(likely), part(less)});
  }
  outputs.finish(
      R"({"picture_sha256":"p","weights_sha256":["v","w"],"settings_sha256":"abc","device":"cpu","thresholds":[0.25,0.5]})");

  const CsvTable table = CsvTable::read(output.objects("s"));
  ASSERT_EQ(table.rows(), 3U);
  const auto cell = [&](std::size_t row, const char* column) { return *table.number(row, table.column(column)); };
  EXPECT_EQ(table.cell(0, 0), "healthy");
  EXPECT_EQ(cell(0, "confidence"), 1);
  EXPECT_NEAR(cell(1, "confidence"), 0.8, 1.0 / 255);
  const auto text = [&](const char* column) { return table.cell(2, table.column(column)); };
  EXPECT_EQ(text("picture_sha256"), "p");
  EXPECT_EQ(text("weights_sha256"), "v;w");
  EXPECT_EQ(text("settings_sha256"), "abc");
  EXPECT_EQ(text("searched_thresholds"), "0.25;0.5");
  EXPECT_EQ(cell(0, "area_px"), 200);
  EXPECT_EQ(cell(0, "area_um2"), 50);
  EXPECT_EQ(cell(0, "share_of_healthy"), 1);
  EXPECT_EQ(cell(0, "share_of_unhealthy"), 0.25);
  EXPECT_EQ(cell(1, "share_of_unhealthy"), 0);
  EXPECT_NEAR(cell(2, "share_of_healthy"), 50.0 / 300, 1e-6);

  const auto json = nlohmann::json::parse(read_file(output.geojson("s")));
  EXPECT_EQ(json["nephron"]["settings_sha256"], "abc");
  ASSERT_EQ(json["features"].size(), 3U);
  const std::string first = json["features"][0]["properties"]["measurements"].dump();
  for (const char* name : {"confidence", "area um^2", "share of unhealthy"})
    EXPECT_THAT(first, testing::HasSubstr(name));
}

}  // namespace
}  // namespace nephron::host
