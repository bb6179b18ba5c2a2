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

/// Offsets lie around 0 and hardly vary; positions to read cover the picture, except where a field zooms in as far as
/// an affine matrix would do.
void require_positions(const ImageView& field) {
  if (field.width < 16 || field.height < 16) return;
  for (int axis = 0; axis < 2; ++axis) {
    const auto extent = static_cast<double>(axis == 0 ? field.width : field.height);
    double least = field.row<float>(0)[axis], most = least, sum = 0;
    for (std::int64_t y = 0; y < field.height; ++y)
      for (std::int64_t x = 0; x < field.width; ++x) {
        const double v = field.row<float>(y)[2 * x + axis];
        least = std::min(least, v), most = std::max(most, v), sum += v;
      }
    const double mean = sum / static_cast<double>(field.width * field.height);
    if (most - least > 0.5 * extent || std::abs(mean) > 0.25 * extent) return;
  }
  throw Failed(
      "displacement()'s field looks like offsets: on average it reads near (0, 0), and hardly varies; it holds the "
      "position to read for each pixel, and (x, y) itself changes nothing");
}

}  // namespace

void RecordingPlan::displacement(const Image& field, Border border) {
  begin('d', border);
  expect(field.size() == size_ && field.view().channels == 2 && field.view().depth == Depth::f32,
         "displacement() is given a field that is not f32 with two channels, of the picture's size");
  for (std::int64_t y = 0; y < size_.height; ++y) {
    const float* row = field.view().row<float>(y);
    floats("displacement()'s field", {row, row + 2 * size_.width});
  }
  require_positions(field.view());
}

void RecordingPlan::lookup(const std::array<std::array<std::uint8_t, 256>, 3>& table) {
  begin('l');
  write(table.data(), sizeof table);
}

void RecordingPlan::colour_matrix(const std::array<float, 12>& matrix) {
  begin('m');
  floats("colour_matrix()'s matrix", {matrix.begin(), matrix.end()});
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

void RecordingPlan::pixels(std::function<void(const ImageView&, const ImageView&)> change) {
  begin('p');
  expect(static_cast<bool>(change), "pixels() is given an empty function");
  changes_.push_back(std::move(change));
}

}  // namespace nephron::conformance
