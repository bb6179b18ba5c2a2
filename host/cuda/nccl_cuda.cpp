// libnephron_cuda.so: the group of ranks on CUDA devices.
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <host/cuda/nccl.hpp>

extern "C" __attribute__((visibility("default"))) c10::intrusive_ptr<c10d::Backend> nephron_cuda_nccl_3(
    const nephron::host::NcclPlace& place) {
  using Group = c10d::ProcessGroupNCCL;
  const auto options = Group::Options::create();
  options->timeout = place.timeout;
  const auto group = c10::make_intrusive<Group>(place.store, place.rank, place.count, options);
  group->setBoundDeviceId(place.device);
  return group;
}
