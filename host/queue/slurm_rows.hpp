#pragma once

#include <host/queue/queue_table.hpp>
#include <host/slurm/slurm_queue.hpp>

namespace nephron::host {

/// Adds the jobs that nephron handed to Slurm, everybody's, and what keeps them from being known.
void add_slurm(QueueTable& table, const SlurmQueue& queue);

}  // namespace nephron::host
