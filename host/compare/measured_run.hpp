#pragma once

#include <compare>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nephron/value.hpp>

#include <host/data/fold_slides.hpp>

namespace nephron::host {

/// Which way a value is better; earlier validations did not write it down.
enum class GoodWhen { higher, lower, neither, not_told };

/// A slide, whatever measured it. Slides of two datasets may have one id.
struct SlideKey {
  std::string dataset, slide;
  auto operator<=>(const SlideKey&) const = default;
};

/// A slide that a run was measured on.
struct MeasuredOn {
  std::string donor;  ///< empty: not known, the slide counts as its own
  int fold = -1;
  std::string picture, truth;  ///< digests; empty: not known
  double reduction = 0;        ///< of the level that was measured; 0: not known
  /// [class][value]: what is defined. Class "": of all classes together.
  std::map<std::string, std::map<std::string, double>> values;
};

/// What a metric was.
struct MeasuredBy {
  std::string plugin, version, parameters;
  bool operator==(const MeasuredBy&) const = default;
};

/// A value that was measured: where it comes from and which way is better.
struct ValueFacts {
  std::string metric;
  GoodWhen good_when = GoodWhen::not_told;
};

/// How the slides were predicted and measured.
struct MeasuringFacts {
  std::string checkpoint, precision;
  std::vector<std::string> tta, classes;
  std::vector<int> folds;
  bool exclusive = false, complete = true;
  std::map<std::string, double> thresholds;  ///< a class
  std::string threshold_from;                ///< empty: not recorded
  std::optional<std::string> objects;        ///< how they were made; nothing: not recorded
  std::map<std::string, MeasuredBy> metrics;
  std::map<std::string, std::string> failures;  ///< slide -> why
  std::string weights_since;                    ///< as of a part, below
};

/// A run with what a validation says of it.
struct MeasuredRun {
  /// Another run that trained other folds of the same.
  struct Part {
    std::filesystem::path folder, validation;
    bool complete = true;       ///< the validation was not cut short
    std::string weights_since;  ///< where it is of older weights than the run has now (validation_state.hpp)
  };

  std::string name;                  ///< short; unique among runs that are compared
  std::filesystem::path folder;      ///< of the run
  std::filesystem::path validation;  ///< that is read
  std::vector<Part> more;            ///< those that were joined to it (fold_parts.hpp)
  Value config;                      ///< resolved, with the places where values were written
  bool config_edited = false;        ///< and so without them
  MeasuringFacts facts;
  std::map<std::string, ValueFacts> values;  ///< by name, such as "dice"
  std::map<SlideKey, MeasuredOn> slides;
  std::map<int, FoldSlidesRecord> trained;  ///< of the folds that predicted

  /// Itself, and what was joined to it.
  std::vector<Part> parts() const;
};

/// `path`: a run's folder, the folder of an experiment's runs (the latest is taken), or a folder that `validate --out`
/// wrote. Throws Error for what is not there or damaged, and says which command makes it.
MeasuredRun read_measured_run(const std::filesystem::path& path);

/// Short names that tell the runs apart: of the experiment, and as much of the folder as it takes.
void name_apart(std::vector<MeasuredRun>& runs);

/// A key of the resolved experiment ("predict.overlap") as TOML; nothing where it is not written.
std::optional<std::string> config_text(const MeasuredRun& run, const std::string& key);

}  // namespace nephron::host
