#include <host/util/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <host/util/current_call.hpp>

namespace nephron::host {

namespace {

/// One loop: threads take the next index until none is left. The caller works too, so that a loop inside a loop
/// always goes on, even when every thread of the pool is busy.
struct Loop {
  Loop(std::size_t count, const std::function<void(std::size_t)>& what) : n(count), body(what) {}

  void work() {
    const CallScope scope(call);
    while (true) {
      const std::size_t i = next.fetch_add(1);
      if (i >= n) return;
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (error == nullptr) error = std::current_exception();
        next = n;
      }
    }
  }

  const Call* call = current_call();  ///< whose loop it is; it lasts as long as that call
  std::size_t n;
  const std::function<void(std::size_t)>& body;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable idle;
  std::size_t helpers = 0;  ///< threads of the pool inside work()
  std::exception_ptr error;
};

class Pool final : public ThreadPool {
 public:
  explicit Pool(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) threads_.emplace_back([this] { run(); });
  }

  ~Pool() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
  }

  std::size_t threads() const noexcept override { return threads_.size() + 1; }

  void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body) override {
    if (n == 0) return;
    const auto loop = std::make_shared<Loop>(n, body);
    const std::size_t help = std::min(n - 1, threads_.size());
    if (help > 0) {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < help; ++i) queue_.push_back(loop);
    }
    wake_.notify_all();
    loop->work();
    std::unique_lock lock(loop->mutex);
    loop->idle.wait(lock, [&] { return loop->helpers == 0; });
    if (loop->error != nullptr) std::rethrow_exception(loop->error);
  }

 private:
  void run() {
    while (true) {
      std::shared_ptr<Loop> loop;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
        if (stop_) return;
        loop = std::move(queue_.front());
        queue_.pop_front();
      }
      {
        const std::lock_guard lock(loop->mutex);
        if (loop->next >= loop->n) continue;  // over: `body` may be gone
        ++loop->helpers;
      }
      loop->work();
      const std::lock_guard lock(loop->mutex);
      if (--loop->helpers == 0) loop->idle.notify_all();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Loop>> queue_;
  bool stop_ = false;
};

}  // namespace

ThreadPool& thread_pool() {
  static Pool pool(std::max(1U, std::thread::hardware_concurrency()) - 1);
  return pool;
}

std::unique_ptr<ThreadPool> make_thread_pool(std::size_t threads) {
  return std::make_unique<Pool>(std::max<std::size_t>(1, threads) - 1);
}

}  // namespace nephron::host
