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
std::string percent(double share);  ///< "82 %"; "> 99 %" and "< 1 %" of what is not all and not nothing

/// "better", "equivalent within 0.01", "better, by less than 0.01".
std::string verdict_words(const Finding& finding, const Comparison& comparison);
/// "Dice" for "dice": as a heading.
std::string value_title(const std::string& value);
/// "30 slides of 12 donors, mean over 2 classes, folds 0 and 1, best weights, threshold 0.5".
std::string measured_words(const Comparison& comparison);
/// What pooled figures are.
std::string pooled_words(const Comparison& comparison);
/// How p and interval came about.
std::string method_words(const Comparison& comparison);
/// What the share of first places is.
std::string first_words(const Comparison& comparison);
/// ", for these weights alone" where sides are several seeds, of whose spread some figures know nothing; else "".
std::string weights_words(const Comparison& comparison);
/// "not comparable (slides, predict.tta)" where --anyway overruled objections; else "".
std::string anyway_words(const Comparison& comparison);
/// Where the difference comes from that power is told of.
std::string effect_words(const Comparison& comparison, bool stated);
/// Why power falls where donors come, if it does; else "".
std::string dip_words(const Comparison& comparison);
/// "16", "over 1000", "not known".
std::string needed_words(const std::optional<int>& needed, bool known);
/// "(now 3)", "(now 1 and 2)": seeds of both sides; "" where the sides that are told of differ.
std::string seeds_now_words(const Comparison& comparison);
/// What is known of the cost's circumstances.
std::string cost_words(const Comparison& comparison);
/// Mean of what a side's runs took, where all say it.
std::optional<double> mean_cost(const Comparison& comparison, const Side& side, std::optional<double> RunCost::*what);
/// What each 0.01 of difference took more; nothing where there is none, or it is not known.
std::optional<double> cost_per_point(const Comparison& comparison, const Finding& finding,
                                     std::optional<double> RunCost::*what);
/// What a run's training took, a cell each: what none of the runs has is left out.
struct CostColumn {
  std::string title;
  std::vector<std::string> cells;  ///< a run each
};
std::vector<CostColumn> cost_columns(const Comparison& comparison);
/// As `nephron view RUN` prints an address, this goes behind it.
std::string view_fragment(const ChangedObject& object, const MeasuredRun& run);
std::string text_of(ObjectFate fate);
/// A mean count: "12", "12.3".
std::string count_words(double count);
/// "3, 1, 2": false objects that are kept, new, gone; "" where sides are several runs.
std::string false_words(const ObjectDifferences& objects);

}  // namespace nephron::host
