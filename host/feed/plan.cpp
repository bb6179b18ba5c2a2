#include <host/feed/plan.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

constexpr float most_colour = 1e6F;  // results before they are clipped fit into 32 bits

bool is_identity(const Affine& a) {
  const Affine identity;
  return std::equal(a.m.begin(), a.m.end(), identity.m.begin(),
                    [](double x, double y) { return std::abs(x - y) < 1e-9; });
}

void check_kernel(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width % 2 == 0 || height % 2 == 0 || width > 255 || height > 255)
    throw Error("a filter kernel has sides " + std::to_string(width) + " x " + std::to_string(height) +
                "; expected odd sides of 1 to 255");
}

std::string text(Size s) { return std::to_string(s.width) + " x " + std::to_string(s.height); }

template <class... Kinds>
bool is_one_of(const Step& step) noexcept {
  return (std::holds_alternative<Kinds>(step) || ...);
}

Region grown(const Region& r, std::int64_t dx, std::int64_t dy, Size picture) {
  return Region{r.x - dx, r.y - dy, r.width + 2 * dx, r.height + 2 * dy}.clipped({0, 0, picture.width, picture.height});
}

Region read_by(const FlipStep& f, const Region& to, Size picture) {
  return {f.horizontal ? picture.width - to.x - to.width : to.x, f.vertical ? picture.height - to.y - to.height : to.y,
          to.width, to.height};
}
/// Pixels that lie about the positions from `low` to `high` along a side, and those that are mirrored there.
std::pair<std::int64_t, std::int64_t> about(double low, double high, std::int64_t extent, bool reflect) {
  const auto last = static_cast<double>(extent - 1);
  low = std::floor(low) - 1, high = std::ceil(high) + 2;  // for the rounding of positions, and the pixel after
  if (reflect) {
    const double below = -low, above = high - last;
    if (below > last || above > last) return {0, extent};
    if (below > 0) high = std::max(high, below);
    if (above > 0) low = std::min(low, last - above);
  }
  const auto begin = static_cast<std::int64_t>(std::clamp(low, 0.0, last)),
             end = static_cast<std::int64_t>(std::clamp(high, 0.0, last));
  return {begin, end + 1};
}

// The map takes corners to corners: what lies between them is read.
Region read_by(const AffineStep& a, const Region& to, Size picture) {
  const Affine back{turned_back(a.forward.m)};
  const auto x = static_cast<double>(to.x), y = static_cast<double>(to.y),
             right = x + static_cast<double>(to.width - 1), bottom = y + static_cast<double>(to.height - 1);
  double left = 1e18, top = 1e18, most_x = -1e18, most_y = -1e18;
  for (const Point corner : {Point{x, y}, Point{right, y}, Point{x, bottom}, Point{right, bottom}}) {
    const Point p = back(corner);
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) return {0, 0, picture.width, picture.height};
    left = std::min(left, p.x), most_x = std::max(most_x, p.x);
    top = std::min(top, p.y), most_y = std::max(most_y, p.y);
  }
  const bool reflect = a.border == Border::reflect_101;
  const auto [x0, x1] = about(left, most_x, picture.width, reflect);
  const auto [y0, y1] = about(top, most_y, picture.height, reflect);
  return {x0, y0, x1 - x0, y1 - y0};
}
// What a reflection at the picture's edge reads lies no deeper in the picture than the vector is long.
Region read_by(const DisplacementStep& d, const Region& to, Size picture) {
  const auto margin = [](double reach) { return static_cast<std::int64_t>(std::ceil(reach)) + 2; };
  return grown(to, margin(d.reach[0]), margin(d.reach[1]), picture);
}
Region read_by(const FilterStep& f, const Region& to, Size picture) {
  return grown(to, f.kernel.size().width / 2, f.kernel.size().height / 2, picture);
}
Region read_by(const SeparableStep& f, const Region& to, Size picture) {
  return grown(to, static_cast<std::int64_t>(f.horizontal.size() / 2), static_cast<std::int64_t>(f.vertical.size() / 2),
               picture);
}
Region read_by(const PixelsStep&, const Region&, Size picture) { return {0, 0, picture.width, picture.height}; }
Region read_by(const LookupStep&, const Region& to, Size) { return to; }
Region read_by(const ColourStep&, const Region& to, Size) { return to; }
Region read_by(const DensityStep&, const Region& to, Size) { return to; }
Region read_by(const CubeStep&, const Region& to, Size) { return to; }

}  // namespace

Affine mirror_of(const FlipStep& f, Size picture) {
  Affine a;
  if (f.horizontal) a.m[0] = -1, a.m[2] = static_cast<double>(picture.width - 1);
  if (f.vertical) a.m[4] = -1, a.m[5] = static_cast<double>(picture.height - 1);
  return a;
}

std::array<double, 6> turned_back(const std::array<double, 6>& m) {
  const double d = 1 / (m[0] * m[4] - m[1] * m[3]);
  const double a = m[4] * d, b = m[1] * -d, c = m[3] * -d, e = m[0] * d;
  return {a, b, -a * m[2] - b * m[5], c, e, -c * m[2] - e * m[5]};
}

bool is_geometry(const Step& step) noexcept { return is_one_of<FlipStep, AffineStep, DisplacementStep>(step); }

bool is_colour(const Step& step) noexcept { return is_one_of<LookupStep, ColourStep, DensityStep, CubeStep>(step); }

std::size_t geometry_behind(const std::vector<Step>& steps, std::size_t first) noexcept {
  while (first < steps.size() && is_geometry(steps[first])) ++first;
  return first;
}

Region region_read(const Step& step, const Region& to, Size picture) {
  return std::visit([&](const auto& s) { return read_by(s, to, picture); }, step);
}

void RecordedPlan::flip(bool horizontal, bool vertical) {
  ++told_;
  if (!horizontal && !vertical) return;
  if (auto* flip = last<FlipStep>()) {
    flip->horizontal ^= horizontal;
    flip->vertical ^= vertical;
    if (!flip->horizontal && !flip->vertical) steps_.pop_back();
  } else if (auto* affine = last<AffineStep>()) {
    affine->forward = affine->forward.then(mirror_of({horizontal, vertical}, picture_));
  } else {
    steps_.emplace_back(FlipStep{horizontal, vertical});
  }
}

void RecordedPlan::affine(const Affine& forward, Border border) {
  ++told_;
  forward.inverse();  // throws for what cannot be carried out
  for (const double v : forward.m)
    if (!std::isfinite(v)) throw Error("an affine map has an entry that is not a finite number");
  if (is_identity(forward)) return;
  Affine whole = forward;
  if (const auto* flip = last<FlipStep>()) {
    whole = mirror_of(*flip, picture_).then(whole);
    steps_.pop_back();
  }
  steps_.emplace_back(AffineStep{whole, border});
}

void RecordedPlan::displacement(const Image& grid, int spacing, Border border) {
  ++told_;
  if (spacing < 1 || spacing > 65536)
    throw Error("a displacement grid has a spacing of " + std::to_string(spacing) + " px; expected 1 to 65536");
  const ImageView& view = grid.view();
  const Size nodes = displacement_nodes(picture_, spacing);
  if (grid.size() != nodes || view.channels != 2 || view.depth != Depth::f32)
    throw Error("a displacement grid has " + text(grid.size()) + " nodes and " + std::to_string(view.channels) +
                " channels; expected " + text(nodes) + " for " + text(picture_) + " px and a spacing of " +
                std::to_string(spacing) + ", f32, two channels (dx, dy)");
  DisplacementStep step{grid, spacing, border, {}};
  constexpr float most = 1e6F;     // px; positions are computed in floats and whole numbers
  std::array<float, 4> longest{};  // dx, dy, dx, dy: a vector of them
  bool good = true;
  for (std::int64_t y = 0; y < nodes.height; ++y) {
    const float* row = view.row<const float>(y);
    const auto look = [&](std::int64_t i, std::size_t lane) {
      const float length = std::abs(row[i]);
      good &= length <= most;  // not so where it is not a number
      longest[lane] = longest[lane] < length ? length : longest[lane];
    };
    std::int64_t i = 0;
    for (; i + 4 <= 2 * nodes.width; i += 4)
      for (std::size_t lane = 0; lane < 4; ++lane) look(i + static_cast<std::int64_t>(lane), lane);
    for (std::size_t lane = 0; i < 2 * nodes.width; ++i, ++lane) look(i, lane);
  }
  if (!good) throw Error("a displacement grid has a vector that is not finite, or longer than a million pixels");
  for (std::size_t axis = 0; axis < 2; ++axis)
    step.reach[axis] = static_cast<double>(std::max(longest[axis], longest[axis + 2]));
  if (step.reach[0] > 0 || step.reach[1] > 0) steps_.emplace_back(std::move(step));
}

void RecordedPlan::lookup(const ColourTables& table) {
  ++told_;
  if (auto* before = last<LookupStep>()) {
    for (std::size_t c = 0; c < 3; ++c)
      for (auto& v : before->table[c]) v = table[c][v];
    return;
  }
  steps_.emplace_back(LookupStep{table});
}

void RecordedPlan::colour_matrix(const std::array<float, 12>& matrix) {
  ++told_;
  for (const float v : matrix)
    if (!(std::abs(v) <= most_colour))
      throw Error("a colour matrix has an entry that is not finite, or over a million");
  steps_.emplace_back(ColourStep{matrix});
}

void RecordedPlan::density_matrix(const std::array<float, 12>& matrix, const std::array<float, 3>& white) {
  ++told_;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    const float most = i % 4 == 3 ? 20 : 4;  // products of exponentials stay within a float's range
    if (!(std::abs(matrix[i]) <= most))
      throw Error("a density matrix has the entry " + std::to_string(matrix[i]) + " in row " + std::to_string(i / 4) +
                  "; expected -" + std::to_string(static_cast<int>(most)) + " to " +
                  std::to_string(static_cast<int>(most)));
  }
  for (const float v : white)
    if (!(v >= 1 && v <= 255))
      throw Error("a density matrix has the white " + std::to_string(v) + "; expected 1 to 255 for each channel");
  steps_.emplace_back(DensityStep{matrix, white});
}

void RecordedPlan::colour_cube(int side, const std::vector<float>& values) {
  ++told_;
  if (side < 2 || side > 65)
    throw Error("a colour cube has the side " + std::to_string(side) + "; expected 2 to 65 nodes");
  const auto nodes = static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  if (values.size() != 3 * nodes)
    throw Error("a colour cube of side " + std::to_string(side) + " has " + std::to_string(values.size()) +
                " values; expected three for each of its " + std::to_string(nodes) + " nodes");
  CubeStep step{side, std::vector<float>(4 * nodes)};
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t c = 0; c < 3; ++c) {
      const float v = values[3 * i + c];
      if (!(std::abs(v) <= most_colour)) throw Error("a colour cube has a value that is not finite, or over a million");
      step.nodes[4 * i + c] = v;
    }
  steps_.emplace_back(std::move(step));
}

void RecordedPlan::filter(const Image& kernel) {
  ++told_;
  if (kernel.empty() || kernel.view().channels != 1 || kernel.view().depth != Depth::f32)
    throw Error("a filter kernel is f32 with one channel");
  check_kernel(kernel.size().width, kernel.size().height);
  steps_.emplace_back(FilterStep{kernel});
}

void RecordedPlan::filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) {
  ++told_;
  check_kernel(static_cast<std::int64_t>(horizontal.size()), static_cast<std::int64_t>(vertical.size()));
  steps_.emplace_back(SeparableStep{horizontal, vertical});
}

void RecordedPlan::pixels(std::function<void(const SampleView&)> change) {
  ++told_;
  if (!change) throw Error("pixels() was given no function");
  steps_.emplace_back(PixelsStep{std::move(change), origin_});
}

std::vector<Region> regions_read(const RecordedPlan& plan, const Region& wanted) {
  const std::vector<Step>& steps = plan.steps();
  std::vector<Region> out(steps.size() + 1, wanted);
  for (std::size_t i = steps.size(); i-- > 0;) out[i] = region_read(steps[i], out[i + 1], plan.picture());
  return out;
}

}  // namespace nephron::host
