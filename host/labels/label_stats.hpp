#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <host/labels/label_set.hpp>

namespace nephron::host {

/// What one class has in one file, or in several.
struct ClassStats {
  std::string name;
  std::vector<std::int64_t> objects;  ///< the pixels of each, ascending
  std::int64_t area = 0;              ///< pixels that have the class; objects may overlap
  std::int64_t slide_pixels = 0;      ///< of the files that know the class; 0: of one of them it is not known
  double square_microns = 0;          ///< 0: the size of a pixel is not known
  std::size_t runs = 0;
  Region box;  ///< of one file

  /// Of the pixels of an object, where there is one; of an even number of them the mean of the two in the middle.
  double median() const;
};

/// By class, in the order of the labels' bits. `mpp`: microns per pixel, 0 when unknown.
std::vector<ClassStats> stats_of(const LabelSet& labels, double mpp);

/// Adds a file's classes to those of the files before it, by name.
void add_stats(std::vector<ClassStats>& total, const std::vector<ClassStats>& file);

nlohmann::ordered_json json_of(const ClassStats& stats);

}  // namespace nephron::host
