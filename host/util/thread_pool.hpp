#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <nephron/context.hpp>

namespace nephron::host {

/// The process's pool for short parallel loops: hardware_concurrency() threads, made at first use.
ThreadPool& thread_pool();

}  // namespace nephron::host
