#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <nephron/error.hpp>

#include <host/view/work_slots.hpp>

namespace nephron::host {

/// Values by key, each made once by whoever asks first. The least lately used go when all take more than so many bytes;
/// the last one asked for always stays. Thread-safe.
template <class Value>
class BoundedCache {
 public:
  explicit BoundedCache(std::size_t most_bytes) : most_(most_bytes) {}

  struct Made {
    std::shared_ptr<const Value> value;
    std::size_t bytes = 0;
    bool keep = true;  ///< false: another one is made next time
  };

  /// `make()` gives a Made and may throw. Those who ask meanwhile wait for it; Cancelled is thrown when `stop` says so,
  /// and when the maker fails one of those who wait tries again.
  template <class Make>
  std::shared_ptr<const Value> get(const std::string& key, const Stop& stop, const Make& make) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (auto found = find(key)) return found;
      if (making_.insert(key).second) break;
      if (stop()) throw Cancelled();
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    lock.unlock();
    const Making making(*this, key);
    Made made = make();
    if (made.keep) put(key, made);
    return made.value;
  }
  std::size_t bytes() const {
    const std::scoped_lock lock(mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Value> value;
    std::size_t bytes = 0;
  };
  /// Tells those who wait, however the making ends.
  struct Making {
    Making(BoundedCache& cache, const std::string& key) : of(cache), name(key) {}
    ~Making() {
      {
        const std::scoped_lock lock(of.mutex_);
        of.making_.erase(name);
      }
      of.changed_.notify_all();
    }
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;
    BoundedCache& of;
    const std::string& name;
  };

  std::shared_ptr<const Value> find(const std::string& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->value;
  }
  void put(const std::string& key, const Made& made) {
    std::list<Entry> gone;  // destroyed without the lock
    const std::scoped_lock lock(mutex_);
    order_.push_front({key, made.value, made.bytes});
    places_[key] = order_.begin();
    bytes_ += made.bytes;
    while (bytes_ > most_ && order_.size() > 1) {
      bytes_ -= order_.back().bytes;
      places_.erase(order_.back().key);
      gone.splice(gone.begin(), order_, std::prev(order_.end()));
    }
  }

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Entry> order_;  ///< the latest used first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> places_;
  std::unordered_set<std::string> making_;
  std::size_t bytes_ = 0;
};

}  // namespace nephron::host
