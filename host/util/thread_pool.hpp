#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <nephron/context.hpp>

namespace nephron::host {

/// The process's pool for short parallel loops: hardware_concurrency() threads, made at first use.
ThreadPool& thread_pool();
/// A pool of its own: that many threads work on a loop, the caller among them.
std::unique_ptr<ThreadPool> make_thread_pool(std::size_t threads);

}  // namespace nephron::host
