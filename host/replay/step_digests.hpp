#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nephron::host {

// What the steps of a fold leave, RUN/fold-K/digests.jsonl, one JSON object a line:
//
//   {"session": {...}, "after": STEP}            of each process: what its steps depend on besides the experiment
//   {"names": [...]}                             of tensors, before the first line that has some
//   {"step": N, "batch": HEX, "loss": HEX}       digest of the batch, the bits of the loss as a double
//   {"step": N, "tensors": HEX}                  16 digits for each of the names, after step N (0: before the first)

/// Tensors of a network and its optimiser, each by its name and the digest of its bytes.
using TensorDigests = std::vector<std::pair<std::string, std::uint64_t>>;

/// Steps after which each tensor leaves a digest.
inline constexpr std::int64_t digest_every = 50;

/// What the bits of a process's steps depend on besides the experiment and the data.
struct DigestSession {
  std::string device;     ///< "cpu", "cuda:0"
  std::string processor;  ///< its model, and the instructions that LibTorch takes of it
  int threads = 0;        ///< of LibTorch
  std::string torch;      ///< LibTorch build
  std::string program;    ///< SHA-256 of the program
  int ranks = 1;          ///< processes that trained it together; the digests are of the first one's share of a batch
  bool operator==(const DigestSession&) const = default;
};

/// Who is told of steps as they are done. May throw to end the training.
class StepWatch {
 public:
  virtual ~StepWatch() = default;
  /// In the order of steps.
  virtual void step(std::int64_t step, std::uint64_t batch, double loss) = 0;
  virtual void tensors(std::int64_t step, const TensorDigests& digests) = 0;
  virtual void flush() {}
};

/// Writes them. One thread at a time.
class DigestLog : public StepWatch {
 public:
  /// `resumed_at`: as of MetricsLog: lines of later steps are dropped, because these are done again.
  DigestLog(const std::filesystem::path& fold, std::int64_t resumed_at, const DigestSession& session);
  void step(std::int64_t step, std::uint64_t batch, double loss) override;
  void tensors(std::int64_t step, const TensorDigests& digests) override;
  void flush() override;

 private:
  std::filesystem::path file_;
  std::ofstream lines_;
  std::vector<std::string> names_;  ///< as they were written last
};

inline constexpr const char* digests_name = "digests.jsonl";

struct StepDigest {
  std::uint64_t batch = 0;
  double loss = 0;
};

/// What a fold's steps left.
struct DigestRecord {
  std::map<std::int64_t, DigestSession> sessions;  ///< by the step that each began after
  std::map<std::int64_t, StepDigest> steps;
  std::map<std::int64_t, TensorDigests> tensors;
  /// The process that did a step.
  const DigestSession& session_of(std::int64_t step) const;
};

/// A torn last line is left out. Throws Error "FILE:LINE: ..." for anything else that DigestLog does not write, and for
/// a file that has no session.
DigestRecord read_digests(const std::filesystem::path& file);

}  // namespace nephron::host
