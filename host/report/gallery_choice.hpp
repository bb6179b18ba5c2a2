#pragma once

#include <string>
#include <vector>

#include <host/report/validation_record.hpp>

namespace nephron::host {

/// An object that is shown, with the one of the other side that it has most in common with.
struct ChosenObject {
  const ValidatedObject* object = nullptr;
  const ValidatedObject* other = nullptr;  ///< null: it touches none
};

/// A row of the gallery.
struct GalleryRow {
  std::string title, what;
  std::vector<ChosenObject> objects;
  std::size_t all = 0;  ///< that could be shown
};

/// At most `most` objects a row: found where nothing is (the most confident first), missed (the largest first), taken
/// for another class, matched worst and best (by IoU). Rows without an object are left out. The record outlives it.
std::vector<GalleryRow> gallery_rows(const ValidationRecord& record, std::size_t most);

}  // namespace nephron::host
