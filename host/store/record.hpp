#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>
#include <nephron/slide_colours.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// A file as it was when something was made from it.
struct FileStamp {
  std::filesystem::path path;  ///< absolute, without links; empty: no file, pixels were made
  std::int64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::string content;             ///< of its content; empty: of a folder, or not known
  std::filesystem::path relative;  ///< to the store, with which it may move; empty: not known
  /// Size and time are equal, and so is the place, or the place beside the store; the content is not looked at.
  bool looks_like(const FileStamp& other) const {
    return bytes == other.bytes && mtime_ns == other.mtime_ns &&
           (path == other.path || (!relative.empty() && relative == other.relative));
  }
};

/// Of a file or, for formats that keep their pixels in one, a folder's own entry; without its hash. Throws Error.
FileStamp stamp_of(const std::filesystem::path& file, const std::filesystem::path& store);

/// The version of the store's files: what is of another one is prepared again.
constexpr int store_format = 2;

/// picture-R.json: what is known of the pixels of a slide at one reduction.
struct PictureRecord {
  std::string tool;
  std::string reader;  ///< what gave the pixels: kind, component, plugin version: "reader tiff 1.0.0"
  FileStamp source;
  Size size;       ///< level 0
  double mpp = 0;  ///< at level 0, as the file says; 0: it does not
  Reduction reduction;
  std::int64_t bytes = 0;     ///< of the picture's TIFF
  std::int64_t mtime_ns = 0;  ///< of it, once it was whole; 0: not known
  std::string digest;         ///< of its size and pixels
  int tissue_block = 1;       ///< pixels of the level that a pixel of tissue-R.png stands for
  int tissue_threshold = 0;
  std::int64_t tissue = 0;                   ///< pixels of the level
  std::string tissue_digest = {};            ///< SHA-256 of tissue-R.png; the first records of this version have none
  bool measured = false;                     ///< the colours; the first records of this version have none
  std::optional<SlideColours> colours = {};  ///< nothing where there is too little tissue

  std::string to_json() const;
  /// Throws Error that names the file and what is wrong with it.
  static PictureRecord read(const std::filesystem::path& file);
  /// `name`: what errors call the text.
  static PictureRecord parse(const std::string& text, const std::filesystem::path& name);
};

/// labels-R.json: what is known of the labels of a slide of an experiment at one reduction.
struct LabelsRecord {
  std::string tool;
  std::string plugin;   ///< component and plugin version that gave the annotation
  std::string dataset;  ///< its name in the experiment that was prepared first
  std::string slide;    ///< id
  std::string picture;  ///< the folder in pictures/ that they belong to
  std::vector<std::string> classes;
  bool annotated = false;
  std::vector<FileStamp> annotations;
  Size size;  ///< level 0
  Reduction reduction;
  std::vector<int> soft;                 ///< classes with a probability map
  std::int64_t bytes = 0;                ///< of the labels' TIFF; 0 when not annotated
  std::int64_t mtime_ns = 0;             ///< of it, once it was whole; 0: not known
  std::string digest;                    ///< of size, bits and probabilities; empty when not annotated
  std::vector<std::int64_t> foreground;  ///< pixels a class
  std::optional<std::int64_t> ignored;   ///< pixels; nothing where the annotation ignores none

  std::string to_json() const;
  static LabelsRecord read(const std::filesystem::path& file);
  static LabelsRecord parse(const std::string& text, const std::filesystem::path& name);
};

/// Whether a text is a slide.json of a store of version 1, which is prepared again.
bool is_record_of_version_1(const std::string& text);

}  // namespace nephron::host
