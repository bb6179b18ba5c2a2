#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/metrics/measure_tables.hpp>

namespace nephron::host {

/// A measured slide, with what a threshold search needs of it.
struct KeptSlide {
  SlideRow row;
  std::vector<std::vector<double>> curves;  ///< a class each; empty: not known of it, or not asked for
};

/// Names of the metrics whose measurements cannot be kept (KeptMeasurement). Slides measured by one of them are not
/// written, and are measured anew by a command that goes on.
std::vector<std::string> metrics_that_cannot_be_kept(const MetricSet& metrics);

/// Writes a measured slide, so that it needs not be predicted again. `key`: all that its values depend on besides its
/// pixels. Every metric's measurements can be kept.
void write_measures(const std::filesystem::path& file, const std::string& key, const KeptSlide& slide,
                    const MetricSet& metrics);

/// Such a slide, equal to the last bit. Nothing where there is no file, or one of another key; and, said in the log,
/// where it is damaged: the slide is measured anew then.
std::optional<KeptSlide> read_measures(const std::filesystem::path& file, const std::string& key,
                                       const MetricSet& metrics);

}  // namespace nephron::host
