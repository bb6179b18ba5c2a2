#include <host/cuda/nccl.hpp>

#include <nephron/error.hpp>

#include <host/cuda/load.hpp>

namespace nephron::host {

c10::intrusive_ptr<c10d::Backend> nccl_group(const NcclPlace& place) {
  loaded_kernels();  // or says why not
  const auto entry = reinterpret_cast<NcclEntry>(cuda_symbol(nccl_entry_name));
  if (entry == nullptr)
    throw Error("nephron was built without NCCL: several ranks cannot train on CUDA devices",
                "Build it where nccl.h is (of the CUDA toolkit, or of the wheel nvidia-nccl-cu13), or train with "
                "--device cpu.");
  return entry(place);
}

}  // namespace nephron::host
