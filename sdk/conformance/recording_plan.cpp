#include <conformance/recording_plan.hpp>

#include <algorithm>
#include <cmath>

#include <conformance/bench.hpp>

namespace nephron::conformance {

RecordingPlan::~RecordingPlan() = default;

void RecordingPlan::write(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }

void RecordingPlan::begin(char operation, Border border) {
  bytes_ += operation;
  bytes_ += static_cast<char>(border);
}

void RecordingPlan::floats(const char* what, const std::vector<float>& values) {
  for (const float v : values)
    expect(std::isfinite(v), [&] { return std::string(what) + " has a value that is not finite"; });
  write(values.data(), values.size() * sizeof(float));
}

void RecordingPlan::affine(const Affine& forward, Border border) {
  begin('a', border);
  for (const double v : forward.m)
    expect(std::isfinite(v), "affine() is given a matrix with a value that is not finite");
  try {
    forward.inverse();  // as the host will
  } catch (const Error& e) {
    throw Failed(std::string("affine() is given a matrix that cannot be turned back: ") + e.what());
  }
  write(forward.m.data(), sizeof forward.m);
}

void RecordingPlan::flip(bool horizontal, bool vertical) {
  begin('f');
  bytes_ += static_cast<char>(horizontal);
  bytes_ += static_cast<char>(vertical);
}

namespace {

/// Positions to read grow with the place, pixel for pixel, along both axes; displacements do not.
void require_displacements(const ImageView& grid, int spacing) {
  if (grid.width < 3 || grid.height < 3) return;
  for (int axis = 0; axis < 2; ++axis) {
    double places = 0, vectors = 0, products = 0, squares = 0;
    const auto n = static_cast<double>(grid.width * grid.height);
    for (std::int64_t y = 0; y < grid.height; ++y)
      for (std::int64_t x = 0; x < grid.width; ++x) {
        const auto place = static_cast<double>(spacing * (axis == 0 ? x : y));
        const double vector = grid.row<float>(y)[2 * x + axis];
        places += place, vectors += vector, products += place * vector, squares += place * place;
      }
    const double slope = (products - places * vectors / n) / (squares - places * places / n);
    if (slope < 0.75 || slope > 1.25) return;
  }
  throw Failed(
      "displacement()'s grid looks like positions: its vectors grow with the place, pixel for pixel; it holds (dx, "
      "dy), "
      "and (0, 0) changes nothing");
}

}  // namespace

void RecordingPlan::displacement(const Image& grid, int spacing, Border border) {
  begin('d', border);
  write(&spacing, sizeof spacing);
  expect(spacing >= 1, "displacement() is given a spacing below 1");
  const Size nodes = displacement_nodes(size_, spacing);
  expect(grid.size() == nodes && grid.view().channels == 2 && grid.view().depth == Depth::f32,
         "displacement() is given a grid that is not f32 with two channels, of displacement_nodes() for the picture's "
         "size");
  for (std::int64_t y = 0; y < nodes.height; ++y) {
    const float* row = grid.view().row<float>(y);
    floats("displacement()'s grid", {row, row + 2 * nodes.width});
  }
  require_displacements(grid.view(), spacing);
}

void RecordingPlan::lookup(const std::array<std::array<std::uint8_t, 256>, 3>& table) {
  begin('l');
  write(table.data(), sizeof table);
}

void RecordingPlan::colour_matrix(const std::array<float, 12>& matrix) {
  begin('m');
  floats("colour_matrix()'s matrix", {matrix.begin(), matrix.end()});
}

void RecordingPlan::density_matrix(const std::array<float, 12>& matrix, const std::array<float, 3>& white) {
  begin('o');
  floats("density_matrix()'s matrix", {matrix.begin(), matrix.end()});
  for (std::size_t i = 0; i < matrix.size(); ++i)
    expect(std::abs(matrix[i]) <= (i % 4 == 3 ? 20 : 4),
           "density_matrix() is given an entry beyond -4..4, or beyond -20..20 at the end of a row");
  for (const float v : white)
    expect(v >= 1 && v <= 255, "density_matrix() is given a white that is not within 1 to 255");
  write(white.data(), sizeof white);
}

void RecordingPlan::colour_cube(int side, const std::vector<float>& values) {
  begin('c');
  write(&side, sizeof side);
  expect(side >= 2 && side <= 65, "colour_cube() is given a side that is not within 2 to 65");
  expect(values.size() == 3 * static_cast<std::size_t>(side * side * side),
         "colour_cube() is given values that are not three for each of side * side * side nodes");
  floats("colour_cube()'s values", values);
}

void RecordingPlan::filter(const Image& kernel) {
  begin('k');
  const ImageView& v = kernel.view();
  expect(!v.empty() && v.channels == 1 && v.depth == Depth::f32 && v.width % 2 == 1 && v.height % 2 == 1,
         "filter() is given a kernel that is not f32 with one channel and odd sides");
  for (std::int64_t y = 0; y < v.height; ++y) floats("filter()'s kernel", {v.row<float>(y), v.row<float>(y) + v.width});
}

void RecordingPlan::filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) {
  begin('s');
  expect(horizontal.size() % 2 == 1 && vertical.size() % 2 == 1,
         "filter() is given a separable kernel whose sides are not odd");
  floats("filter()'s kernel", horizontal);
  bytes_ += '|';
  floats("filter()'s kernel", vertical);
}

void RecordingPlan::pixels(std::function<void(const SampleView&)> change) {
  begin('p');
  expect(static_cast<bool>(change), "pixels() is given an empty function");
  changes_.push_back(std::move(change));
}

}  // namespace nephron::conformance
