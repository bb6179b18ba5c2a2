#include <host/feed/execute.hpp>

#include <algorithm>
#include <cstring>
#include <span>

#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/feed/affine_places.hpp>
#include <host/feed/colour_program.hpp>
#include <host/feed/flat_filter.hpp>
#include <host/feed/joined_maps.hpp>
#include <host/feed/warp_bodies.hpp>
#include <host/feed/warp_rows.hpp>

namespace nephron::host {

namespace {

/// `part` in coordinates of `whole`.
Region within(const Region& part, const Region& whole) {
  return {part.x - whole.x, part.y - whole.y, part.width, part.height};
}

cv::Rect rect_of(const Region& r) {
  return {static_cast<int>(r.x), static_cast<int>(r.y), static_cast<int>(r.width), static_cast<int>(r.height)};
}

void fill_cells(std::vector<GridCell>& cells, std::int64_t extent, int spacing, std::int64_t nodes) {
  cells.resize(static_cast<std::size_t>(extent));
  for (std::int64_t i = 0; i < extent; ++i) {
    const std::int64_t node = std::min(i / spacing, nodes - 2);
    cells[static_cast<std::size_t>(i)] = {static_cast<std::int32_t>(node),
                                          static_cast<float>(i - node * spacing) / static_cast<float>(spacing)};
  }
}

template <int bytes>
void mirror_row(const std::uint8_t* from, std::int64_t width, std::uint8_t* out) {
  const MirrorBody<bytes> body{from, width};
  for (std::int64_t x = 0; x < width; ++x) body(x, out + bytes * x);
}

/// A row as it is, or from right to left.
void copy_row(const std::uint8_t* from, std::int64_t width, std::size_t bytes, bool mirrored, std::uint8_t* out) {
  if (!mirrored) std::memcpy(out, from, static_cast<std::size_t>(width) * bytes);
  else if (bytes == 1) mirror_row<1>(from, width, out);
  else if (bytes == 2) mirror_row<2>(from, width, out);
  else if (bytes == 3) mirror_row<3>(from, width, out);
  else mirror_row<4>(from, width, out);
}

class CpuExecutor final : public Executor {
 public:
  explicit CpuExecutor(Geometry geometry) : joins_(geometry == Geometry::joined) {}
  void run(const RecordedPlan& plan, const Region& wanted, const Source& source, const ImageView& image,
           const std::vector<ImageView>& planes) override;

 private:
  struct Held {  // image or plane while steps are carried out
    ImageView view;
    Region region;              // of the picture at this stage
    ImageView out;              // where it has to be in the end
    std::size_t last_move = 0;  // number of the last step that writes it anew, counted from 1
    std::array<std::vector<std::uint8_t>, 2> buffers;
    bool in_second = false;  // which of the two was written last
  };

  void begin(const RecordedPlan& plan, const Region& wanted, const ImageView& image,
             const std::vector<ImageView>& planes);
  ImageView buffer(Held& held, Size size);
  ImageView target(Held& held, const Region& to);
  void run_colours(const Region& to);
  HeldPixels pixels_of(const Held& held) const;
  template <bool interpolated, class Map>
  void fill_places(const Map& map, const Region& to, std::int64_t y);
  template <class Map>
  void warp(const Map& map, const Region& to, bool reflect);
  void begin_warp(const Region& to);
  void read_planes_row(bool reflect, std::int64_t y);
  void end_warp(const Region& to);
  /// Neighbouring geometric steps at once.
  void apply_joined(std::span<const Step> steps, const Region& to);
  template <class Filter>
  void filter(const Region& to, const Filter& change);

  // One a step: from what is held to the region `to` of its result.
  void apply(const FlipStep& step, const Region& to);
  void apply(const AffineStep& step, const Region& to);
  void apply(const DisplacementStep& step, const Region& to);
  void apply(const LookupStep& step, const Region&) { colours_.add(step); }
  void apply(const ColourStep& step, const Region&) { colours_.add(step); }
  void apply(const DensityStep& step, const Region&) { colours_.add(step); }
  void apply(const CubeStep& step, const Region&) { colours_.add(step); }
  void apply(const FilterStep& step, const Region& to);
  void apply(const SeparableStep& step, const Region& to);
  void apply(const PixelsStep& step, const Region& to);

  bool joins_;
  Size picture_;
  Region wanted_;
  std::size_t step_ = 0;      // the number of the one that is being carried out, counted from 1
  std::vector<Held> held_;    // the image first, then planes
  std::size_t pictures_ = 0;  // how many of them there are now
  ColourProgram colours_;
  std::vector<Region> regions_;
  std::vector<ImageView> views_;
  std::vector<Place> column_places_, row_places_;
  PlaceRow places_;
  JoinedMaps joined_;
  std::vector<GridCell> column_cells_, row_cells_;
  std::vector<float> spread_;
};

// Whichever of the two buffers does not hold the pixels now.
ImageView CpuExecutor::buffer(Held& held, Size size) {
  const auto row = static_cast<std::size_t>(size.width) * held.out.pixel_bytes();
  constexpr std::size_t behind = 16;  // warps read whole registers
  held.in_second = !held.in_second;
  std::vector<std::uint8_t>& bytes = held.buffers[held.in_second ? 1 : 0];
  const std::size_t need = row * static_cast<std::size_t>(size.height) + behind;
  if (bytes.size() < need) bytes.resize(need);
  return {bytes.data(), size.width, size.height, held.out.channels, held.out.depth, static_cast<std::ptrdiff_t>(row)};
}

/// Where a step writes: the last one into the place where the picture has to be in the end.
ImageView CpuExecutor::target(Held& held, const Region& to) {
  return step_ >= held.last_move && to == wanted_ ? held.out : buffer(held, to.size());
}

void CpuExecutor::begin(const RecordedPlan& plan, const Region& wanted, const ImageView& image,
                        const std::vector<ImageView>& planes) {
  const std::vector<Step>& steps = plan.steps();
  picture_ = plan.picture();
  wanted_ = wanted;
  colours_.clear();
  regions_ = regions_read(plan, wanted);
  pictures_ = 1 + planes.size();
  if (held_.size() < pictures_) held_.resize(pictures_);
  views_.clear();
  for (std::size_t i = 0; i < pictures_; ++i) {
    Held& held = held_[i];
    held.out = i == 0 ? image : planes[i - 1];
    held.last_move = 0;
    for (std::size_t s = 0; s < steps.size(); ++s)
      if (is_geometry(steps[s]) ||
          (i == 0 && (std::holds_alternative<FilterStep>(steps[s]) || std::holds_alternative<SeparableStep>(steps[s]))))
        held.last_move = s + 1;
    step_ = 0;
    held.region = regions_[0];
    held.view = target(held, regions_[0]);
    if (i > 0) views_.push_back(held.view);
  }
}

void CpuExecutor::run(const RecordedPlan& plan, const Region& wanted, const Source& source, const ImageView& image,
                      const std::vector<ImageView>& planes) {
  const std::vector<Step>& steps = plan.steps();
  begin(plan, wanted, image, planes);
  source(regions_[0], held_[0].view, views_);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const std::size_t behind = joins_ ? geometry_behind(steps, i) : i; behind > i + 1) {
      step_ = behind;
      apply_joined(std::span(steps).subspan(i, behind - i), regions_[behind]);
      i = behind - 1;
      continue;
    }
    step_ = i + 1;
    std::visit([&](const auto& step) { apply(step, regions_[i + 1]); }, steps[i]);
    if (is_colour(steps[i]) && (i + 1 == steps.size() || !is_colour(steps[i + 1]))) run_colours(regions_[i + 1]);
  }
  for (std::size_t i = 0; i < pictures_; ++i)
    if (held_[i].view.data != held_[i].out.data)
      copy(held_[i].view.crop(within(wanted_, held_[i].region)), held_[i].out);
}

// In place, or from a buffer into the place where the image has to be in the end.
void CpuExecutor::run_colours(const Region& to) {
  Held& image = held_[0];
  const ImageView from = image.view.crop(within(to, image.region));
  const ImageView into = step_ >= image.last_move && to == wanted_ ? image.out : from;
  for (std::int64_t y = 0; y < to.height; ++y)
    colours_.run(from.row<std::uint8_t>(y), into.row<std::uint8_t>(y), to.width);
  colours_.clear();
  image.view = into, image.region = to;
}

HeldPixels CpuExecutor::pixels_of(const Held& held) const {
  return {held.view.row<const std::uint8_t>(0),      held.view.stride,
          static_cast<std::int32_t>(held.region.x),  static_cast<std::int32_t>(held.region.y),
          static_cast<std::int32_t>(picture_.width), static_cast<std::int32_t>(picture_.height)};
}

template <bool interpolated, class Map>
void CpuExecutor::fill_places(const Map& map, const Region& to, std::int64_t y) {
  const auto row = map.row(static_cast<std::int32_t>(to.y + y));
  const auto x0 = static_cast<std::int32_t>(to.x), width = static_cast<std::int32_t>(to.width);
  std::int32_t *const xs = places_.x.data(), *const ys = places_.y.data();
  for (std::int32_t x = 0; x < width; ++x) {
    const Place place = row.template place<interpolated>(x0 + x);
    xs[x] = place.x, ys[x] = place.y;
  }
}

template <class Map>
void CpuExecutor::warp(const Map& map, const Region& to, bool reflect) {
  places_.resize(static_cast<std::size_t>(to.width));
  begin_warp(to);
  for (std::int64_t y = 0; y < to.height; ++y) {
    fill_places<true>(map, to, y);
    read_linear_row(pixels_of(held_[0]), reflect, places_, views_[0].row<std::uint8_t>(y));
    if (pictures_ > 1) fill_places<false>(map, to, y);
    read_planes_row(reflect, y);
  }
  end_warp(to);
}

void CpuExecutor::apply_joined(std::span<const Step> steps, const Region& to) {
  joined_.set(steps, picture_);
  begin_warp(to);
  for (std::int64_t y = 0; y < to.height; ++y) {
    joined_.make_row(to.x, to.y + y, to.width);
    if (!joined_.all_black()) {
      joined_.places(1 << place_bits, places_);
      read_linear_row(pixels_of(held_[0]), joined_.reflects(), places_, views_[0].row<std::uint8_t>(y));
      if (pictures_ > 1) joined_.places(1, places_);
      read_planes_row(joined_.reflects(), y);
    }
    for (const ImageView& view : std::span(views_.data(), pictures_))
      for (const std::int32_t x : joined_.black())
        std::memset(view.row<std::uint8_t>(y) + x * static_cast<std::int64_t>(view.pixel_bytes()), 0,
                    view.pixel_bytes());
  }
  end_warp(to);
}

/// views_: where each picture goes.
void CpuExecutor::begin_warp(const Region& to) {
  views_.clear();
  for (std::size_t i = 0; i < pictures_; ++i) views_.push_back(target(held_[i], to));
}

void CpuExecutor::read_planes_row(bool reflect, std::int64_t y) {
  for (std::size_t i = 1; i < pictures_; ++i)
    read_nearest_row(pixels_of(held_[i]), reflect, views_[i].pixel_bytes(), places_, views_[i].row<std::uint8_t>(y));
}

void CpuExecutor::end_warp(const Region& to) {
  for (std::size_t i = 0; i < pictures_; ++i) held_[i].view = views_[i], held_[i].region = to;
}

void CpuExecutor::apply(const FlipStep& step, const Region& to) {
  const Region read = region_read(step, to, picture_);
  for (std::size_t i = 0; i < pictures_; ++i) {
    Held& held = held_[i];
    const ImageView from = held.view.crop(within(read, held.region)), into = target(held, to);
    for (std::int64_t y = 0; y < to.height; ++y)
      copy_row(from.row<std::uint8_t>(step.vertical ? to.height - 1 - y : y), to.width, into.pixel_bytes(),
               step.horizontal, into.row<std::uint8_t>(y));
    held.view = into, held.region = to;
  }
}

void CpuExecutor::apply(const AffineStep& step, const Region& to) {
  column_places_.resize(static_cast<std::size_t>(picture_.width));
  row_places_.resize(static_cast<std::size_t>(picture_.height));
  fill_affine_places(step, to, column_places_.data(), row_places_.data());
  warp(AffineMap{column_places_.data(), row_places_.data()}, to, step.border == Border::reflect_101);
}

void CpuExecutor::apply(const DisplacementStep& step, const Region& to) {
  const ImageView& grid = step.grid.view();
  fill_cells(column_cells_, picture_.width, step.spacing, grid.width);
  fill_cells(row_cells_, picture_.height, step.spacing, grid.height);
  const auto across = static_cast<std::int32_t>(grid.width), first = static_cast<std::int32_t>(to.y);
  spread_.resize(static_cast<std::size_t>(2 * across) * static_cast<std::size_t>(to.height));
  float* out = spread_.data();
  for (std::int32_t y = 0; y < to.height; ++y, out += 2 * across) {
    const GridCell cell = row_cells_[static_cast<std::size_t>(first + y)];
    const GridRow body{grid.row<const float>(cell.node), across, cell.share};
    for (std::int32_t i = 0; i < 2 * across; ++i) out[i] = body(i);
  }
  warp(GridMap{spread_.data(), across, first, column_cells_.data()}, to, step.border == Border::reflect_101);
}

// A part of a larger cv::Mat: the filter reads the pixels around it, and mirrors at the larger one's edge, which is the
// picture's where the part comes near it.
template <class Filter>
void CpuExecutor::filter(const Region& to, const Filter& change) {
  Held& image = held_[0];
  const cv::Mat from = as_mat(image.view)(rect_of(within(to, image.region)));
  image.view = target(image, to), image.region = to;
  cv::Mat into = as_mat(image.view);
  change(from, into);
}

void CpuExecutor::apply(const FilterStep& step, const Region& to) {
  if (std::optional<FlatFilter> flat = FlatFilter::of(step.kernel.view()))
    return filter(to, [&](const cv::Mat& from, cv::Mat& into) { flat->run(from, into); });
  filter(to, [&](const cv::Mat& from, cv::Mat& into) {
    cv::filter2D(from, into, -1, as_mat(step.kernel.view()), {-1, -1}, 0, cv::BORDER_REFLECT_101);
  });
}

void CpuExecutor::apply(const SeparableStep& step, const Region& to) {
  filter(to, [&](const cv::Mat& from, cv::Mat& into) {
    cv::sepFilter2D(from, into, -1, step.horizontal, step.vertical, {-1, -1}, 0, cv::BORDER_REFLECT_101);
  });
}

void CpuExecutor::apply(const PixelsStep& step, const Region&) {
  views_.clear();
  for (std::size_t i = 0; i < pictures_; ++i) views_.push_back(held_[i].view);
  SampleView sample{views_[0], pictures_ > 1 ? views_[1] : ImageView{}, {}};
  if (pictures_ > 2) sample.soft = {views_.data() + 2, pictures_ - 2};
  const auto call = [&] { step.change(sample); };
  if (step.origin != nullptr) guarded(*step.origin, call);
  else call();
}

}  // namespace

std::unique_ptr<Executor> make_cpu_executor(Geometry geometry) { return std::make_unique<CpuExecutor>(geometry); }

}  // namespace nephron::host
