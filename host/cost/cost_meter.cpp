#include <host/cost/cost_meter.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <unistd.h>

#include <host/runs/here_and_now.hpp>
#include <host/runs/process.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

constexpr std::chrono::seconds between_looks{10};
constexpr int looks_a_write = 3;

double clock_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

CostMeter::CostMeter(std::vector<std::string> devices, int holders, int ranks)
    : devices_(std::move(devices)),
      holders_(std::max(1, holders)),
      account_(time_text(), static_cast<int>(devices_.size()), ranks) {
  look();
}

CostMeter::~CostMeter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard hold(mutex_);
    ends_ = true;
  }
  ending_.notify_all();
  thread_.join();
  look();
  write();
}

void CostMeter::keep_in(const std::filesystem::path& run) {
  if (!run_.empty()) return;
  run_ = run;
  try {
    before_ = sessions_in(run);
  } catch (const std::exception& e) {
    log().warning(std::string(e.what()) + ": what earlier sessions took of the machine is not known any more");
  }
  if (!devices_.empty())
    if (const auto places = places_on_bus(devices_)) device_watch_ = nvml_watch(*places);
  look();
  account_.hold_devices();
  look();
  write();  // so that a session that is killed at once is there
  thread_ = std::thread([this] { watch(); });
}

void CostMeter::watch() {
  std::unique_lock hold(mutex_);
  for (int n = 1; !ending_.wait_for(hold, between_looks, [this] { return ends_; }); ++n) {
    look();
    if (n % looks_a_write == 0) write();
  }
}

void CostMeter::look() try {
  const ProcessTable processes = ProcessTable::now();
  CostReading now{clock_s(), processes.use_of(::getpid()).value_or(ProcessUse{}), machine_time(), {}};
  now.ours.memory_mb = std::max(now.ours.memory_mb, peak_rss_mb());
  if (device_watch_ != nullptr)
    now.devices = device_watch_->read(processes.below({::getpid()}), static_cast<std::size_t>(holders_));
  account_.add(now);
} catch (const std::exception& e) {
  log().debug(std::string("the cost of the run is not read: ") + e.what());
}

void CostMeter::write() try {
  std::vector<SessionCost> all = before_;
  all.push_back(account_.cost());
  write_cost(run_, all);
} catch (const std::exception& e) {
  log().debug(std::string("the cost of the run is not written down: ") + e.what());
}

}  // namespace nephron::host
