#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <host/registry/fact.hpp>
#include <host/runs/status.hpp>

namespace nephron::host {

/// The files of a run that facts are read from, by what they are about: each is read again when it has changed.
enum class FactSource { experiment, environment, results, slides, validation, labels };
inline constexpr std::array fact_sources = {FactSource::experiment, FactSource::environment, FactSource::results,
                                            FactSource::slides,     FactSource::validation,  FactSource::labels};

/// What a run used, for "which runs used this?".
struct Use {
  enum class Kind { plugin, slide, weights, commit };
  Kind kind;
  std::string value;  ///< a name, a path, a digest
  std::string how;    ///< "trained on, folds 0, 1", "held out", "of nephron"
};

/// Facts of one source of a run. What is damaged is left out and told in `problem`, one line; the rest is still there.
struct SourceFacts {
  Facts facts;
  std::vector<Use> uses;
  std::string problem;
};

/// Reads a run's folder and nothing else of it; changes nothing.
class RunReader {
 public:
  explicit RunReader(std::filesystem::path run);

  /// Something that differs when one of the source's files has changed; "" where it has none.
  std::string stamp(FactSource source) const;
  SourceFacts read(FactSource source) const;
  /// What the run is at now, with its error where it failed, and what to do where that was written down. Asks for the
  /// lock without taking it.
  struct State {
    RunStatus status = RunStatus::unknown;
    std::string error, hint;
    bool may_change = false;  ///< though no file of it does: Slurm has its job still
  };
  State state() const;

 private:
  std::vector<std::filesystem::path> files(FactSource source) const;
  SourceFacts experiment() const;
  SourceFacts environment() const;
  SourceFacts results() const;
  SourceFacts slides() const;
  SourceFacts validation() const;
  SourceFacts labels() const;

  std::filesystem::path run_;
  std::vector<int> folds_;  ///< that have a folder
};

}  // namespace nephron::host
