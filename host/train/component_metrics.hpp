#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <host/feed/sample_number.hpp>
#include <host/runs/metrics_log.hpp>

namespace nephron::host {

/// What components tell with Context::metric(): the mean of each name over a step. The feed makes samples ahead, so
/// that what is told while one is made waits for the step that uses it. Thread-safe.
class ComponentMetrics {
 public:
  void add(std::string_view name, double value) {
    const SampleNumber* const sample = current_sample();
    const std::lock_guard lock(mutex_);
    Mean& mean = (sample != nullptr ? by_sample_[*sample] : of_step_)[std::string(name)];
    mean.sum += value;
    ++mean.count;
  }
  /// What was told outside of the feed since the last call, and of the samples before `end` that were not taken yet.
  MetricsLog::Values take(const SampleNumber& end) {
    const std::lock_guard lock(mutex_);
    const auto last = by_sample_.lower_bound(end);
    for (auto it = by_sample_.begin(); it != last; ++it)
      for (const auto& [name, mean] : it->second) {
        of_step_[name].sum += mean.sum;
        of_step_[name].count += mean.count;
      }
    by_sample_.erase(by_sample_.begin(), last);
    MetricsLog::Values out;
    for (const auto& [name, mean] : of_step_) out.emplace_back(name, mean.sum / static_cast<double>(mean.count));
    of_step_.clear();
    return out;
  }
  /// Drops what was told since the last step of an epoch: it belongs to no step.
  void drop() {
    const std::lock_guard lock(mutex_);
    of_step_.clear();
    by_sample_.clear();
  }

 private:
  struct Mean {
    double sum = 0;
    std::int64_t count = 0;
  };
  using Means = std::map<std::string, Mean>;
  std::mutex mutex_;
  Means of_step_;
  std::map<SampleNumber, Means> by_sample_;
};

}  // namespace nephron::host
