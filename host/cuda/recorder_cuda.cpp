// libnephron_cuda.so: work of a device as CUDA graphs, as torch.cuda.graph records it.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <host/cuda/recorder.hpp>

namespace nephron::host {

namespace {

void wait_for(const c10::cuda::CUDAStream& first, const c10::cuda::CUDAStream& then) {
  at::cuda::CUDAEvent done;
  done.record(first);
  done.block(then);
}

std::int64_t reserved_bytes(c10::Device device) {
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device.index());
  return stats.reserved_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].current;
}

/// Memory that graphs share. One that no graph uses any more cannot be used again.
struct Pool {
  at::cuda::MempoolId_t id = at::cuda::graph_pool_handle();
};

class CudaWork final : public RecordedWork {
 public:
  CudaWork(c10::Device device, std::shared_ptr<Pool> pool) : device_(device), pool_(std::move(pool)) {}
  ~CudaWork() override {
    try {
      const c10::cuda::CUDAGuard guard(device_);
      c10::cuda::device_synchronize();  // its memory is given back
    } catch (const std::exception&) {   // whoever uses the device next is told
    }
  }
  CudaWork(const CudaWork&) = delete;
  CudaWork& operator=(const CudaWork&) = delete;

  /// On the current stream, which is not the default one.
  void record(const std::function<void()>& work) {
    const std::int64_t before = reserved_bytes(device_);
    graph_.capture_begin(pool_->id);
    try {
      work();
    } catch (...) {
      try {
        graph_.capture_end();
      } catch (const std::exception&) {  // it follows from the first, which says more
      }
      throw;
    }
    graph_.capture_end();
    bytes_ = reserved_bytes(device_) - before;
  }
  void replay() override {
    const c10::cuda::CUDAGuard guard(device_);
    graph_.replay();
  }
  std::int64_t bytes() const override { return bytes_; }

 private:
  c10::Device device_;
  std::shared_ptr<Pool> pool_;
  at::cuda::CUDAGraph graph_;
  std::int64_t bytes_ = 0;
};

class CudaRecorder final : public WorkRecorder {
 public:
  explicit CudaRecorder(c10::Device device)
      : device_(device), stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  void beside(const std::function<void()>& work) override {
    const c10::cuda::CUDAGuard guard(device_);
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream();
    wait_for(current, stream_);
    {
      const c10::cuda::CUDAStreamGuard on(stream_);
      work();
    }
    wait_for(stream_, current);
  }

  std::unique_ptr<RecordedWork> record(const std::function<void()>& work) override {
    const c10::cuda::CUDAGuard guard(device_);
    c10::cuda::device_synchronize();
    // Memory that lies ready for others is no use to a graph.
    c10::cuda::CUDACachingAllocator::emptyCache();
    at::getHostAllocator(at::kCUDA)->empty_cache();
    std::shared_ptr<Pool> pool = pool_.lock();
    if (pool == nullptr) pool_ = pool = std::make_shared<Pool>();
    auto out = std::make_unique<CudaWork>(device_, std::move(pool));
    const c10::cuda::CUDAStreamGuard on(stream_);
    out->record(work);
    return out;
  }

 private:
  c10::Device device_;
  c10::cuda::CUDAStream stream_;
  std::weak_ptr<Pool> pool_;
};

}  // namespace
}  // namespace nephron::host

extern "C" __attribute__((visibility("default"))) nephron::host::WorkRecorder* nephron_cuda_recorder_1(
    c10::Device device) {
  return new nephron::host::CudaRecorder(device);
}
