#pragma once

#include <exception>
#include <string>

namespace nephron::host {

/// The same error, which says of which sample it is; Cancelled stays as it is.
std::exception_ptr with_sample(const std::exception_ptr& error, const std::string& sample);

}  // namespace nephron::host
