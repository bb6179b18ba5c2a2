#pragma once

#include <cstddef>
#include <cstdint>

#include <host/cuda/normalise.hpp>
#include <host/feed/colour_bodies.hpp>
#include <host/feed/position_bodies.hpp>
#include <host/feed/warp_bodies.hpp>

// Plans as data: what a sample is made of, its window included, as bytes that travel to a device at once, and the
// bodies that carry them out there for one pixel. A loop on the CPU runs the same bodies (run_programs()), so that
// tests on the CPU prove what a GPU computes. The steps are those of an Executor, with its arithmetic: warps and
// colours give the same bytes; a filter adds its products in the order of its taps, and may differ from OpenCV's by one
// grey level.
namespace nephron::host {

/// Pixels of a region of the picture, row by row.
struct ProgramPixels {
  std::int64_t at = 0;                               ///< first byte
  std::int32_t x = 0, y = 0, width = 0, height = 0;  ///< of the picture
  bool made = false;                                 ///< by a stage: in the room, not in the sample's bytes
};

/// A weight of a filter.
struct ProgramTap {
  std::int32_t dx = 0, dy = 0;
  float weight = 0;
};

/// One of the joined geometric steps, the last step's first.
struct ProgramMap {
  bool is_grid = false;
  AffinePosition affine{};
  std::int64_t nodes = 0;  ///< floats of a grid
  std::int32_t across = 0, down = 0, spacing = 1;
  EdgePosition edge{};
};

struct ProgramColour {
  enum class Kind : std::int32_t { lookup, sum, product, cube };
  Kind kind = Kind::lookup;
  std::int32_t side = 0;
  std::int64_t table = 0, cells = 0;
};

/// A move of pixels or a filter, or neither, and the colour steps behind it: one pass over the region that it makes.
struct ProgramStage {
  enum class Moves : std::int32_t { nothing, mirror, affine, grid, joined, filter };
  Moves moves = Moves::nothing;
  bool reflect = false;  ///< beyond the edge of the picture
  bool mirror_x = false, mirror_y = false;
  std::int64_t table = 0;  ///< affine: Place of columns, then of rows; grid: nodes; joined: ProgramMap; filter: taps
  std::int32_t count = 0;  ///< of maps or taps; of a grid's nodes across
  std::int32_t down = 0, spacing = 1;  ///< of a grid
  std::int64_t colours = 0;
  std::int32_t colours_count = 0;
  ProgramPixels image_from, image_to, planes_from, planes_to;
};

/// What a class is learnt from, by label bits.
struct ProgramRule {
  std::uint32_t any_of = 0, none_of = 0;
};

/// The head of a sample's bytes. Places are bytes from there, or in the sample's room.
struct SampleProgram {
  std::int32_t width = 0, height = 0;        ///< of the picture, in which regions are counted
  std::int32_t stages = 0, planes = 0;       ///< planes: label bits first, then probabilities; 0: no label at all
  std::int32_t label_bytes = 1;              ///< a pixel of label bits
  std::uint32_t soft = 0;                    ///< classes whose probabilities are planes, ascending
  std::uint32_t known = 0;                   ///< bits of all classes
  std::uint32_t ignored = 0;                 ///< the bit of ignored pixels, or 0
  std::int64_t stages_at = 0, rules_at = 0;  ///< a rule a class
  ProgramPixels image, label_planes;         ///< in the end
  std::int64_t bytes = 0, room = 0;          ///< how many there are of both
};

/// Programs of a batch, side by side. Bytes lie so that each sample's begin at a multiple of 16.
struct ProgramBatch {
  const std::uint8_t* bytes = nullptr;
  std::uint8_t* room = nullptr;
  const std::int64_t* places = nullptr;  ///< [2 count]: where each sample's bytes begin, and its room
  std::int32_t count = 0, stages = 0;    ///< the most stages of a sample
  std::int32_t side = 0, classes = 0;
  std::int64_t most_pixels = 0;  ///< of a region that a stage makes
  Normalise normalise;
  float* images = nullptr;          ///< [count, side, side, 3]
  float* targets = nullptr;         ///< [count, classes, side, side]
  std::uint8_t* ignored = nullptr;  ///< [count, side, side], or null
};

/// A sample of a batch, and its pointers.
struct ProgramView {
  const std::uint8_t* bytes;
  std::uint8_t* room;
  const SampleProgram* program;

  NEPHRON_HOST_DEVICE static ProgramView of(const ProgramBatch& batch, std::int32_t sample) {
    const std::uint8_t* const bytes = batch.bytes + batch.places[2 * sample];
    return {bytes, batch.room + batch.places[2 * sample + 1], reinterpret_cast<const SampleProgram*>(bytes)};
  }
  template <class T>
  NEPHRON_HOST_DEVICE const T* table(std::int64_t at) const {
    return reinterpret_cast<const T*>(bytes + at);
  }
  NEPHRON_HOST_DEVICE const std::uint8_t* data(const ProgramPixels& p) const { return (p.made ? room : bytes) + p.at; }
  /// A plane of pixels of `size` bytes; `before`: bytes a pixel of the planes before it.
  NEPHRON_HOST_DEVICE HeldPixels held(const ProgramPixels& p, int size, int before = 0) const {
    return {data(p) + static_cast<std::int64_t>(before) * p.width * p.height,
            static_cast<std::ptrdiff_t>(p.width) * size,
            p.x,
            p.y,
            program->width,
            program->height};
  }
};

/// One pixel of one stage: image and planes.
struct StageBody {
  ProgramBatch batch;
  std::int32_t stage = 0;

  NEPHRON_HOST_DEVICE void operator()(std::int32_t sample, std::int64_t i) const {
    const ProgramView view = ProgramView::of(batch, sample);
    if (stage >= view.program->stages) return;
    const ProgramStage& s = view.table<ProgramStage>(view.program->stages_at)[stage];
    const ProgramPixels& to = s.image_to;
    if (i >= static_cast<std::int64_t>(to.width) * to.height) return;
    const Pixel pixel{view, s, to.x + static_cast<std::int32_t>(i % to.width),
                      to.y + static_cast<std::int32_t>(i / to.width), i};
    std::uint8_t rgb[3];
    pixel.read(rgb);
    pixel.colour(rgb);
    std::uint8_t* const out = view.room + to.at + 3 * i;
    for (int c = 0; c < 3; ++c) out[c] = rgb[c];
  }

 private:
  using Moves = ProgramStage::Moves;

  struct Pixel {
    const ProgramView& view;
    const ProgramStage& s;
    std::int32_t x, y;  ///< in the picture
    std::int64_t i;     ///< in the region that is made

    /// The image's pixel; planes go where they belong.
    NEPHRON_HOST_DEVICE void read(std::uint8_t* rgb) const {
      switch (s.moves) {
        case Moves::mirror:
          return mirror(rgb);
        case Moves::affine:
          return affine(rgb);
        case Moves::grid:
          return grid(rgb);
        case Moves::joined:
          return joined(rgb);
        case Moves::filter:
          return filter(rgb);
        default:
          return copy(image().at(x, y, 3), 3, rgb);
      }
    }

    NEPHRON_HOST_DEVICE void colour(std::uint8_t* rgb) const {
      const auto* const steps = view.table<ProgramColour>(s.colours);
      for (std::int32_t k = 0; k < s.colours_count; ++k) {
        const ProgramColour& step = steps[k];
        const auto* const floats = view.table<float>(step.table);
        switch (step.kind) {
          case ProgramColour::Kind::lookup:
            LookupBody{view.bytes + step.table}(rgb, rgb);
            break;
          case ProgramColour::Kind::sum:
            SumBody{floats}(rgb, rgb);
            break;
          case ProgramColour::Kind::product:
            ProductBody{floats}(rgb, rgb);
            break;
          case ProgramColour::Kind::cube:
            CubeBody{floats, view.table<CubeCell>(step.cells), step.side}(rgb, rgb);
            break;
        }
      }
    }

   private:
    NEPHRON_HOST_DEVICE HeldPixels image() const { return view.held(s.image_from, 3); }
    NEPHRON_HOST_DEVICE static void copy(const std::uint8_t* from, int bytes, std::uint8_t* to) {
      for (int b = 0; b < bytes; ++b) to[b] = from[b];
    }

    /// Calls read(pixels held, bytes a pixel, where it goes) for each plane.
    template <class Read>
    NEPHRON_HOST_DEVICE void each_plane(const Read& read) const {
      const std::int64_t area = static_cast<std::int64_t>(s.planes_to.width) * s.planes_to.height;
      int before = 0;
      for (std::int32_t p = 0; p < view.program->planes; ++p) {
        const int bytes = p == 0 ? view.program->label_bytes : 1;
        read(view.held(s.planes_from, bytes, before), bytes, view.room + s.planes_to.at + before * area + bytes * i);
        before += bytes;
      }
    }
    NEPHRON_HOST_DEVICE void planes_at(Place place) const {
      each_plane([&](const HeldPixels& from, int bytes, std::uint8_t* to) {
        switch (bytes) {
          case 1:
            return NearestPixel<1>{from, s.reflect}(place, to);
          case 2:
            return NearestPixel<2>{from, s.reflect}(place, to);
          default:
            return NearestPixel<4>{from, s.reflect}(place, to);
        }
      });
    }
    NEPHRON_HOST_DEVICE void black(std::uint8_t* rgb) const {
      for (int c = 0; c < 3; ++c) rgb[c] = 0;
      each_plane([&](const HeldPixels&, int bytes, std::uint8_t* to) {
        for (int b = 0; b < bytes; ++b) to[b] = 0;
      });
    }

    NEPHRON_HOST_DEVICE void mirror(std::uint8_t* rgb) const {
      const std::int32_t from_x = s.mirror_x ? view.program->width - 1 - x : x,
                         from_y = s.mirror_y ? view.program->height - 1 - y : y;
      copy(image().at(from_x, from_y, 3), 3, rgb);
      planes_at({from_x, from_y});
    }
    template <class Row>
    NEPHRON_HOST_DEVICE void move(const Row& row, std::uint8_t* rgb) const {
      LinearPixel{image(), s.reflect}(row.template place<true>(x), rgb);
      planes_at(row.template place<false>(x));
    }
    NEPHRON_HOST_DEVICE void affine(std::uint8_t* rgb) const {
      const Place* const columns = view.table<Place>(s.table);
      move(AffineMap{columns, columns + view.program->width}.row(y), rgb);
    }
    NEPHRON_HOST_DEVICE void grid(std::uint8_t* rgb) const {
      const GridCell column = cell(x, s.count), row = cell(y, s.down);
      const GridRow body{view.table<float>(s.table) + static_cast<std::ptrdiff_t>(2 * s.count) * row.node, s.count,
                         row.share};
      float nodes[4];
      for (int k = 0; k < 4; ++k) nodes[k] = body(2 * column.node + k);
      const GridCell between{0, column.share};
      move(OneColumn{{nodes, &between, static_cast<float>(y)}}, rgb);
    }
    /// GridMap::Row, whose nodes are those about this pixel alone.
    struct OneColumn {
      GridMap::Row row;
      template <bool interpolated>
      NEPHRON_HOST_DEVICE Place place(std::int32_t at) const {
        const GridCell column = *row.columns;
        const float dx = row.nodes[0] + (row.nodes[2] - row.nodes[0]) * column.share,
                    dy = row.nodes[1] + (row.nodes[3] - row.nodes[1]) * column.share;
        constexpr float unit = interpolated ? 1 << place_bits : 1;
        return {nearest((static_cast<float>(at) + dx) * unit), nearest((row.y + dy) * unit)};
      }
    };
    NEPHRON_HOST_DEVICE GridCell cell(std::int32_t at, std::int32_t nodes) const {
      const std::int32_t node = at / s.spacing < nodes - 2 ? at / s.spacing : nodes - 2;
      return {node, static_cast<float>(at - node * s.spacing) / static_cast<float>(s.spacing)};
    }

    NEPHRON_HOST_DEVICE void joined(std::uint8_t* rgb) const {
      const auto* const maps = view.table<ProgramMap>(s.table);
      auto px = static_cast<float>(x), py = static_cast<float>(y);
      for (std::int32_t m = 0; m < s.count; ++m) {
        if (m > 0 && !maps[m - 1].edge(px, py)) return black(rgb);
        const ProgramMap& map = maps[m];
        if (map.is_grid)
          GridPosition{view.table<float>(map.nodes),       2 * map.across, map.across, map.down, map.spacing,
                       1 / static_cast<float>(map.spacing)}(px, py);
        else map.affine(px, py);
      }
      LinearPixel{image(), s.reflect}({whole(px, 1 << place_bits), whole(py, 1 << place_bits)}, rgb);
      planes_at({whole(px, 1), whole(py, 1)});
    }
    NEPHRON_HOST_DEVICE static std::int32_t whole(float at, float unit) {
      constexpr float most = 1 << 29;
      const float v = at * unit;
      return nearest(v > most ? most : v < -most ? -most : v);
    }

    NEPHRON_HOST_DEVICE void filter(std::uint8_t* rgb) const {
      const HeldPixels from = image();
      const auto* const taps = view.table<ProgramTap>(s.table);
      float sum[3] = {0, 0, 0};
      for (std::int32_t k = 0; k < s.count; ++k) {
        const std::uint8_t* const pixel =
            from.at(reflected(x + taps[k].dx, from.width), reflected(y + taps[k].dy, from.height), 3);
        for (int c = 0; c < 3; ++c) sum[c] += taps[k].weight * static_cast<float>(pixel[c]);
      }
      for (int c = 0; c < 3; ++c) {
        const std::int32_t v = nearest(sum[c]);
        rgb[c] = static_cast<std::uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
      }
    }
  };
};

/// One pixel of the tile: normalised image, targets, whether it is ignored.
struct FinishBody {
  ProgramBatch batch;

  NEPHRON_HOST_DEVICE void operator()(std::int32_t sample, std::int64_t i) const {
    const ProgramView view = ProgramView::of(batch, sample);
    const std::int64_t pixels = static_cast<std::int64_t>(batch.side) * batch.side;
    const std::int32_t x = static_cast<std::int32_t>(i % batch.side), y = static_cast<std::int32_t>(i / batch.side);
    const ProgramPixels& image = view.program->image;
    batch.normalise(view.data(image) + 3 * (static_cast<std::int64_t>(y) * image.width + x),
                    batch.images + 3 * (sample * pixels + i), 0);
    float* const targets = batch.targets + static_cast<std::int64_t>(sample) * batch.classes * pixels + i;
    const ProgramPixels& planes = view.program->label_planes;
    const Labels labels(view, x + image.x - planes.x, y + image.y - planes.y);
    const bool ignored = (labels.bits & view.program->ignored) != 0;
    const auto* const rules = view.table<ProgramRule>(view.program->rules_at);
    for (std::int32_t c = 0; c < batch.classes; ++c) {
      const std::uint8_t target = labels.target(view, rules[c], ignored);
      Targets{}(&target, targets + c * pixels, 0);
    }
    if (batch.ignored != nullptr) batch.ignored[sample * pixels + i] = ignored ? 1 : 0;
  }

 private:
  /// What the planes say of a pixel.
  struct Labels {
    std::uint32_t bits = 0;
    std::int64_t at, area;

    NEPHRON_HOST_DEVICE Labels(const ProgramView& view, std::int32_t x, std::int32_t y) {
      const ProgramPixels& p = view.program->label_planes;
      at = static_cast<std::int64_t>(y) * p.width + x, area = static_cast<std::int64_t>(p.width) * p.height;
      if (view.program->planes == 0) return;
      const std::uint8_t* const from = view.data(p) + at * view.program->label_bytes;
      for (int b = 0; b < view.program->label_bytes; ++b) bits |= static_cast<std::uint32_t>(from[b]) << (8 * b);
    }
    NEPHRON_HOST_DEVICE std::uint8_t target(const ProgramView& view, const ProgramRule& rule, bool ignored) const {
      const SampleProgram& p = *view.program;
      if (ignored || p.planes == 0 || (bits & rule.none_of) != 0) return 0;
      std::uint8_t out = (bits & rule.any_of & ~p.soft & p.known) != 0 ? 255 : 0;
      const std::uint8_t* map = view.data(p.label_planes) + area * p.label_bytes + at;
      for (int c = 0; c < 32; ++c) {
        if ((p.soft >> c & 1U) == 0) continue;
        if ((rule.any_of >> c & 1U) != 0 && *map > out) out = *map;
        map += area;
      }
      return out;
    }
  };
};

}  // namespace nephron::host
