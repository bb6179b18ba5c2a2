#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

namespace nephron::host {

/// A file as it was when something was made from it.
struct FileStamp {
  std::filesystem::path path;  ///< absolute, without links; empty: no file, pixels were made
  std::int64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::string sha256;              ///< of its content; empty: of a folder, or not known
  std::filesystem::path relative;  ///< to the store, with which it may move; empty: not known
  /// Size and time are equal, and so is the place, or the place beside the store; the content is not looked at.
  bool looks_like(const FileStamp& other) const {
    return bytes == other.bytes && mtime_ns == other.mtime_ns &&
           (path == other.path || (!relative.empty() && relative == other.relative));
  }
};

/// Of a file or, for formats that keep their pixels in one, a folder's own entry; without its hash. Throws Error.
FileStamp stamp_of(const std::filesystem::path& file, const std::filesystem::path& store);

/// The version of the store's files: a slide of another one is prepared again.
constexpr int store_format = 1;

/// slide.json: what is known of the pixels of a prepared slide.
struct PictureRecord {
  std::string tool;
  std::string dataset;  ///< its name in the experiment
  std::string slide;    ///< id
  FileStamp source;
  Size size;  ///< level 0
  double mpp = 0;
  std::vector<int> factors;  ///< ascending
  std::int64_t bytes = 0;    ///< of picture.tiff
  std::string digest;        ///< of its tiles
  int tissue_block = 1;      ///< pixels of the last factor's level that a pixel of tissue.png stands for
  int tissue_threshold = 0;
  std::map<int, std::int64_t> tissue;  ///< by factor: pixels of tissue

  std::string to_json() const;
  /// Throws Error that names the file and what is wrong with it.
  static PictureRecord read(const std::filesystem::path& file);
  /// `name`: what errors call the text.
  static PictureRecord parse(const std::string& text, const std::filesystem::path& name);
};

/// labels-KEY.json: what is known of its labels for one list of classes.
struct LabelsRecord {
  std::string tool;
  std::string plugin;  ///< component and plugin version that gave the annotation
  std::vector<std::string> classes;
  bool annotated = false;
  std::vector<FileStamp> annotations;
  Size size;
  std::vector<int> factors;
  std::vector<int> soft;   ///< classes with a probability map
  std::int64_t bytes = 0;  ///< of the labels' TIFF; 0 when not annotated
  std::string digest;
  std::map<int, std::vector<std::int64_t>> foreground;  ///< by factor: pixels a class

  std::string to_json() const;
  static LabelsRecord read(const std::filesystem::path& file);
};

}  // namespace nephron::host
