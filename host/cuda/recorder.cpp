#include <host/cuda/recorder.hpp>

#include <nephron/error.hpp>

#include <host/cuda/load.hpp>

namespace nephron::host {

std::unique_ptr<WorkRecorder> cuda_recorder(c10::Device device) {
  if (!device.is_cuda())
    throw Error("train.cuda_graph needs a CUDA device; this is " + device.str(), "Set train.cuda_graph = false.");
  loaded_kernels();  // or says why not
  const auto entry = reinterpret_cast<RecorderEntry>(cuda_symbol(recorder_entry_name));
  if (entry == nullptr) throw Error("libnephron_cuda.so is of another build of nephron; build both together");
  return std::unique_ptr<WorkRecorder>(entry(device));
}

}  // namespace nephron::host
