#pragma once

namespace nephron::host {

/// The commit that this program was built from, with "-dirty" when files were changed; "unknown" outside a repository.
const char* built_from();

}  // namespace nephron::host
