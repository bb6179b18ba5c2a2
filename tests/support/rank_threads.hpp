#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <host/ranks/ranks.hpp>
#include <tests/support/free_port.hpp>

namespace nephron::host {

/// Ranks in threads of this process: each one's work in a thread of its own.
inline void run_ranks(int count, const std::function<void(const Ranks&)>& work) {
  const std::uint16_t port = free_port();
  std::vector<std::thread> threads;
  for (int r = 0; r < count; ++r)
    threads.emplace_back([&, r] {
      RankPlace place;
      place.rank = r;
      place.count = count;
      place.address = "127.0.0.1";
      place.port = port;
      try {
        Ranks ranks(place, c10::kCPU);
        work(ranks);
        ranks.leave();
      } catch (const std::exception& e) {
        ADD_FAILURE() << e.what();
      }
    });
  for (std::thread& t : threads) t.join();
}

}  // namespace nephron::host
