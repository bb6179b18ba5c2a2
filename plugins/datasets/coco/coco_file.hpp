#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/rle.hpp>

namespace coco {

/// What one annotation covers: polygons, or runs down the columns of its picture.
struct Area {
  std::string place;  ///< "FILE: annotation 3 (id 17)", for errors
  std::string category;
  std::vector<nephron::Polygon> polygons;
  nephron::Runs runs;
  bool crowd = false;
};

/// One entry of "images", with its annotations.
struct Entry {
  std::string place;      ///< "FILE: image 3 (id 7)", for errors
  std::string slide;      ///< file_name without its ending, folders joined by "_"
  std::string file_name;  ///< below the folder of pictures; empty when the entry has none that is safe
  std::string donor;
  nephron::Size size;
  std::vector<Area> areas;
  std::string fault;  ///< the first thing that is wrong with the entry or its annotations; it costs this slide alone
};

/// Reads a COCO file of instances. What is wrong with one image or its annotations is told in its entry; throws
/// nephron::Error that names the file and the place for what belongs to no image or makes images ambiguous.
/// `donor_key`: what an entry calls its donor; may be empty.
std::vector<Entry> read_entries(const std::filesystem::path& file, const std::string& donor_key);

}  // namespace coco
