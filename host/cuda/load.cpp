#include <host/cuda/load.hpp>

#include <algorithm>
#include <cstdlib>

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

/// A job of the queue that shares its GPU (NEPHRON_GPU_MEMORY, bytes) keeps to what it asked for. CUDA's context, which
/// no allocator counts, is part of that.
void keep_to_share(const CudaKernels& kernels) {
  const char* const text = std::getenv("NEPHRON_GPU_MEMORY");
  if (text == nullptr || *text == '\0') return;
  char* end = nullptr;
  const long long bytes = std::strtoll(text, &end, 10);
  if (*end != '\0' || bytes <= 0)
    throw Error("NEPHRON_GPU_MEMORY is \"" + std::string(text) + "\"; a number of bytes was expected");
  constexpr long long context = 512LL << 20;
  kernels.limit_memory(bytes - std::min(context, bytes / 4));
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
  keep_to_share(*entry());
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
