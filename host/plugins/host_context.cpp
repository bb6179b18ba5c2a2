#include <host/plugins/host_context.hpp>

#include <nephron/error.hpp>

#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

HostContext::HostContext(std::string component_name, std::string place_in_experiment)
    : name(std::move(component_name)), place(std::move(place_in_experiment)) {}
HostContext::~HostContext() = default;

Log& HostContext::log() { return host::log(); }

Rng HostContext::rng(std::string_view purpose) const { return Rng(seed, place + "/" + std::string(purpose)); }

ThreadPool& HostContext::threads() { return thread_pool(); }

bool HostContext::cancelled() const noexcept { return interrupted(); }

void HostContext::metric(std::string_view metric_name, double value) {
  if (services.metrics) services.metrics(name + "/" + std::string(metric_name), value);
}

SlideOpener& HostContext::slides() {
  if (opener == nullptr) throw Error("slide files cannot be opened here");
  return *opener;
}

}  // namespace nephron::host
