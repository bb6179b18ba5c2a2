// Programs of samples, carried out by the loops that stand for the kernels, beside the executor of plans.
#include <host/train/run_programs.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/TensorIndexing.h>

#include <nephron/label_pixels.hpp>
#include <nephron/rng.hpp>

#include <host/feed/execute.hpp>
#include <host/feed/program_writer.hpp>

namespace nephron::host {
namespace {

constexpr std::int64_t side = 96, tile = 64, margin = (side - tile) / 2;
constexpr Region wanted{margin, margin, tile, tile};

Image waves(int spacing, float most) {
  Image grid(displacement_nodes({side, side}, spacing), 2, Depth::f32);
  for (std::int64_t y = 0; y < grid.size().height; ++y)
    for (std::int64_t x = 0; x < grid.size().width; ++x) {
      grid.view().row<float>(y)[2 * x] = most * std::sin(static_cast<float>(spacing * y) / 9);
      grid.view().row<float>(y)[2 * x + 1] = most * std::cos(static_cast<float>(spacing * x) / 7);
    }
  return grid;
}

Affine turned(double degrees, double scale, double dx) {
  const double a = degrees * M_PI / 180, c = scale * std::cos(a), s = scale * std::sin(a), m = (side - 1) / 2.0;
  return {{c, -s, m - c * m + s * m + dx, s, c, m - s * m - c * m}};
}

ColourTables darker() {
  ColourTables out;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t v = 0; v < 256; ++v) out[c][v] = static_cast<std::uint8_t>(v * (200 + 20 * c) / 255);
  return out;
}

std::vector<float> cube(int nodes) {
  std::vector<float> out;
  for (int b = 0; b < nodes; ++b)
    for (int g = 0; g < nodes; ++g)
      for (int r = 0; r < nodes; ++r)
        for (const int v : {g, r, b}) out.push_back(230.0F * static_cast<float>(v) / static_cast<float>(nodes - 1) + 9);
  return out;
}

/// A picture with label bits of a depth, and maybe a probability map.
struct Slide {
  Image image{{side, side}, 3}, labels, soft{{side, side}, 1};
  std::uint32_t soft_classes;
  bool ignores;
  std::vector<ChannelRule> rules;

  Slide(Depth depth, std::uint32_t with_soft, bool ignoring, std::size_t classes)
      : labels({side, side}, 1, depth), soft_classes(with_soft), ignores(ignoring), rules(classes) {
    Rng rng(3, "programs");
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        for (int c = 0; c < 3; ++c)
          image.view().row<std::uint8_t>(y)[3 * x + c] =
              static_cast<std::uint8_t>(128 + 60 * std::sin(0.21 * static_cast<double>(x) + c) +
                                        50 * std::cos(0.17 * static_cast<double>(y) - c) + rng.uniform(-8, 8));
        soft.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(rng.integer(0, 255));
        const auto object = static_cast<std::uint32_t>((x / 9 + y / 13) % 4);
        std::uint32_t bits = object == 0 ? 0 : 1U << (object - 1) % classes | 1U << (classes - 1);
        if (ignores && x > 60 && y > 40) bits = 1U << classes;
        with_label_type(
            depth, [&](auto zero) { labels.view().row<decltype(zero)>(y)[x] = static_cast<decltype(zero)>(bits); });
      }
    for (std::size_t c = 0; c < classes; ++c) rules[c] = {.any_of = 1U << c, .none_of = c == 0 ? 4U : 0U};
  }

  Executor::Source source() const {
    return [this](const Region& r, const ImageView& to, const std::vector<ImageView>& planes) {
      copy(image.view().crop(r), to);
      if (!planes.empty()) copy(labels.view().crop(r), planes[0]);
      if (planes.size() > 1) copy(soft.view().crop(r), planes[1]);
    };
  }
  ProgramWriter::Sample sample(const RecordedPlan& plan) const {
    return {plan, wanted, source(), false, labels.view().depth, soft_classes, rules, ignores};
  }
};

/// What the executor makes of it, by pixel: bytes of the image, targets 0..255, whether it is ignored.
struct Expected {
  Image image{{tile, tile}, 3};
  std::vector<std::vector<int>> targets;
  std::vector<bool> ignored;

  Expected(const Slide& slide, const RecordedPlan& plan, Geometry geometry) {
    Image labels({tile, tile}, 1, slide.labels.view().depth), soft({tile, tile}, 1);
    std::vector<ImageView> planes{labels.view()};
    if (slide.soft_classes != 0) planes.push_back(soft.view());
    make_cpu_executor(geometry)->run(plan, wanted, slide.source(), image.view(), planes);
    targets.resize(slide.rules.size());
    for (std::int64_t i = 0; i < tile * tile; ++i) {
      const auto bits = with_label_type(labels.view().depth, [&](auto zero) {
        return static_cast<std::uint32_t>(labels.view().row<decltype(zero)>(0)[i]);
      });
      ignored.push_back(slide.ignores && (bits >> slide.rules.size() & 1U) != 0);
      for (std::size_t c = 0; c < slide.rules.size(); ++c) {
        const ChannelRule& rule = slide.rules[c];
        int target = 0;
        if (!ignored.back() && (bits & rule.none_of) == 0) {
          const std::uint32_t hard = first_bits(static_cast<int>(slide.rules.size())) & ~slide.soft_classes;
          target = (bits & rule.any_of & hard) != 0 ? 255 : 0;
          if ((rule.any_of & slide.soft_classes) != 0)
            target = std::max<int>(target, soft.view().row<std::uint8_t>(0)[i]);
        }
        targets[c].push_back(target);
      }
    }
  }
};

struct Differences {
  int worst = 0;             ///< grey levels
  double share = 0;          ///< of values that differ
  std::int64_t targets = 0;  ///< that differ
};

Differences compare(const Slide& slide, const RecordedPlan& plan, Geometry geometry) {
  ProgramWriter writer(geometry);
  RawBatch batch;
  batch.count = 2, batch.side = tile, batch.classes = static_cast<int>(slide.rules.size());
  batch.programs.resize(2);
  RecordedPlan nothing({side, side});
  writer.write(slide.sample(nothing), batch.programs[0]);  // a neighbour of another length
  batch.ignoring = {0, static_cast<std::uint8_t>(writer.write(slide.sample(plan), batch.programs[1]) ? 1 : 0)};
  const MadeBatch made = run_programs(batch, Normalise{}, c10::kCPU);
  const Expected expected(slide, plan, geometry);
  Differences out;
  const at::Tensor images = made.images.permute({0, 2, 3, 1})[1].contiguous(), targets = made.targets[1].contiguous();
  std::int64_t differ = 0;
  for (std::int64_t i = 0; i < 3 * tile * tile; ++i) {
    const int d =
        std::abs(static_cast<int>(images.const_data_ptr<float>()[i]) - expected.image.view().row<std::uint8_t>(0)[i]);
    out.worst = std::max(out.worst, d), differ += d > 0 ? 1 : 0;
  }
  out.share = static_cast<double>(differ) / (3 * tile * tile);
  for (std::size_t c = 0; c < slide.rules.size(); ++c)
    for (std::int64_t i = 0; i < tile * tile; ++i) {
      const float is = targets.const_data_ptr<float>()[static_cast<std::int64_t>(c) * tile * tile + i];
      out.targets += std::lround(255 * is) == expected.targets[c][static_cast<std::size_t>(i)] ? 0 : 1;
    }
  EXPECT_EQ(made.ignored.defined(), slide.ignores);
  for (std::int64_t i = 0; i < tile * tile && slide.ignores; ++i)
    out.targets +=
        (made.ignored[1].const_data_ptr<std::uint8_t>()[i] != 0) == expected.ignored[static_cast<std::size_t>(i)] ? 0
                                                                                                                  : 1;
  return out;
}

const std::array<float, 12> colours{0.8F, 0.1F, 0.1F, 4, 0.0F, 0.9F, 0.05F, -3, 0.1F, 0.0F, 1.1F, 0};
const std::array<float, 12> densities{0.9F, 0.05F, 0, 0.01F, 0, 1.1F, 0.02F, 0, 0.03F, 0, 1, 0};

using Write = std::function<void(Plan&)>;
struct Case {
  const char* name;
  Write write;
};
const std::vector<Case>& same_bytes() {
  static const std::vector<Case> cases{
      {"nothing", [](Plan&) {}},
      {"mirror", [](Plan& p) { p.flip(true, false); }},
      {"mirror of both", [](Plan& p) { p.flip(true, true); }},
      {"affine, reflected", [](Plan& p) { p.affine(turned(30, 1.1, 5), Border::reflect_101); }},
      {"affine, black beyond", [](Plan& p) { p.affine(turned(-50, 0.7, -20), Border::constant); }},
      {"grid", [](Plan& p) { p.displacement(waves(16, 6), 16, Border::reflect_101); }},
      {"field", [](Plan& p) { p.displacement(waves(1, 40), 1, Border::constant); }},
      {"tables", [](Plan& p) { p.lookup(darker()); }},
      {"matrix", [](Plan& p) { p.colour_matrix(colours); }},
      {"densities",
       [](Plan& p) {
         p.density_matrix(densities, {240, 245, 250});
       }},
      {"cube", [](Plan& p) { p.colour_cube(5, cube(5)); }},
      {"colours behind a move",
       [](Plan& p) {
         p.affine(turned(12, 1, 0), Border::reflect_101);
         p.colour_matrix(colours), p.lookup(darker()), p.colour_cube(3, cube(3));
       }},
      {"moves apart",
       [](Plan& p) {
         p.flip(false, true), p.lookup(darker()), p.affine(turned(20, 0.9, 3), Border::reflect_101),
             p.colour_matrix(colours);
       }},
      {"pixels",
       [](Plan& p) {
         p.affine(turned(20, 0.9, 3), Border::reflect_101);
         p.pixels([](const SampleView& s) {
           for (std::int64_t y = 0; y < s.image.height; ++y)
             for (std::int64_t x = 0; x < 3 * s.image.width; ++x)
               s.image.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(255 - s.image.row<std::uint8_t>(y)[x]);
         });
         p.flip(true, false);
       }},
  };
  return cases;
}

TEST(RunPrograms, GivesTheBytesOfTheExecutor) {
  const std::vector<Slide> slides{
      {Depth::u8, 0, false, 2}, {Depth::u8, 0, true, 3}, {Depth::u16, 2, true, 12}, {Depth::u32, 1, false, 20}};
  for (const Slide& slide : slides)
    for (const Case& c : same_bytes())
      for (const Geometry geometry : {Geometry::one_by_one, Geometry::joined}) {
        RecordedPlan plan({side, side});
        c.write(plan);
        const Differences d = compare(slide, plan, geometry);
        EXPECT_EQ(d.worst, 0) << c.name << ", " << slide.rules.size() << " classes";
        EXPECT_EQ(d.targets, 0) << c.name << ", " << slide.rules.size() << " classes";
      }
}

/// The executor interpolates a joined grid along rows, whose shares of nodes round otherwise: a place may lie 1/32 px
/// beside the other. What is nearest to a pixel may be its neighbour then.
TEST(RunPrograms, JoinsMovesAsTheExecutorButForRounding) {
  const Slide slide(Depth::u8, 2, true, 3);
  RecordedPlan exact({side, side});
  exact.flip(true, false), exact.affine(turned(30, 1.1, 5), Border::constant),
      exact.affine(turned(-10, 1, 0), Border::reflect_101);
  const Differences none = compare(slide, exact, Geometry::joined);
  EXPECT_EQ(none.worst, 0);
  EXPECT_EQ(none.targets, 0);

  RecordedPlan plan({side, side});
  plan.affine(turned(15, 1.05, 2), Border::constant), plan.displacement(waves(12, 5), 12, Border::reflect_101);
  const Differences d = compare(slide, plan, Geometry::joined);
  EXPECT_LE(d.worst, 6);
  EXPECT_LT(d.share, 0.01);
  EXPECT_LE(d.targets, 20);
}

/// Products are added in another order, and a separable filter of OpenCV rounds between its two passes.
TEST(RunPrograms, FiltersAsOpenCVWithinAGreyLevel) {
  const Slide slide(Depth::u8, 0, false, 2);
  Image kernel({5, 3}, 1, Depth::f32), flat({7, 7}, 1, Depth::f32);
  for (int i = 0; i < 15; ++i) kernel.view().row<float>(i / 5)[i % 5] = static_cast<float>(i % 4) / 21.0F;
  for (int i = 0; i < 49; ++i)
    flat.view().row<float>(i / 7)[i % 7] = (i % 7 - 3) * (i % 7 - 3) + (i / 7 - 3) * (i / 7 - 3) < 11 ? 1.0F / 37 : 0;
  const std::vector<Case> cases{
      {"any weights", [&](Plan& p) { p.filter(kernel); }},
      {"a disk", [&](Plan& p) { p.affine(turned(5, 1, 0), Border::reflect_101), p.filter(flat), p.lookup(darker()); }},
      {"separable",
       [](Plan& p) {
         p.filter({0.25F, 0.5F, 0.25F}, {0.1F, 0.2F, 0.4F, 0.2F, 0.1F});
       }},
  };
  for (const Case& c : cases) {
    RecordedPlan plan({side, side});
    c.write(plan);
    const Differences d = compare(slide, plan, Geometry::joined);
    EXPECT_LE(d.worst, 1) << c.name;
    EXPECT_LT(d.share, 0.01) << c.name;
    EXPECT_EQ(d.targets, 0) << c.name;
  }
}

TEST(RunPrograms, WithoutLabelsThereIsNoTarget) {
  const Slide slide(Depth::u8, 0, false, 2);
  RecordedPlan plan({side, side});
  plan.affine(turned(30, 1.1, 5), Border::reflect_101);
  ProgramWriter::Sample sample = slide.sample(plan);
  sample.bare = true;
  RawBatch batch;
  batch.count = 1, batch.side = tile, batch.classes = 2;
  batch.programs.resize(1);
  EXPECT_FALSE(ProgramWriter(Geometry::joined).write(sample, batch.programs[0]));
  const MadeBatch made = run_programs(batch, Normalise{}, c10::kCPU);
  EXPECT_EQ(made.targets.abs().max().item<float>(), 0);
  EXPECT_FALSE(made.ignored.defined());
}

}  // namespace
}  // namespace nephron::host
