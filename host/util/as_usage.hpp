#pragma once

#include <host/util/usage_error.hpp>

namespace nephron::host {

/// What cannot be had was asked for on the command line: an Error of `work` is a UsageError.
template <class Work>
auto as_usage(const Work& work) {
  try {
    return work();
  } catch (const UsageError&) {
    throw;
  } catch (const Error& e) {
    throw UsageError(e.what(), e.hint());
  }
}

}  // namespace nephron::host
