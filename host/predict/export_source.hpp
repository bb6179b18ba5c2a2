#pragma once

#include <cstdint>
#include <memory>

#include <nephron/image.hpp>

#include <host/data/listing.hpp>
#include <host/data/prepared.hpp>
#include <host/predict/truth.hpp>

namespace nephron::host {

/// A slide that is exported from top to bottom, reduced. It has one reader at a time.
class ExportSource {
 public:
  struct Rows {
    Image picture;
    TruthFolder::Masks masks;  ///< of an annotated one
  };
  virtual ~ExportSource() = default;
  virtual Size size() const = 0;
  virtual bool annotated() const = 0;
  virtual bool ignores() const = 0;  ///< its annotation ignores pixels
  virtual Rows rows(std::int64_t y, std::int64_t height) const = 0;
};

/// From the slide's file: bands of it are read as they are asked for, and no more is held.
std::unique_ptr<ExportSource> source_of_file(const Listing& listing, const Listing::Entry& entry);

/// From a store.
std::unique_ptr<ExportSource> source_of_prepared(std::shared_ptr<const PreparedSlide> slide, std::size_t classes);

}  // namespace nephron::host
