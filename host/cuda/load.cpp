#include <host/cuda/load.hpp>

#include <dlfcn.h>

#include <ATen/detail/CUDAHooksInterface.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

struct Loaded {
  const CudaKernels* kernels = nullptr;
  std::string why;
  void* library = nullptr;
};

std::string reason() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown";
}

Loaded load() {
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) return {nullptr, "no NVIDIA driver: " + reason()};
  // Global, so that the operators it registers find each other; before anything asks LibTorch about CUDA, because it
  // remembers the answer.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
    return {
        nullptr,
        "LibTorch's CUDA part does not load (the CPU part alone may be installed; ./nephron build fetches the whole "
        "where it sees a GPU, `nephron torch fetch --full` of a bundle everywhere): " +
            reason()};
  if (!at::detail::getCUDAHooks().hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
    return {nullptr, "LibTorch sees no CUDA device (is CUDA_VISIBLE_DEVICES set, is the driver new enough for it?)"};
  void* const library = dlopen("libnephron_cuda.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return {nullptr, "nephron was built without its CUDA part (no nvcc was found then): " + reason()};
  const auto entry = reinterpret_cast<CudaKernelsEntry>(dlsym(library, cuda_entry_name));
  if (entry == nullptr || entry()->version_built != CudaKernels::version)
    return {nullptr, "libnephron_cuda.so is of another build of nephron; build both together"};
  return {entry(), "", library};
}

const Loaded& loaded() {
  static const Loaded once = load();
  return once;
}

}  // namespace

const CudaKernels* cuda_kernels(std::string* why) {
  if (why != nullptr) *why = loaded().why;
  return loaded().kernels;
}

void* cuda_symbol(const char* name) { return loaded().library == nullptr ? nullptr : dlsym(loaded().library, name); }

const CudaKernels& loaded_kernels() {
  std::string why;
  const CudaKernels* const kernels = cuda_kernels(&why);
  if (kernels == nullptr) throw Error("the CUDA kernels are not loaded: " + why);
  return *kernels;
}

}  // namespace nephron::host
