#include <host/feed/program_writer.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include <nephron/label_pixels.hpp>

#include <host/feed/affine_places.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t alignment = 16;
constexpr std::int64_t behind = 16;  // bodies read whole registers

/// Bytes a pixel of all planes.
int plane_bytes(const SampleProgram& program) {
  return program.planes == 0 ? 0 : program.label_bytes + program.planes - 1;
}

bool only_on_cpu(const Step& step) { return std::holds_alternative<PixelsStep>(step); }

std::vector<ProgramTap> taps_of(const ImageView& kernel) {
  std::vector<ProgramTap> out;
  for (std::int64_t y = 0; y < kernel.height; ++y)
    for (std::int64_t x = 0; x < kernel.width; ++x)
      if (const float weight = kernel.row<const float>(y)[x]; weight != 0)
        out.push_back({static_cast<std::int32_t>(x - kernel.width / 2),
                       static_cast<std::int32_t>(y - kernel.height / 2), weight});
  return out;
}

std::vector<ProgramTap> taps_of(const SeparableStep& step) {
  std::vector<ProgramTap> out;
  const auto half = [](const std::vector<float>& weights) { return static_cast<std::int32_t>(weights.size() / 2); };
  for (std::size_t y = 0; y < step.vertical.size(); ++y)
    for (std::size_t x = 0; x < step.horizontal.size(); ++x)
      out.push_back({static_cast<std::int32_t>(x) - half(step.horizontal),
                     static_cast<std::int32_t>(y) - half(step.vertical), step.vertical[y] * step.horizontal[x]});
  return out;
}

}  // namespace

ProgramWriter::ProgramWriter(Geometry geometry) : geometry_(geometry), executor_(make_cpu_executor(geometry)) {}

std::int64_t ProgramWriter::room_in(std::size_t bytes) {
  const std::size_t at = (out_->size() + alignment - 1) / alignment * alignment;
  out_->resize(at + bytes);
  return static_cast<std::int64_t>(at);
}

template <class T>
std::int64_t ProgramWriter::put(const T* from, std::size_t n) {
  static_assert(std::is_trivially_copyable_v<T>);
  const std::int64_t at = room_in(n * sizeof(T));
  if (n > 0) std::memcpy(out_->data() + at, from, n * sizeof(T));
  return at;
}

bool ProgramWriter::write(const Sample& sample, std::vector<std::uint8_t>& bytes) {
  out_ = &bytes;
  bytes.assign(sizeof(SampleProgram), 0);
  const Size picture = sample.plan.picture();
  program_ = {};
  program_.width = static_cast<std::int32_t>(picture.width),
  program_.height = static_cast<std::int32_t>(picture.height);
  program_.label_bytes = static_cast<std::int32_t>(bytes_of(sample.label_depth));
  program_.soft = sample.soft;
  program_.planes = sample.bare ? 0 : 1 + std::popcount(sample.soft);
  program_.known = first_bits(static_cast<int>(sample.rules.size()));
  program_.ignored = sample.ignores ? std::uint32_t{1} << sample.rules.size() : 0;
  std::vector<ProgramRule> rules;
  for (const ChannelRule& rule : sample.rules) rules.push_back({rule.any_of, rule.none_of});
  program_.rules_at = put(rules.data(), rules.size());

  const std::vector<Step>& steps = sample.plan.steps();
  const bool here = std::any_of(steps.begin(), steps.end(), only_on_cpu);
  regions_ = here ? std::vector<Region>{sample.wanted} : regions_read(sample.plan, sample.wanted);
  const bool ignoring = read_window(sample, here);
  stages_.clear();
  if (!here) add_stages(steps);
  program_.stages = static_cast<std::int32_t>(stages_.size());
  program_.stages_at = put(stages_.data(), stages_.size());
  program_.bytes = room_in(behind);
  program_.room += behind;
  std::memcpy(out_->data(), &program_, sizeof program_);
  return ignoring;
}

/// The pixels that the first step reads, or those of the result.
bool ProgramWriter::read_window(const Sample& sample, bool result) {
  const Region& region = regions_.front();
  const std::int64_t area = region.size().area();
  const auto held = [&](int bytes) {
    return ProgramPixels{room_in(static_cast<std::size_t>(area * bytes)), static_cast<std::int32_t>(region.x),
                         static_cast<std::int32_t>(region.y), static_cast<std::int32_t>(region.width),
                         static_cast<std::int32_t>(region.height)};
  };
  program_.image = held(3);
  program_.label_planes = held(plane_bytes(program_));
  const auto view = [&](std::int64_t at, int channels, Depth depth) {
    return ImageView{out_->data() + at,
                     region.width,
                     region.height,
                     channels,
                     depth,
                     static_cast<std::ptrdiff_t>(region.width * channels * static_cast<std::int64_t>(bytes_of(depth)))};
  };
  std::vector<ImageView> planes;
  std::int64_t at = program_.label_planes.at;
  for (std::int32_t p = 0; p < program_.planes; ++p) {
    planes.push_back(view(at, 1, p == 0 ? sample.label_depth : Depth::u8));
    at += area * (p == 0 ? program_.label_bytes : 1);
  }
  const ImageView image = view(program_.image.at, 3, Depth::u8);
  if (result) executor_->run(sample.plan, sample.wanted, sample.source, image, planes);
  else sample.source(region, image, planes);
  if (!sample.ignores || planes.empty()) return false;
  return with_label_type(sample.label_depth, [&](auto zero) {
    const auto* const bits = planes[0].row<const decltype(zero)>(0);
    return std::any_of(bits, bits + area, [&](auto b) { return (b & program_.ignored) != 0; });
  });
}

void ProgramWriter::add_stages(const std::vector<Step>& steps) {
  for (std::size_t i = 0; i < steps.size();) {
    ProgramStage stage;
    const std::size_t before = i;
    i = add_move(steps, i, stage);
    colours_.clear();
    for (; i < steps.size() && is_colour(steps[i]); ++i) add_colour(steps[i]);
    put_colours(stage);
    const Region& to = regions_[i];
    stage.image_from = program_.image;
    program_.image = stage.image_to = room_for(to, 3);
    stage.planes_from = program_.label_planes;
    if (is_geometry(steps[before])) program_.label_planes = room_for(to, plane_bytes(program_));
    stage.planes_to = program_.label_planes;
    stages_.push_back(stage);
  }
}

/// The step behind what moves pixels or filters them.
std::size_t ProgramWriter::add_move(const std::vector<Step>& steps, std::size_t first, ProgramStage& stage) {
  const std::size_t next = geometry_ == Geometry::joined ? geometry_behind(steps, first) : first;
  if (next > first + 1) {
    add_joined(std::span(steps).subspan(first, next - first), stage);
    return next;
  }
  if (const auto* flip = std::get_if<FlipStep>(&steps[first])) {
    stage.moves = ProgramStage::Moves::mirror;
    stage.mirror_x = flip->horizontal, stage.mirror_y = flip->vertical;
  } else if (const auto* affine = std::get_if<AffineStep>(&steps[first])) {
    add_affine(*affine, regions_[first + 1], stage);
  } else if (const auto* displacement = std::get_if<DisplacementStep>(&steps[first])) {
    add_grid(*displacement, stage);
  } else if (const auto* filter = std::get_if<FilterStep>(&steps[first])) {
    add_taps(taps_of(filter->kernel.view()), stage);
  } else if (const auto* separable = std::get_if<SeparableStep>(&steps[first])) {
    add_taps(taps_of(*separable), stage);
  } else {
    return first;
  }
  return first + 1;
}

void ProgramWriter::add_affine(const AffineStep& step, const Region& to, ProgramStage& stage) {
  stage.moves = ProgramStage::Moves::affine;
  stage.reflect = step.border == Border::reflect_101;
  stage.table = room_in(static_cast<std::size_t>(program_.width + program_.height) * sizeof(Place));
  auto* const columns = reinterpret_cast<Place*>(out_->data() + stage.table);
  fill_affine_places(step, to, columns, columns + program_.width);
}

void ProgramWriter::add_grid(const DisplacementStep& step, ProgramStage& stage) {
  stage.moves = ProgramStage::Moves::grid;
  stage.reflect = step.border == Border::reflect_101;
  stage.table = put_nodes(step.grid.view());
  stage.count = static_cast<std::int32_t>(step.grid.size().width);
  stage.down = static_cast<std::int32_t>(step.grid.size().height);
  stage.spacing = step.spacing;
}

std::int64_t ProgramWriter::put_nodes(const ImageView& grid) {
  const auto row = static_cast<std::size_t>(2 * grid.width) * sizeof(float);
  const std::int64_t at = room_in(row * static_cast<std::size_t>(grid.height));
  for (std::int64_t y = 0; y < grid.height; ++y)
    std::memcpy(out_->data() + at + y * static_cast<std::int64_t>(row), grid.row<const float>(y), row);
  return at;
}

void ProgramWriter::add_joined(std::span<const Step> steps, ProgramStage& stage) {
  joined_.set(steps, {program_.width, program_.height});
  std::vector<ProgramMap> maps;
  for (std::size_t m = 0; m < steps.size(); ++m) {
    ProgramMap map;
    map.edge = joined_.edges()[m];
    if (const auto* grid = std::get_if<DisplacementStep>(&steps[steps.size() - 1 - m])) {
      map.is_grid = true;
      map.nodes = put_nodes(grid->grid.view());
      map.across = static_cast<std::int32_t>(grid->grid.size().width);
      map.down = static_cast<std::int32_t>(grid->grid.size().height);
      map.spacing = grid->spacing;
    } else {
      map.affine = std::get<AffinePosition>(joined_.maps()[m]);
    }
    maps.push_back(map);
  }
  stage.moves = ProgramStage::Moves::joined;
  stage.reflect = joined_.reflects();
  stage.table = put(maps.data(), maps.size());
  stage.count = static_cast<std::int32_t>(maps.size());
}

void ProgramWriter::add_taps(const std::vector<ProgramTap>& taps, ProgramStage& stage) {
  stage.moves = ProgramStage::Moves::filter;
  stage.table = put(taps.data(), taps.size());
  stage.count = static_cast<std::int32_t>(taps.size());
}

void ProgramWriter::add_colour(const Step& step) {
  if (const auto* lookup = std::get_if<LookupStep>(&step)) colours_.add(*lookup);
  else if (const auto* matrix = std::get_if<ColourStep>(&step)) colours_.add(*matrix);
  else if (const auto* density = std::get_if<DensityStep>(&step)) colours_.add(*density);
  else colours_.add(std::get<CubeStep>(step));
}

ProgramColour ProgramWriter::put_colour(const LookupBody& body) {
  return {ProgramColour::Kind::lookup, 0, put(body.table, 3 * 256), 0};
}
ProgramColour ProgramWriter::put_colour(const SumBody& body) {
  return {ProgramColour::Kind::sum, 0, put(body.table, ColourProgram::shares), 0};
}
ProgramColour ProgramWriter::put_colour(const ProductBody& body) {
  return {ProgramColour::Kind::product, 0, put(body.table, ColourProgram::shares), 0};
}
ProgramColour ProgramWriter::put_colour(const CubeBody& body) {
  const auto side = static_cast<std::size_t>(body.side);
  return {ProgramColour::Kind::cube, body.side, put(body.nodes, 4 * side * side * side), put(body.cells, 256)};
}

void ProgramWriter::put_colours(ProgramStage& stage) {
  std::vector<ProgramColour> colours;
  for (const ColourProgram::Body& any : colours_.bodies())
    colours.push_back(std::visit([this](const auto& body) { return put_colour(body); }, any));
  stage.colours = put(colours.data(), colours.size());
  stage.colours_count = static_cast<std::int32_t>(colours.size());
}

ProgramPixels ProgramWriter::room_for(const Region& region, int bytes) {
  const ProgramPixels out{program_.room,
                          static_cast<std::int32_t>(region.x),
                          static_cast<std::int32_t>(region.y),
                          static_cast<std::int32_t>(region.width),
                          static_cast<std::int32_t>(region.height),
                          true};
  program_.room += (region.size().area() * bytes + behind - 1) / behind * behind;
  return out;
}

}  // namespace nephron::host
