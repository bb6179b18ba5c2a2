#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <host/runs/metrics_log.hpp>

namespace nephron::host {

/// What components tell with Context::metric() between two steps: the mean of each name. Thread-safe.
class ComponentMetrics {
 public:
  void add(std::string_view name, double value) {
    const std::lock_guard lock(mutex_);
    auto& [sum, count] = told_[std::string(name)];
    sum += value;
    ++count;
  }
  /// What was told since the last call.
  MetricsLog::Values take() {
    const std::lock_guard lock(mutex_);
    MetricsLog::Values out;
    for (const auto& [name, mean] : told_) out.emplace_back(name, mean.sum / static_cast<double>(mean.count));
    told_.clear();
    return out;
  }

 private:
  struct Mean {
    double sum = 0;
    std::int64_t count = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Mean> told_;
};

}  // namespace nephron::host
