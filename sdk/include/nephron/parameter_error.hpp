#pragma once

#include <nephron/error.hpp>

namespace nephron {

/// An Error that concerns what a component was asked for, not the file or the sample at hand: a class that the
/// experiment has not, a name in annotations that no parameter gives a class. The host stops, where another Error of a
/// dataset costs its slide alone.
class NEPHRON_API ParameterError final : public Error {
 public:
  using Error::Error;
  ~ParameterError() override;
};

}  // namespace nephron
