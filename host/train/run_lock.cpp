#include <host/train/run_lock.hpp>

#include <nephron/error.hpp>

namespace nephron::host {

RunLock::RunLock(const std::filesystem::path& run) : lock_(run) {
  if (const auto& who = lock_.other_holder())
    throw Error("another process is training " + run.string() + (who->empty() ? "" : ": " + *who),
                "Wait for it, or stop it first.");
}

}  // namespace nephron::host
