#include <host/train/network.hpp>

#include <c10/core/GradMode.h>

namespace nephron::host {

void place_model(SegmentationModel& model, c10::Device device, bool channels_last) {
  const c10::NoGradGuard no_grad;
  for (at::Tensor& parameter : model.parameters()) {
    at::Tensor data = parameter.detach().to(device);
    if (channels_last && data.dim() == 4) data = data.contiguous(at::MemoryFormat::ChannelsLast);
    parameter.set_data(data);
  }
  for (at::Tensor& buffer : model.buffers()) buffer.set_data(buffer.to(device));
}

NamedTensors named_parameters(const SegmentationModel& model) {
  NamedTensors out;
  for (const auto& item : model.named_parameters()) out.emplace_back(item.key(), item.value());
  return out;
}

}  // namespace nephron::host
