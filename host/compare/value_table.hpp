#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <host/compare/measured_run.hpp>

namespace nephron::host {

/// One value of one class, or as mean over the classes, in every run, by slide and by donor. Only what every run has
/// counts.
struct ValueTable {
  std::string value, of_class;  ///< of_class "": mean over the classes
  std::vector<SlideKey> slides;
  std::vector<std::string> donors;
  std::vector<std::size_t> donor_of;          ///< a slide
  std::vector<bool> donor_known;              ///< a donor: else it is a slide without one
  std::vector<std::vector<double>> by_slide;  ///< [run][slide]
  std::vector<std::vector<double>> by_donor;  ///< [run][donor]: mean of its slides
  std::vector<std::string> left_out;          ///< "slide, class": defined in some runs, and not in others
  std::size_t asked = 0;                      ///< values of slides and classes that a run may have
  std::size_t undefined = 0;                  ///< of these, in no run
};

ValueTable value_table(const std::vector<MeasuredRun>& runs, const std::vector<SlideKey>& slides,
                       const std::string& value, const std::string& of_class);

/// Values that every run has and that were measured alike, the named one first.
std::vector<std::string> common_values(const std::vector<MeasuredRun>& runs, const std::string& first);

}  // namespace nephron::host
