#include <host/train/state_digests.hpp>

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/Version.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <nephron/torch.hpp>

#include <host/device/torch_state.hpp>
#include <host/replay/snapshot.hpp>
#include <host/runs/here_and_now.hpp>

namespace nephron::host {

namespace {

/// All elements one after another as they lie in memory, whatever order the layout has them in.
at::Tensor as_it_lies(const at::Tensor& tensor) {
  if (!tensor.is_non_overlapping_and_dense()) return tensor.detach().contiguous().view(-1);
  return tensor.detach().as_strided({tensor.numel()}, {1});
}

std::uint64_t digest_on_cpu(FastDigest& digest, const at::Tensor& tensor) {
  const at::Tensor flat = as_it_lies(tensor);
  digest.add(flat.const_data_ptr(), flat.nbytes());
  return digest.take();
}

/// A tensor of one number.
at::Tensor digest_on_device(const at::Tensor& tensor) {
  const at::Tensor flat = as_it_lies(tensor);
  const at::Tensor words = flat.view(flat.nbytes() % 4 == 0 ? c10::kInt : c10::kByte).to(c10::kLong);
  constexpr std::int64_t step = 0x1e3779b97f4a7c15;  // odd, so that no two places weigh the same
  return (words * (at::arange(words.numel(), words.options()) * step + 1)).sum();
}

template <class T>
void add_first(FastDigest& to, const std::vector<T>& values, std::int64_t count) {
  to.add(values.data(), std::min(values.size(), static_cast<std::size_t>(count)) * sizeof(T));
}

}  // namespace

TensorDigests digests_of(const TensorMap& tensors) {
  TensorDigests out;
  std::vector<std::pair<std::size_t, at::Tensor>> here;
  std::vector<at::Tensor> pending;  // read back together
  std::vector<std::size_t> places;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined() || tensor.numel() == 0) continue;
    if (tensor.is_cpu()) {
      here.emplace_back(out.size(), tensor);
    } else {
      pending.push_back(digest_on_device(tensor));
      places.push_back(out.size());
    }
    out.emplace_back(name, 0);
  }
  at::parallel_for(0, static_cast<std::int64_t>(here.size()), 16, [&](std::int64_t first, std::int64_t last) {
    FastDigest digest;
    for (std::int64_t i = first; i < last; ++i) {
      const auto& [place, tensor] = here[static_cast<std::size_t>(i)];
      out[place].second = digest_on_cpu(digest, tensor);
    }
  });
  if (pending.empty()) return out;
  const at::Tensor there = at::stack(pending).cpu();
  for (std::size_t i = 0; i < places.size(); ++i)
    out[places[i]].second = static_cast<std::uint64_t>(there.const_data_ptr<std::int64_t>()[i]);
  return out;
}

void add_batch(FastDigest& to, const RawBatch& batch) {
  const std::int64_t n = batch.count, pixels = n * batch.side * batch.side;
  add_first(to, batch.weights, n * batch.classes);
  if (!batch.programs.empty()) {
    for (const auto& program : batch.programs) add_first(to, program, static_cast<std::int64_t>(program.size()));
    return;
  }
  add_first(to, batch.images, 3 * pixels);
  add_first(to, batch.labels, batch.classes * pixels);
  if (std::any_of(batch.ignoring.begin(), batch.ignoring.end(), [](std::uint8_t some) { return some != 0; }))
    add_first(to, batch.ignored, pixels);
}

void add_tensors(FastDigest& to, const BatchTensors& batch) {
  for (const at::Tensor& tensor : {batch.images, batch.targets, batch.weights, batch.pixel_weights})
    if (tensor.defined() && tensor.is_cpu()) {
      const at::Tensor flat = as_it_lies(tensor);
      to.add(flat.const_data_ptr(), flat.nbytes());
    }
}

DigestSession digest_session(c10::Device device, int ranks) {
  return {device.str(),     cpu_name() + ", " + at::get_cpu_capability(),
          torch_threads(),  NEPHRON_TORCH_BUILD,
          program_digest(), ranks};
}

}  // namespace nephron::host
