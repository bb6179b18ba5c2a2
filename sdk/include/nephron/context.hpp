#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <nephron/export.hpp>
#include <nephron/log.hpp>
#include <nephron/rng.hpp>

namespace nephron {

class SlideOpener;

/// The host's threads. Thread-safe.
class NEPHRON_API ThreadPool {
 public:
  virtual ~ThreadPool();
  virtual std::size_t threads() const noexcept = 0;
  /// Calls body(i) for i in [0, n) on several threads and returns when all are done. The first exception is
  /// thrown again here; the remaining calls are dropped.
  virtual void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body) = 0;
};

/// What the host lends to a component. It outlives the component; every call is thread-safe. No globals.
class NEPHRON_API Context {
 public:
  virtual ~Context();

  /// Name under which the component was asked for ("resnet34"): a class may serve several.
  virtual std::string_view component() const noexcept = 0;
  virtual Log& log() = 0;
  /// A stream keyed by the run's seed, this component's place in the experiment and `purpose`.
  virtual Rng rng(std::string_view purpose) const = 0;
  /// "cpu", "cuda:0".
  virtual std::string_view device() const noexcept = 0;
  virtual ThreadPool& threads() = 0;
  /// True after Ctrl-C: throw nephron::Cancelled soon.
  virtual bool cancelled() const noexcept = 0;
  /// Adds "COMPONENT/name" to metrics.jsonl and TensorBoard at the current training step: the mean of a step's calls.
  virtual void metric(std::string_view name, double value) = 0;
  /// Opens slide files (<nephron/slide.hpp>).
  virtual SlideOpener& slides() = 0;
};

}  // namespace nephron
