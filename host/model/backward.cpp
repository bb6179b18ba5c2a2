#include <host/model/backward.hpp>

#include <atomic>

namespace nephron::host {

namespace {
std::atomic<const BackwardPlace*> reached{nullptr};  // gradients on a CUDA device are made by a thread of the engine
}

const BackwardPlace* backward_place(Origin origin) {
  origin.doing = "in backward";
  auto* const place = new BackwardPlace{std::move(origin), {}};
  place->call = place->origin.call();
  return place;
}

void mark_backward(const at::Tensor& output, const BackwardPlace* place) {
  if (!output.requires_grad()) return;
  output.register_hook([place](const at::Tensor&) {
    reached = place;
    PassScope::reached(place != nullptr ? &place->call : nullptr);
  });
}

void run_backward(const at::Tensor& loss) {
  const PassScope pass;
  reached = nullptr;
  try {
    loss.backward();
  } catch (...) {
    const BackwardPlace* const place = reached;
    if (place == nullptr) throw;
    rethrow_with(place->origin);
  }
}

}  // namespace nephron::host
