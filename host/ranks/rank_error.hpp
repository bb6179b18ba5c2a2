#pragma once

#include <nephron/error.hpp>

namespace nephron::host {

/// Another rank is gone, or ended with an error: this one cannot go on either.
class RankError final : public Error {
 public:
  using Error::Error;
};

}  // namespace nephron::host
