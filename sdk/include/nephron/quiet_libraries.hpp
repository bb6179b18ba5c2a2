#pragma once

#include <string>

#include <nephron/export.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// While it lives, what C libraries print on the standard error in this thread (libpng, libjpeg, libtiff do when a file
/// is damaged, without naming it) is kept here in place of the terminal. Other threads and std::cerr are as ever. They
/// nest; the innermost keeps the text.
class NEPHRON_API QuietLibraries {
 public:
  QuietLibraries();
  ~QuietLibraries();
  QuietLibraries(const QuietLibraries&) = delete;
  QuietLibraries& operator=(const QuietLibraries&) = delete;

  /// What was said so far; at most some kilobytes of it.
  const std::string& said() const noexcept { return said_; }
  /// Whether a decoder said that the picture is damaged, though it may have given pixels.
  bool said_damaged() const;

 private:
  static long take(void*, const char* text, unsigned long size);

  std::string said_;
  QuietLibraries* outer_;
  Room room_;
};

}  // namespace nephron
