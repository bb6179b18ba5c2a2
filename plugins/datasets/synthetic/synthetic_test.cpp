#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include <nephron/dataset.hpp>
#include <nephron/error.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {
namespace {

/// Keeps polygons, and joins masks into one picture.
struct KeepingSink final : AnnotationSink {
  explicit KeepingSink(Size size) : labels(size, 1) {}
  std::vector<std::pair<int, Polygon>> polygons;
  Image labels;
  void polygon(int c, const Polygon& p) override { polygons.emplace_back(c, p); }
  void mask(const Region& r, const ImageView& bits) override {
    for (std::int64_t y = 0; y < r.height; ++y)
      for (std::int64_t x = 0; x < r.width; ++x)
        labels.view().row<std::uint8_t>(r.y + y)[r.x + x] |= bits.row<std::uint8_t>(y)[x];
  }
  void runs(int, std::span<const Run>, bool) override {}
  void probability(int, const Region&, const ImageView&) override {}
  void ignore(const Region&, const ImageView&) override {}
};

bool inside(const Polygon& p, double x, double y) {  // crossings of a ray to the right
  bool in = false;
  const auto& ring = p[0];
  for (std::size_t i = 0, j = ring.size() - 1; i < ring.size(); j = i++)
    if ((ring[i].y > y) != (ring[j].y > y) &&
        x < (ring[j].x - ring[i].x) * (y - ring[i].y) / (ring[j].y - ring[i].y) + ring[i].x)
      in = !in;
  return in;
}

class SyntheticTest : public testing::Test {
 protected:
  std::shared_ptr<Dataset> make(Value::Table params = {}) {
    params.push_back({"size", Value::Array{700, 600}, {}});
    params.push_back({"radius", 60, {}});
    params.push_back({"glomeruli", 15, {}});
    return registry_.create<Dataset>(ComponentSpec{"synthetic", Value(std::move(params)), {}}, context_);
  }
  static Image read(const SlideReader& reader, const Region& region) {
    Image out(region.size(), 3);
    reader.read(region, out.view());
    return out;
  }
  static bool equal(const Image& a, const Image& b) {
    const auto n = static_cast<std::size_t>(a.size().area()) * 3;
    return a.size() == b.size() &&
           std::equal(a.view().row<std::uint8_t>(0), a.view().row<std::uint8_t>(0) + n, b.view().row<std::uint8_t>(0));
  }
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}}};
  HostContext context_{"synthetic", "dataset[0]"};
  const std::vector<std::string> classes_{"healthy", "sclerotic"};
};

TEST_F(SyntheticTest, PixelsDoNotDependOnHowTheyAreRead) {
  const auto d = make();
  const SlideInfo slide = d->slides(classes_).at(1);
  const auto reader = d->open(slide);
  ASSERT_EQ(reader->size(), (Size{700, 600}));
  const Image whole = read(*reader, {0, 0, 700, 600});
  Image joined({700, 600}, 3);
  for (std::int64_t y = 0; y < 600; y += 170)
    for (std::int64_t x = 0; x < 700; x += 230) {
      const Region r = Region{x, y, 230, 170}.clipped({0, 0, 700, 600});
      copy(read(*reader, r).view(), joined.view().crop(r));
    }
  EXPECT_TRUE(equal(whole, joined));
  EXPECT_TRUE(equal(whole, read(*make()->open(slide), {0, 0, 700, 600})));
  EXPECT_FALSE(equal(whole, read(*make({{"seed", 2, {}}})->open(slide), {0, 0, 700, 600})));
  Image out({10, 10}, 3);
  EXPECT_THROW(reader->read({695, 0, 10, 10}, out.view()), Error);
}

TEST_F(SyntheticTest, PolygonsAndMasksSayTheSame) {
  const auto by_polygon = make(), by_mask = make({{"annotation", "mask", {}}});
  int objects = 0;
  std::set<int> seen;
  for (const SlideInfo& slide : by_polygon->slides(classes_)) {
    KeepingSink polygons({700, 600}), masks({700, 600});
    by_polygon->annotate(slide, classes_, polygons);
    by_mask->annotate(slide, classes_, masks);
    ASSERT_FALSE(polygons.polygons.empty());
    std::int64_t different = 0, set = 0;
    for (std::int64_t y = 0; y < 600; ++y)
      for (std::int64_t x = 0; x < 700; ++x) {
        int bits = 0;
        for (const auto& [c, p] : polygons.polygons) bits |= inside(p, double(x), double(y)) ? 1 << c : 0;
        set += bits != 0;
        different += bits != masks.labels.view().row<std::uint8_t>(y)[x];
      }
    objects += static_cast<int>(polygons.polygons.size());
    for (const auto& [c, p] : polygons.polygons) seen.insert(c);
    EXPECT_GT(set, 5000);
    EXPECT_LT(different, set / 200) << slide.id;  // the polygon has 128 corners, the outline has none
  }
  EXPECT_GT(objects, 8);
  EXPECT_EQ(seen, (std::set<int>{0, 1}));
}

TEST_F(SyntheticTest, GlassIsWhiteAndDonorsDifferInStain) {
  const auto d = make({{"slides", 4, {}}});
  const auto slides = d->slides(classes_);
  ASSERT_EQ(slides.size(), 4U);
  EXPECT_EQ(slides[0].donor, slides[2].donor);
  EXPECT_NE(slides[0].donor, slides[1].donor);
  const auto green = [&](const SlideInfo& s) {
    const Image all = read(*d->open(s), {0, 0, 700, 600});
    double sum = 0, n = 0;
    for (std::int64_t i = 0; i < 700 * 600; ++i) {
      const auto* p = all.view().row<std::uint8_t>(0) + 3 * i;
      if (p[0] - p[1] > 12) sum += p[1], ++n;
    }
    EXPECT_GT(n, 700 * 600 * 0.3) << "tissue";
    EXPECT_LT(n, 700 * 600 * 0.9);
    const auto* corner = all.view().row<std::uint8_t>(2);
    EXPECT_GT(std::min({corner[6], corner[7], corner[8]}), 228);
    return sum / n;
  };
  const double a = green(slides[0]), b = green(slides[1]), c = green(slides[2]);
  EXPECT_GT(std::abs(a - b), 2 * std::abs(a - c));
}

TEST_F(SyntheticTest, ClassesMayBeNamed) {
  KeepingSink sink({700, 600});
  const auto d = make({{"sclerotic", 1.0, {}}, {"sclerotic_class", "scar", {}}});
  const std::vector<std::string> classes{"a", "b", "scar"};
  d->annotate(d->slides(classes).at(0), classes, sink);
  for (const auto& [c, p] : sink.polygons) EXPECT_EQ(c, 2);
  EXPECT_THROW(d->slides(classes_), Error);
  KeepingSink one({700, 600});
  make()->annotate(make()->slides({"all"}).at(0), {"all"}, one);
  for (const auto& [c, p] : one.polygons) EXPECT_EQ(c, 0);
}

}  // namespace
}  // namespace nephron::host
