#pragma once

#include <cstdint>

#include <host/feed/batch.hpp>
#include <host/replay/fast_digest.hpp>
#include <host/replay/step_digests.hpp>
#include <host/train/batch_tensors.hpp>
#include <host/weights/tensors.hpp>

namespace nephron::host {

/// Of each tensor's bytes as they lie in memory. Those on a CUDA device stay there: the digest is the sum over their
/// words, each times a number that its place gives, modulo 2^64. Changes of a few words, or of all by rounding, cancel
/// there by chance alone, as one in 2^64; a digest of one kind tells nothing of one of the other.
TensorDigests digests_of(const TensorMap& tensors);

/// Adds what a batch is made of: pixels, targets, weights, ignored pixels, or the programs that a device makes them by.
void add_batch(FastDigest& to, const RawBatch& batch);
/// Adds what the network is given, where that lies on the CPU: for batches whose samples were mixed.
void add_tensors(FastDigest& to, const BatchTensors& batch);

/// What this process's steps depend on besides the experiment and the data.
DigestSession digest_session(c10::Device device, int ranks = 1);

}  // namespace nephron::host
