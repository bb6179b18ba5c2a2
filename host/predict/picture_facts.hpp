#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nephron/geometry.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// A picture as a prediction saw it, at the level that the model works on.
struct SeenPicture {
  Reduction reduction;
  std::string digest;  ///< of its pixels there, as prepared slides have it
};

/// pictures/ID.json of a prediction: what is kept of a picture besides its maps.
struct PictureFacts {
  Size size;
  double mpp = 0;  ///< microns per pixel; 0: not known
  std::string fingerprint;
  SeenPicture seen;
  std::string origin;  ///< JSON (prediction_origin.hpp)
};

void write_picture_facts(const std::filesystem::path& file, const PictureFacts& facts);
/// Nothing where the file is not there, or an earlier version wrote it. Throws Error that names a damaged one.
std::optional<SeenPicture> read_seen(const std::filesystem::path& file);
/// Its origin; empty where an earlier version wrote none.
std::string read_origin(const std::filesystem::path& file);
/// Its microns per pixel; 0 where they are not known.
double read_mpp(const std::filesystem::path& file);

}  // namespace nephron::host
