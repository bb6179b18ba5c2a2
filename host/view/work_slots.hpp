#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include <nephron/error.hpp>

#include <host/util/stop.hpp>

namespace nephron::host {

/// So many pieces of work at a time; who waits leaves when nobody wants the work any more.
class WorkSlots {
 public:
  explicit WorkSlots(std::size_t slots) : free_(slots) {}

  class Held {
   public:
    explicit Held(WorkSlots& slots) : slots_(slots) {}
    ~Held() { slots_.give_back(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    WorkSlots& slots_;
  };
  /// Throws Cancelled when `stop` says so before a slot is free.
  Held take(const Stop& stop) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (stop()) throw Cancelled();
      if (free_ > 0) break;
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    --free_;
    return Held(*this);
  }

 private:
  void give_back() {
    {
      const std::scoped_lock lock(mutex_);
      ++free_;
    }
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t free_;
};

}  // namespace nephron::host
