#pragma once

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

/// Adds augmentations whose functions of pixels() move labels: well, and not so well.
void add_label_fixture(Fixture& to);

}  // namespace nephron::conformance
