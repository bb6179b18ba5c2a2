#include <host/train/step_log.hpp>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <utility>

#include <ATen/ops/stack.h>

#include <host/runs/process.hpp>

namespace nephron::host {

namespace {

/// Folds that a process trains later did not start with it.
bool first_of_process() {
  static std::atomic<bool> seen{false};
  return !seen.exchange(true);
}

}  // namespace

StepLog::StepLog(MetricsLog* metrics, std::string title, std::int64_t done, std::int64_t total, std::int64_t behind,
                 c10::Device device)
    : metrics_(metrics), progress_(std::move(title), total, done, behind), most_pending_(device.is_cpu() ? 1 : 8) {}

void StepLog::add(std::int64_t step, std::int64_t epoch, const LossValue& loss, double lr, std::vector<std::string> ids,
                  std::uint64_t digest, double waited, MetricsLog::Values told) {
  const auto now = clock::now();
  const double seconds = std::chrono::duration<double>(now - last_).count();
  pending_.push_back({step, epoch, loss, lr, std::move(ids), digest, waited, seconds, std::move(told)});
  last_ = now;
}

void StepLog::skip_time() { last_ = clock::now(); }

bool StepLog::flush(bool all) {
  if (pending_.empty()) return true;
  // The first step of a process is read back at once: it tells how long starting took.
  if (!all && pending_.size() < most_pending_ && !first_line_) return true;
  std::vector<at::Tensor> losses;
  double seconds = 0, waited = 0;
  std::size_t tiles = 0;
  for (const Pending& p : pending_) {
    losses.push_back(p.loss.total);
    seconds += p.seconds;
    waited += p.waited;
    tiles += p.ids.size();
  }
  const at::Tensor values = at::stack(losses).to(c10::kDouble).cpu();
  const double tiles_per_s = seconds > 0 ? static_cast<double>(tiles) / seconds : 0;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    Pending& p = pending_[i];
    const double loss = values.const_data_ptr<double>()[i];
    MetricsLog::Values line{{"epoch", static_cast<double>(p.epoch)},
                            {"loss", loss},
                            {"lr", p.lr},
                            {"tiles_per_s", tiles_per_s},
                            {"waited", seconds > 0 ? waited / seconds : 0}};
    if (std::exchange(first_line_, false) && first_of_process()) line.emplace_back("start_s", seconds_since_start());
    line.insert(line.end(), p.told.begin(), p.told.end());
    if (metrics_ != nullptr) metrics_->write(p.step, line);
    if (watch_ != nullptr) watch_->step(p.step, p.digest, loss);
    loss_sum_ += loss;
    if (!std::isfinite(loss)) {
      bad_ = {p.step, loss, std::move(p.ids), p.loss.parts};
      pending_.clear();
      return false;
    }
  }
  seconds_ += seconds;
  waited_ += waited;
  tiles_ += static_cast<std::int64_t>(tiles);
  const Pending& last = pending_.back();
  char note[160];
  std::snprintf(note, sizeof note, "epoch %lld  loss %.4f  %.1f tiles/s  waited %.1f %%",
                static_cast<long long>(last.epoch + 1), values.const_data_ptr<double>()[pending_.size() - 1],
                this->tiles_per_s(), 100 * waited_share());
  if (metrics_ != nullptr) progress_.update(last.step, note);
  pending_.clear();
  if (std::chrono::duration<double>(clock::now() - flushed_).count() > 2) {  // for whoever watches the file
    if (metrics_ != nullptr) metrics_->flush();
    if (watch_ != nullptr) watch_->flush();
    flushed_ = clock::now();
  }
  return true;
}

}  // namespace nephron::host
