#pragma once

#include <atomic>
#include <functional>
#include <string>

#include <nephron/context.hpp>

namespace nephron::host {

/// What all components of a job are lent alike.
struct JobServices {
  std::string device = "cpu";                             ///< "cuda:0"
  std::function<void(std::string_view, double)> metrics;  ///< takes "COMPONENT/name"; thread-safe; may be empty
};

/// The Context that the host hands to components.
struct HostContext final : Context {
  HostContext(std::string component_name, std::string place_in_experiment);
  ~HostContext() override;

  std::string_view component() const noexcept override { return name; }
  Log& log() override;
  Rng rng(std::string_view purpose) const override;
  std::string_view device() const noexcept override { return services.device; }
  ThreadPool& threads() override;
  bool cancelled() const noexcept override;  ///< host::interrupted()
  void metric(std::string_view metric_name, double value) override;
  SlideOpener& slides() override;  ///< throws Error where `opener` was not set

  std::string name;
  std::string place;  ///< "augmentation[2]": key of random streams
  std::uint64_t seed = 0;
  JobServices services;
  SlideOpener* opener = nullptr;
};

}  // namespace nephron::host
