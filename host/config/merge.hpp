#pragma once

#include <vector>

#include <nephron/schema.hpp>

namespace nephron::host {

/// Lays `over` upon `base`: tables are merged key by key, everything else is replaced. Two rules besides:
/// - a component whose `type` changes is replaced as a whole: the keys of one component mean nothing to another;
/// - a table laid upon an array patches its entries: its keys are their `name`, their `type` or their number from 0.
/// `fields` tell which tables are components. Adds a fault for a patch of an entry that is not there.
void merge(Value& base, const Value& over, const std::vector<FieldInfo>& fields, Diagnostics& faults);

}  // namespace nephron::host
