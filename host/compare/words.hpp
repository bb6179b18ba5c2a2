#pragma once

#include <string>
#include <vector>

#include <host/compare/comparison.hpp>

namespace nephron::host {

// Figures and sentences that the terminal, the page and LaTeX share.

/// "0.9012"; "-" for what is no number.
std::string figure(double value);
std::string signed_figure(double value);               ///< "+0.0089"
std::string interval_words(const Interval& interval);  ///< "+0.0012 to +0.0160", "unbounded"
std::string p_words(double p);                         ///< "0.027", "<0.001"
std::string percent(double share);                     ///< "82 %"

/// "better", "equivalent within 0.01", "better, by less than 0.01".
std::string verdict_words(const Finding& finding, const Comparison& comparison);
/// "Dice" for "dice": as a heading.
std::string value_title(const std::string& value);
/// "30 slides of 12 donors, mean over 2 classes, folds 0 and 1, best weights, threshold 0.5".
std::string measured_words(const Comparison& comparison);
/// How p and interval came about.
std::string method_words(const Comparison& comparison);
/// What the share of first places is.
std::string first_words();
/// "not comparable (slides, predict.tta)" where --anyway overruled objections; else "".
std::string anyway_words(const Comparison& comparison);
/// Where the difference comes from that power is told of.
std::string effect_words(bool stated);
/// "16", "over 1000", "not known".
std::string needed_words(const std::optional<int>& needed, bool known);
/// What is known of the cost's circumstances.
std::string cost_words(const Comparison& comparison);
/// Seconds of training that each 0.01 of difference took; "" where there is none.
std::string cost_per_point(const Comparison& comparison, const Finding& finding);
/// Mean seconds of a side's runs, where all say them.
std::optional<double> seconds_of(const Comparison& comparison, const Side& side);
/// As `nephron view RUN` prints an address, this goes behind it.
std::string view_fragment(const ChangedObject& object, const MeasuredRun& run);
std::string text_of(ObjectFate fate);
/// A mean count: "12", "12.3".
std::string count_words(double count);
/// "3, 1, 2": false objects that are kept, new, gone; "" where sides are several runs.
std::string false_words(const ObjectComparison& objects);

}  // namespace nephron::host
