#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <host/queue/scene.hpp>

namespace nephron::host {

/// What is seen of a user's processes, whatever his tickets say.
struct MeasuredUse {
  std::optional<double> cores;    ///< kept busy since the last look; nothing at the first
  std::vector<std::int64_t> gpu;  ///< bytes of each GPU's memory
};

/// A user's jobs beside what all of his processes do.
struct UserShare {
  std::string user;
  double gpu_seconds = 0, share = 0;    ///< used by tickets, what is a day old counting half; of all users' sum
  int cores_held = 0;                   ///< by jobs that run
  double gpus_held = 0, gpus_used = 0;  ///< whole ones, by memory
  std::optional<double> cores_used;
  std::string beyond;  ///< "2.5 cores, GPU 0": used by more than is held; "" where nothing is
};

/// Of users who have used something, hold something, or use noticeably more than they hold; who used most first.
std::vector<UserShare> shares_of(const Scene& scene, const HostFile& host,
                                 const std::map<std::string, MeasuredUse>& measured);

/// Measures; what cores are kept busy is known from the second call on.
class UseMeter {
 public:
  std::map<std::string, MeasuredUse> now(const HostFile& host);

 private:
  std::map<uid_t, double> cpu_before_;
  std::optional<double> before_;  ///< seconds of a clock that never goes back
};

/// For a terminal, and as JSON.
std::string to_text(const std::vector<UserShare>& shares, const HostFile& host);
std::string to_json(const std::vector<UserShare>& shares);

}  // namespace nephron::host
