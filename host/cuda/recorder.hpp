#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <c10/core/Device.h>

namespace nephron::host {

/// Work of a device that was recorded.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  /// Does it again, in the order of the current stream: the same kernels on the same memory, whatever that holds now.
  virtual void replay() = 0;
  /// Memory of the device that it keeps for itself.
  virtual std::int64_t bytes() const = 0;
};

/// Records work of a device. What is recorded together shares memory, so one is replayed at a time, and what it leaves
/// behind is read before another is.
class WorkRecorder {
 public:
  virtual ~WorkRecorder() = default;
  /// Does the work at once, on the stream on which it is recorded later: behind what was asked for before, and before
  /// what is asked for then. Libraries choose their kernels and get their memory in it.
  virtual void beside(const std::function<void()>& work) = 0;
  /// Notes what `work` asks the device for. The device does none of it, and tensors that are made in it hold nothing
  /// before the first replay. Throws what `work` throws, and where it did what cannot be recorded, such as to wait for
  /// the device. `work` outlives the result.
  virtual std::unique_ptr<RecordedWork> record(const std::function<void()>& work) = 0;
};

/// By CUDA graphs. Throws Error where the device is none of CUDA.
std::unique_ptr<WorkRecorder> cuda_recorder(c10::Device device);

/// The symbol of libnephron_cuda.so that makes it.
using RecorderEntry = WorkRecorder* (*)(c10::Device device);
inline constexpr const char* recorder_entry_name = "nephron_cuda_recorder_1";

}  // namespace nephron::host
