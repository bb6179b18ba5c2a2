#include <host/device/torch_state.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <nephron/error.hpp>

namespace nephron::host {

void seed_torch(std::uint64_t key, c10::Device device) {
  for (const c10::Device d : {c10::Device(c10::kCPU), device}) {
    at::Generator generator = at::globalContext().defaultGenerator(d);
    const std::lock_guard lock(generator.mutex());
    generator.set_current_seed(key);
    if (device.is_cpu()) break;
  }
}

void set_torch_threads(int threads, int processes) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / processes);
  // LibTorch has read OMP_NUM_THREADS by itself; a person who set it shares the machine.
  if (threads > 0 || std::getenv("OMP_NUM_THREADS") == nullptr) at::set_num_threads(threads > 0 ? threads : cores);
  at::Context::setFlushDenormal(true);
}

int torch_threads() { return at::get_num_threads(); }

void set_deterministic(bool on) {
  // cuBLAS adds in a fixed order only with one of two sizes of workspace; it looks when it is first used.
  if (const char* const given = std::getenv("CUBLAS_WORKSPACE_CONFIG");
      on && (given == nullptr || (std::string_view(given) != ":4096:8" && std::string_view(given) != ":16:8")))
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/1);
  // Strict: an operation without a deterministic form ends the run (unkept_determinism() says what it means).
  at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);  // would write every new tensor twice
  at::globalContext().setDeterministicCuDNN(on);
  at::globalContext().setBenchmarkCuDNN(!on);
}

void explain_determinism(const std::exception& thrown) {
  const std::string_view text = thrown.what();
  const std::size_t end = text.find(" does not have a deterministic implementation");
  if (end == std::string_view::npos) return;
  const std::size_t before = text.find_last_of(" \n", end - 1),
                    first = before == std::string_view::npos ? 0 : before + 1;
  throw Error("train.deterministic = true cannot be kept: the operation " +
                  std::string(text.substr(first, end - first)) + " has no deterministic form on this device",
              "Set train.deterministic = false, or take a component that does without this operation.");
}

}  // namespace nephron::host
