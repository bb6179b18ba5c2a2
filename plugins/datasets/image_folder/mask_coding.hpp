#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include <nephron/parameter_check.hpp>
#include <nephron/value.hpp>

namespace image_folder {

/// How the pixels of a mask file say their class.
struct MaskCoding {
  /// One code of one class: a grey value, or a colour (three numbers).
  struct Code {
    std::string class_name;
    std::vector<int> code;
  };
  enum class By { nonzero, values, colours } by = By::nonzero;
  std::vector<Code> codes;    ///< of values and colours
  std::string nonzero_class;  ///< "": the first class
  int tolerance = 0;          ///< largest difference in any channel that still counts as equal
  bool ignore_unknown = false;
  std::vector<std::string> ignored;  ///< names in `codes` whose pixels are not annotated

  /// From a table such as { healthy = 1, unhealthy = [2, 3] } or { healthy = [255, 0, 0] } (also a list of colours).
  /// Throws nephron::Error that shows what was expected.
  static std::vector<Code> parse(const nephron::Value& table, By by);

  /// Throws nephron::Error when a class that is named is not one of `classes`, and when an ignored one has no code.
  void check_classes(const std::vector<std::string>& classes) const;
  /// The same, with a fault for each.
  void check_classes(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const;
  /// Classes that no pixel of a mask can have.
  std::vector<std::string> classes_without_code(const std::vector<std::string>& classes) const;
  struct Labels {
    cv::Mat bits;     ///< one channel with one bit a class: 8, 16 or 32 bits wide
    cv::Mat ignored;  ///< 255 where a pixel is ignored; empty: none is
  };
  /// `mask`: as stored, colours as RGB. Throws nephron::Error for a pixel that has no class and is not background (0),
  /// unless ignore_unknown.
  Labels labels(const cv::Mat& mask, const std::vector<std::string>& classes) const;
};

}  // namespace image_folder
