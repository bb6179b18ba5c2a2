#pragma once

#include <nephron/error.hpp>

namespace nephron::host {

/// A command line that asks for what cannot be. It is told as every Error is; the program then ends with Exit::usage.
class UsageError final : public Error {
 public:
  using Error::Error;
};

}  // namespace nephron::host
