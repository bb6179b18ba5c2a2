#pragma once

#include <memory>

#include <host/feed/feed.hpp>
#include <host/train/fold_job.hpp>

namespace nephron::host {

/// The samples that a fold is trained or validated on; null where it holds out no slide to validate on. Throws Error
/// where it has none to train on.
std::unique_ptr<Feed> make_feed(const FoldJob& job, bool training, const JobServices& services);

}  // namespace nephron::host
