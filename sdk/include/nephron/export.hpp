#pragma once

/// Marks what the SDK libraries export; everything else is hidden.
#define NEPHRON_API __attribute__((visibility("default")))
