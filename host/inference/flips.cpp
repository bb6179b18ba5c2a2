#include <host/inference/flips.hpp>

#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// One row of normalised pixels, forwards or from its end.
void copy_row(const float* from, float* to, std::int64_t width, bool backwards) {
  if (!backwards) {
    std::memcpy(to, from, static_cast<std::size_t>(3 * width) * sizeof(float));
    return;
  }
  for (std::int64_t x = 0; x < width; ++x) {
    const float* const pixel = from + 3 * (width - 1 - x);
    to[3 * x] = pixel[0], to[3 * x + 1] = pixel[1], to[3 * x + 2] = pixel[2];
  }
}

/// out = (first ? 0 : out) + weight * from; `from` backwards where flipped.
void add_row(const float* from, float* out, std::int64_t width, bool backwards, float weight, bool first) {
  if (first) std::memset(out, 0, static_cast<std::size_t>(width) * sizeof(float));
  if (backwards)
    for (std::int64_t x = 0; x < width; ++x) out[x] += weight * from[width - 1 - x];
  else
    for (std::int64_t x = 0; x < width; ++x) out[x] += weight * from[x];
}

}  // namespace

Flip flip_named(const std::string& name) {
  if (name == "identity") return {};
  if (name == "flip_x") return {.x = true, .y = false};
  if (name == "flip_y") return {.x = false, .y = true};
  if (name == "flip_xy") return {.x = true, .y = true};
  throw Error("unknown test-time augmentation \"" + name + "\": expected identity, flip_x, flip_y or flip_xy");
}

at::Tensor flipped_inputs(const std::uint8_t* bytes, std::int64_t n, Size size, const std::vector<Flip>& flips,
                          const Normalise& how) {
  const auto directions = static_cast<std::int64_t>(flips.size());
  const at::Tensor pixels = at::empty({n * directions, size.height, size.width, 3}, c10::kFloat);
  float* const out = pixels.mutable_data_ptr<float>();
  at::parallel_for(0, n * size.height, /*grain_size=*/16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(3 * size.width));
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t tile = r / size.height, y = r % size.height;
      const std::uint8_t* const from = bytes + r * size.width * 3;
      for (std::int64_t x = 0; x < size.width; ++x) how(from, row.data(), x);
      for (std::int64_t f = 0; f < directions; ++f) {
        const Flip& flip = flips[static_cast<std::size_t>(f)];
        const std::int64_t to = (tile * directions + f) * size.height + (flip.y ? size.height - 1 - y : y);
        copy_row(row.data(), out + to * size.width * 3, size.width, flip.x);
      }
    }
  });
  return pixels.permute({0, 3, 1, 2});  // channels_last as it lies
}

void add_flipped_back(const at::Tensor& maps, const std::vector<Flip>& flips, float weight, bool first, float* out) {
  const at::Tensor planes = maps.contiguous();
  const auto directions = static_cast<std::int64_t>(flips.size());
  const std::int64_t classes = planes.size(1), height = planes.size(2), width = planes.size(3),
                     tiles = planes.size(0) / directions;
  const float* const in = planes.const_data_ptr<float>();
  at::parallel_for(0, tiles * classes * height, /*grain_size=*/64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t tile = r / (classes * height), c = r / height % classes, y = r % height;
      for (std::int64_t f = 0; f < directions; ++f) {
        const Flip& flip = flips[static_cast<std::size_t>(f)];
        const std::int64_t from = ((tile * directions + f) * classes + c) * height + (flip.y ? height - 1 - y : y);
        add_row(in + from * width, out + r * width, width, flip.x, weight, first && f == 0);
      }
    }
  });
}

}  // namespace nephron::host
