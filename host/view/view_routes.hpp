#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/labels/grey_map.hpp>
#include <host/view/annotation_file.hpp>
#include <host/view/bounded_cache.hpp>
#include <host/view/collected.hpp>
#include <host/view/http_server.hpp>
#include <host/view/object_set.hpp>
#include <host/view/slide_picture.hpp>

namespace nephron::host {

/// Answers what the page asks for. A client names slides, layers, classes and tiles by number; which file is read is
/// decided here alone. Thread-safe.
///
///   GET  "", page files            the page
///   GET  session                   slides, layers, classes
///   GET  slides/S                  size, microns per pixel, layers with their maps
///   GET  tiles/S/DEPTH/X/Y         JPEG
///   GET  maps/S/LAYER/MAP/DEPTH/X/Y  grey PNG, 255 is probability 1
///   GET  objects/S/LAYER           objects with confidence and overlap
///   GET  drawing/S, PUT drawing/S  what is drawn by hand
class ViewRoutes {
 public:
  struct Limits {
    std::size_t tiles = std::size_t{64} << 20;     ///< bytes of encoded tiles
    std::size_t pictures = std::size_t{1} << 30;   ///< of open slides and their overviews
    std::size_t maps = std::size_t{512} << 20;     ///< of maps that are held
    std::size_t objects = std::size_t{512} << 20;  ///< of objects
    std::size_t working = 0;                       ///< tiles made at a time; 0: the cores
  };
  /// `mpp`: of slides that do not say it.
  ViewRoutes(Collected collected, std::filesystem::path drawings, double mpp, Limits limits);

  HttpReply answer(const HttpRequest& request);
  const Collected& collected() const noexcept { return collected_; }

 private:
  HttpReply page(const std::string& name) const;
  HttpReply session() const;
  HttpReply slide(std::size_t s, const Stop& stop);
  HttpReply tile(std::size_t s, const std::vector<std::int64_t>& place, const Stop& stop);
  HttpReply map_tile(std::size_t s, const std::vector<std::int64_t>& numbers, const Stop& stop);
  HttpReply objects(std::size_t s, std::size_t layer, const Stop& stop);
  HttpReply drawing(std::size_t s, const Stop& stop);
  HttpReply save_drawing(std::size_t s, const HttpRequest& request);

  std::shared_ptr<const SlidePicture> picture(std::size_t s, const Stop& stop);
  std::shared_ptr<const GreyMap> map(const std::filesystem::path& file, const Stop& stop);
  std::shared_ptr<const ObjectSet> set_of(std::size_t s, std::size_t layer, const Stop& stop);
  /// The truth of a slide where it is known and readable.
  std::shared_ptr<const ObjectSet> truth_of(std::size_t s, const Stop& stop);
  /// From pixels of the picture to those that drawings are saved in.
  double drawing_scale(std::size_t s, const Stop& stop);

  Collected collected_;
  AnnotationFolder drawings_;
  double mpp_;
  WorkSlots working_, tracing_;
  BoundedCache<SlidePicture> pictures_;
  BoundedCache<std::string> tiles_;
  BoundedCache<GreyMap> maps_;
  BoundedCache<ObjectSet> objects_;
};

}  // namespace nephron::host
