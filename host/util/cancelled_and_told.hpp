#pragma once

#include <nephron/error.hpp>

namespace nephron::host {

/// Cancelled, where it was said that work stops and what of it stays: the program ends without another word.
class CancelledAndTold final : public Cancelled {};

}  // namespace nephron::host
