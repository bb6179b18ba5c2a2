#include <host/feed/joined_maps.hpp>

#include <algorithm>

namespace nephron::host {

namespace {

AffinePosition position_of(const std::array<double, 6>& m) {
  AffinePosition out{};
  std::transform(m.begin(), m.end(), out.m, [](double v) { return static_cast<float>(v); });
  return out;
}

EdgePosition edge_of(Size picture, bool reflect) {
  return {static_cast<float>(picture.width - 1), static_cast<float>(picture.height - 1), reflect};
}

/// Whole numbers of `unit` a pixel. What lies far outside is as far outside.
void round_places(const std::vector<float>& from, float unit, std::vector<std::int32_t>& to) {
  constexpr float most = 1 << 29;
  std::size_t i = 0;
  for (; i + 4 <= from.size(); i += 4)
    (Quad::load(from.data() + i) * unit).at_most(most).at_least(-most).store_whole(to.data() + i);
  for (; i < from.size(); ++i) to[i] = nearest(std::min(most, std::max(-most, from[i] * unit)));  // as above
}

/// Positions of the pixels from `px` on between two nodes, [dx, dy] each, the first of which stands at `start`.
void fill_cell(const float* nodes, float nodes_per_pixel, std::int64_t start, std::int64_t px, float y,
               std::span<float> xs, float* ys) {
  const float dx = nodes[0], dy = nodes[1], more_x = nodes[2] - dx, more_y = nodes[3] - dy;
  const auto from = static_cast<std::int32_t>(px), before = static_cast<std::int32_t>(px - start);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(xs.size()); ++i) {
    const float right = static_cast<float>(before + i) * nodes_per_pixel;
    xs[static_cast<std::size_t>(i)] = static_cast<float>(from + i) + (dx + more_x * right);
    ys[i] = y + (dy + more_y * right);
  }
}

}  // namespace

void JoinedMaps::set(std::span<const Step> steps, Size picture) {
  maps_.clear();
  edges_.clear();
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (const auto* flip = std::get_if<FlipStep>(&steps[i])) add(*flip, picture);
    else if (const auto* affine = std::get_if<AffineStep>(&steps[i])) add(*affine, picture);
    else add(std::get<DisplacementStep>(steps[i]), picture);
  }
}

void JoinedMaps::add(const FlipStep& step, Size picture) {
  maps_.emplace_back(position_of(mirror_of(step, picture).m));  // its own inverse
  edges_.push_back(edge_of(picture, true));
}

void JoinedMaps::add(const AffineStep& step, Size picture) {
  maps_.emplace_back(position_of(turned_back(step.forward.m)));
  edges_.push_back(edge_of(picture, step.border == Border::reflect_101));
}

void JoinedMaps::add(const DisplacementStep& step, Size picture) {
  const ImageView& grid = step.grid.view();
  maps_.emplace_back(GridPosition{grid.row<const float>(0), grid.stride / static_cast<std::ptrdiff_t>(sizeof(float)),
                                  static_cast<std::int32_t>(grid.width), static_cast<std::int32_t>(grid.height),
                                  step.spacing, 1 / static_cast<float>(step.spacing)});
  edges_.push_back(edge_of(picture, step.border == Border::reflect_101));
}

void JoinedMaps::begin(const AffinePosition& map, std::int64_t x, std::int64_t y) {
  for (std::size_t i = 0; i < x_.size(); ++i) {
    x_[i] = static_cast<float>(x + static_cast<std::int64_t>(i)), y_[i] = static_cast<float>(y);
    map(x_[i], y_[i]);
  }
}

// As the body, but the nodes are interpolated between two rows once for all pixels.
void JoinedMaps::begin(const GridPosition& grid, std::int64_t x, std::int64_t y) {
  if (grid.spacing == 1) {  // every pixel has its vector
    const float* at = grid.nodes + y * grid.stride + 2 * x;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(x_.size()); ++i) {
      x_[static_cast<std::size_t>(i)] = static_cast<float>(static_cast<std::int32_t>(x) + i) + at[2 * i];
      y_[static_cast<std::size_t>(i)] = static_cast<float>(y) + at[2 * i + 1];
    }
    return;
  }
  const auto across = static_cast<std::size_t>(2 * grid.across);
  const float v = static_cast<float>(y) * grid.nodes_per_pixel;
  const std::int32_t j = std::min(static_cast<std::int32_t>(v), grid.down - 2);
  const float below = v - static_cast<float>(j);
  const float *above = grid.nodes + j * grid.stride, *under = above + grid.stride;
  nodes_.resize(across);
  for (std::size_t i = 0; i < across; ++i) nodes_[i] = above[i] + (under[i] - above[i]) * below;
  const auto end = x + static_cast<std::int64_t>(x_.size()), spacing = static_cast<std::int64_t>(grid.spacing);
  const std::int64_t last = grid.across - 2;
  for (std::int64_t px = x; px < end;) {  // cell by cell, so that the loops over pixels are straight
    const std::int64_t cell = std::min(px / spacing, last);
    const std::int64_t stop = cell == last ? end : std::min(end, (cell + 1) * spacing);
    fill_cell(nodes_.data() + 2 * cell, grid.nodes_per_pixel, cell * spacing, px, static_cast<float>(y),
              {x_.data() + (px - x), static_cast<std::size_t>(stop - px)}, y_.data() + (px - x));
    px = stop;
  }
}

void JoinedMaps::stay_inside(const EdgePosition& edge) {
  int inside = 1;
  for (std::size_t i = 0; i < x_.size(); ++i) inside &= static_cast<int>(edge.has(x_[i], y_[i]));
  if (inside != 0) return;
  for (std::size_t i = 0; i < x_.size(); ++i)
    if (!edge(x_[i], y_[i])) {
      black_.push_back(static_cast<std::int32_t>(i));
      x_[i] = y_[i] = 0;
    }
}

void JoinedMaps::make_row(std::int64_t x, std::int64_t y, std::int64_t width) {
  x_.resize(static_cast<std::size_t>(width)), y_.resize(static_cast<std::size_t>(width));
  black_.clear();
  std::visit([&](const auto& map) { begin(map, x, y); }, maps_[0]);
  for (std::size_t m = 1; m < maps_.size(); ++m) {
    stay_inside(edges_[m - 1]);
    std::visit(
        [&](const auto map) {  // a copy: what is written may alias what is behind a reference
          float *const xs = x_.data(), *const ys = y_.data();
          for (std::size_t i = 0; i < x_.size(); ++i) map(xs[i], ys[i]);
        },
        maps_[m]);
  }
  if (maps_.size() > 2) {  // a pixel may have become black at several edges
    std::sort(black_.begin(), black_.end());
    black_.erase(std::unique(black_.begin(), black_.end()), black_.end());
  }
}

void JoinedMaps::places(float unit, PlaceRow& to) const {
  to.resize(x_.size());
  round_places(x_, unit, to.x);
  round_places(y_, unit, to.y);
  if (black_.empty() || all_black()) return;
  // What a black pixel would read need not be in memory: it reads what another one does.
  std::size_t other = 0;
  while (other < black_.size() && black_[other] == static_cast<std::int32_t>(other)) ++other;
  for (const std::int32_t i : black_) {
    to.x[static_cast<std::size_t>(i)] = to.x[other];
    to.y[static_cast<std::size_t>(i)] = to.y[other];
  }
}

}  // namespace nephron::host
