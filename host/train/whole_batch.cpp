#include <host/train/whole_batch.hpp>

#include <algorithm>
#include <cstring>

#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>

#include <nephron/error.hpp>

namespace nephron::host {

WholeBatch::WholeBatch(const Ranks& ranks, std::int64_t total)
    : ranks_(ranks), total_(total), own_(share_of(total, ranks.rank(), ranks.count())) {}

at::Tensor WholeBatch::rows(const at::Tensor& own) const {
  const at::Tensor mine = own.detach().contiguous();
  if (mine.size(0) != own_.count)
    throw Error("a share of " + std::to_string(own_.count) + " samples has " + std::to_string(mine.size(0)) + " rows");
  const std::int64_t ranks = ranks_.count(), most = (total_ + ranks - 1) / ranks;
  const std::int64_t missing = most - own_.count;
  std::vector<std::int64_t> sizes = mine.sizes().vec();
  sizes[0] = missing;
  const at::Tensor all = ranks_.gather(missing == 0 ? mine : at::cat({mine, at::zeros(sizes, mine.options())}));
  sizes[0] = total_;
  if (total_ == most * ranks) return all.view(sizes);
  std::vector<at::Tensor> parts;
  for (std::int64_t r = 0; r < ranks; ++r) parts.push_back(all[r].narrow(0, 0, share_of(total_, r, ranks).count));
  return at::cat(parts);
}

at::Tensor WholeBatch::with_own(const at::Tensor& own) const {
  const at::Tensor all = rows(own);
  const std::int64_t behind = own_.first + own_.count;
  std::vector<at::Tensor> parts;
  if (own_.first > 0) parts.push_back(all.narrow(0, 0, own_.first));
  parts.push_back(own);
  if (behind < total_) parts.push_back(all.narrow(0, behind, total_ - behind));
  return at::cat(parts);
}

BatchTensors WholeBatch::tensors(const BatchTensors& own, bool images) const {
  BatchTensors out;
  // Channels last as they came: an image's rows are its sample's, whatever the order of its pixels.
  if (images) out.images = rows(own.images).contiguous(own.images.suggest_memory_format());
  out.targets = rows(own.targets);
  out.known_weights = rows(own.known_weights);
  out.weights = out.targets.device().is_cpu() ? out.known_weights
                                              : out.known_weights.to(out.targets.device(), /*non_blocking=*/true);
  if (ranks_.any(own.pixel_weights.defined()))
    out.pixel_weights = rows(own.pixel_weights.defined() ? own.pixel_weights : at::ones_like(own.targets));
  return out;
}

SampleNames WholeBatch::names(const RawBatch& own) const {
  // A row holds the number of the window, and the id; of a long one, its beginning.
  constexpr std::int64_t number = 2 * sizeof(std::int64_t), most = 160, row = number + most;
  const at::Tensor mine = at::zeros({own_.count, row}, at::kByte);
  auto* to = mine.mutable_data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < own.ids.size(); ++i, to += row) {
    const SampleNumber window = i < own.windows.size() ? own.windows[i] : SampleNumber{};
    std::memcpy(to, &window.epoch, sizeof window.epoch);
    std::memcpy(to + sizeof window.epoch, &window.index, sizeof window.index);
    std::copy_n(own.ids[i].begin(), std::min(own.ids[i].size(), static_cast<std::size_t>(most)), to + number);
  }
  const at::Tensor all = rows(mine).contiguous();
  SampleNames out;
  const auto* from = all.const_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < total_; ++i, from += row) {
    SampleNumber window;
    std::memcpy(&window.epoch, from, sizeof window.epoch);
    std::memcpy(&window.index, from + sizeof window.epoch, sizeof window.index);
    out.windows.push_back(window);
    const auto* const text = from + number;
    out.ids.emplace_back(text, std::find(text, text + most, std::uint8_t{0}));
  }
  return out;
}

}  // namespace nephron::host
