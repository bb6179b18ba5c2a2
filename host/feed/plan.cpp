#include <host/feed/plan.hpp>

#include <algorithm>
#include <cmath>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

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

}  // namespace

Affine RecordedPlan::mirror(const FlipStep& f) const {
  Affine a;
  if (f.horizontal) a.m[0] = -1, a.m[2] = static_cast<double>(picture_.width - 1);
  if (f.vertical) a.m[4] = -1, a.m[5] = static_cast<double>(picture_.height - 1);
  return a;
}

void RecordedPlan::flip(bool horizontal, bool vertical) {
  ++told_;
  if (!horizontal && !vertical) return;
  if (auto* flip = last<FlipStep>()) {
    flip->horizontal ^= horizontal;
    flip->vertical ^= vertical;
    if (!flip->horizontal && !flip->vertical) steps_.pop_back();
  } else if (auto* affine = last<AffineStep>()) {
    affine->forward = affine->forward.then(mirror({horizontal, vertical}));
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
    whole = mirror(*flip).then(whole);
    steps_.pop_back();
  }
  steps_.emplace_back(AffineStep{whole, border});
}

void RecordedPlan::displacement(const Image& field, Border border) {
  ++told_;
  if (field.size() != picture_ || field.view().channels != 2 || field.view().depth != Depth::f32)
    throw Error("a displacement field has " + text(field.size()) + " px and " + std::to_string(field.view().channels) +
                " channels; expected the picture's " + text(picture_) + " px, f32, two channels (x, y)");
  steps_.emplace_back(DisplacementStep{field, border});
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
    if (!std::isfinite(v)) throw Error("a colour matrix has an entry that is not a finite number");
  steps_.emplace_back(ColourStep{matrix});
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

void RecordedPlan::pixels(std::function<void(const ImageView&, const ImageView&)> change) {
  ++told_;
  if (!change) throw Error("pixels() was given no function");
  steps_.emplace_back(PixelsStep{std::move(change), origin_});
}

}  // namespace nephron::host
