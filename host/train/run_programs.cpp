#include <host/train/run_programs.hpp>

#include <algorithm>
#include <cstring>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <host/cuda/load.hpp>
#include <host/feed/sample_program.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t alignment = 16;
std::int64_t aligned(std::int64_t n) { return (n + alignment - 1) / alignment * alignment; }

/// Where everything of a batch lies, and how much it is.
struct Layout {
  std::vector<std::int64_t> places;  ///< [2 N]: of each sample's bytes and room
  std::int64_t bytes = 0, room = 0, most_pixels = 0;
  std::int32_t stages = 0;

  explicit Layout(const RawBatch& batch) {
    bytes = aligned(static_cast<std::int64_t>(2 * sizeof(std::int64_t)) * batch.count);  // the places come first
    for (const std::vector<std::uint8_t>& sample : batch.programs) {
      const SampleProgram& program = *reinterpret_cast<const SampleProgram*>(sample.data());
      places.insert(places.end(), {bytes, room});
      bytes += aligned(program.bytes + alignment);
      room += aligned(program.room);
      stages = std::max(stages, program.stages);
      const auto* const of = reinterpret_cast<const ProgramStage*>(sample.data() + program.stages_at);
      for (std::int32_t s = 0; s < program.stages; ++s)
        most_pixels = std::max(most_pixels, static_cast<std::int64_t>(of[s].image_to.width) * of[s].image_to.height);
    }
  }
};

/// All bytes side by side, on the device. On CUDA LibTorch's allocator of pinned memory keeps the block until the copy
/// is over.
at::Tensor together(const RawBatch& batch, const Layout& layout, c10::Device device) {
  const at::Tensor all =
      at::empty({layout.bytes}, at::TensorOptions().dtype(c10::kByte).pinned_memory(device.is_cuda()));
  auto* const to = all.mutable_data_ptr<std::uint8_t>();
  std::memcpy(to, layout.places.data(), layout.places.size() * sizeof(std::int64_t));
  for (std::size_t i = 0; i < batch.programs.size(); ++i)
    std::memcpy(to + layout.places[2 * i], batch.programs[i].data(), batch.programs[i].size());
  return device.is_cuda() ? all.to(device, c10::kByte, /*non_blocking=*/true) : all;
}

/// The loops that stand for the kernels.
void run_on_cpu(const ProgramBatch& batch) {
  const auto each = [&](std::int64_t pixels, const auto& body) {
    at::parallel_for(0, batch.count * pixels, /*grain_size=*/1 << 14, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) body(static_cast<std::int32_t>(i / pixels), i % pixels);
    });
  };
  for (std::int32_t stage = 0; stage < batch.stages; ++stage) each(batch.most_pixels, StageBody{batch, stage});
  each(static_cast<std::int64_t>(batch.side) * batch.side, FinishBody{batch});
}

}  // namespace

MadeBatch run_programs(const RawBatch& batch, const Normalise& normalise, c10::Device device) {
  const Layout layout(batch);
  const at::TensorOptions there = at::TensorOptions().device(device);
  const at::Tensor bytes = together(batch, layout, device);
  const at::Tensor room = at::empty({layout.room}, there.dtype(c10::kByte));
  const std::int64_t n = batch.count, s = batch.side;
  const at::Tensor pixels = at::empty({n, s, s, 3}, there.dtype(c10::kFloat));
  MadeBatch out{pixels.permute({0, 3, 1, 2}), at::empty({n, batch.classes, s, s}, there.dtype(c10::kFloat)), {}};
  if (std::any_of(batch.ignoring.begin(), batch.ignoring.end(), [](std::uint8_t some) { return some != 0; }))
    out.ignored = at::empty({n, 1, s, s}, there.dtype(c10::kByte));
  const ProgramBatch programs{
      .bytes = bytes.const_data_ptr<std::uint8_t>(),
      .room = room.mutable_data_ptr<std::uint8_t>(),
      .places = reinterpret_cast<const std::int64_t*>(bytes.const_data_ptr<std::uint8_t>()),
      .count = static_cast<std::int32_t>(n),
      .stages = layout.stages,
      .side = static_cast<std::int32_t>(s),
      .classes = batch.classes,
      .most_pixels = layout.most_pixels,
      .normalise = normalise,
      .images = pixels.mutable_data_ptr<float>(),
      .targets = out.targets.mutable_data_ptr<float>(),
      .ignored = out.ignored.defined() ? out.ignored.mutable_data_ptr<std::uint8_t>() : nullptr};
  if (device.is_cuda()) loaded_kernels().run_programs(programs, device);
  else run_on_cpu(programs);
  return out;
}

}  // namespace nephron::host
