#include <host/train/run_lock.hpp>

#include <thread>

#include <nephron/error.hpp>

#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

using Clock = std::chrono::steady_clock;
using Beside = FolderLock::Beside;

FolderLock taken(const std::filesystem::path& folder, Beside beside, Clock::time_point until) {
  for (bool told = false;; told = true) {
    FolderLock lock(folder, beside);
    const auto& who = lock.other_holder();
    if (!who) return lock;
    const std::string text = "another process is training " + folder.string() + (who->empty() ? "" : ": " + *who);
    if (Clock::now() >= until) throw Error(text, "Wait for it, or stop it first.");
    if (interrupted()) throw Cancelled();
    if (!told) log().info(text + "; waiting for it");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run, const std::filesystem::path& fold, std::chrono::seconds patience)
    : lock_(taken(run, fold.empty() ? Beside::nobody : Beside::others, Clock::now() + patience)) {
  if (!fold.empty()) fold_.emplace(taken(fold, Beside::nobody, Clock::now() + patience));
}

}  // namespace nephron::host
