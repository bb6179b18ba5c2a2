#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <host/plugins/registry.hpp>
#include <host/slides/opener.hpp>

namespace nephron::host {

/// The readers that a component under test opens slide files with: those that a run would find. They are looked for
/// when the first file is asked for. Thread-safe.
class CheckReaders {
 public:
  explicit CheckReaders(PluginSearch search) : search_(std::move(search)) {}
  SlideOpener& opener() {
    std::call_once(once_, [&] {
      registry_.emplace(search_);
      opener_.emplace(*registry_);
    });
    return *opener_;
  }

 private:
  PluginSearch search_;
  std::once_flag once_;
  std::optional<Registry> registry_;
  std::optional<ReaderOpener> opener_;
};

/// The context of a check, which opens slide files too.
class CheckContext final : public Context {
 public:
  CheckContext(Context& inner, std::shared_ptr<CheckReaders> readers)
      : inner_(inner), name_(inner.component()), device_(inner.device()), readers_(std::move(readers)) {}

  std::string_view component() const noexcept override { return name_; }
  Log& log() override { return inner_.log(); }
  Rng rng(std::string_view purpose) const override { return inner_.rng(purpose); }
  std::string_view device() const noexcept override { return device_; }
  ThreadPool& threads() override { return inner_.threads(); }
  bool cancelled() const noexcept override { return inner_.cancelled(); }
  void metric(std::string_view name, double value) override { inner_.metric(name, value); }
  SlideOpener& slides() override { return readers_->opener(); }

 private:
  Context& inner_;
  std::string name_, device_;
  std::shared_ptr<CheckReaders> readers_;
};

}  // namespace nephron::host
