#include "ome.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <pugixml.hpp>

#include <nephron/error.hpp>

#include "microns.hpp"

namespace tiff_reader {

using nephron::Error;

namespace {

/// Names with or without a prefix: "Pixels", "ome:Pixels".
bool named(const pugi::xml_node& node, std::string_view name) {
  const std::string_view full = node.name();
  const std::size_t colon = full.find(':');
  return (colon == std::string_view::npos ? full : full.substr(colon + 1)) == name;
}

int count_of(const pugi::xml_node& pixels, const char* name) { return pixels.attribute(name).as_int(1); }

/// Place of plane (z, c, t) in the order in which the dimensions are stored, X and Y aside.
int plane_index(const std::string& order, const pugi::xml_node& pixels, int planes_of_c, int z, int c, int t) {
  int index = 0;
  for (std::size_t i = order.size(); i-- > 2;) {
    const char axis = order[i];
    const int size = axis == 'C' ? planes_of_c : count_of(pixels, axis == 'Z' ? "SizeZ" : "SizeT");
    index = index * size + (axis == 'C' ? c : axis == 'Z' ? z : t);
  }
  return index;
}

/// The page of every plane, as the TiffData elements give them; -1 where none does.
std::vector<int> pages_of_planes(const pugi::xml_node& pixels, const std::string& order, int planes_of_c, int planes) {
  std::vector<int> out(static_cast<std::size_t>(planes), -1);
  bool any = false;
  for (const pugi::xml_node& data : pixels.children()) {
    if (!named(data, "TiffData")) continue;
    any = true;
    const int first = plane_index(order, pixels, planes_of_c, data.attribute("FirstZ").as_int(0),
                                  data.attribute("FirstC").as_int(0), data.attribute("FirstT").as_int(0));
    const int page = data.attribute("IFD").as_int(0);
    const int count = data.attribute("PlaneCount").as_int(data.attribute("IFD") ? 1 : planes);
    if (first < 0 || page < 0 || page > 1 << 20) continue;
    for (int k = 0; k < count && first + k < planes; ++k) out[static_cast<std::size_t>(first + k)] = page + k;
  }
  for (int k = 0; k < planes && !any; ++k) out[static_cast<std::size_t>(k)] = k;
  return out;
}

OmeImage read_image(const pugi::xml_node& pixels, const std::filesystem::path& file) {
  OmeImage out;
  out.size = {pixels.attribute("SizeX").as_llong(0), pixels.attribute("SizeY").as_llong(0)};
  out.channels = count_of(pixels, "SizeC");
  const double x = pixels.attribute("PhysicalSizeX").as_double(0);
  const pugi::xml_attribute unit = pixels.attribute("PhysicalSizeXUnit");
  if (std::isfinite(x) && x > 0) out.mpp = x * (unit ? microns_in(unit.as_string()) : 1);

  int samples = 1;
  for (const pugi::xml_node& channel : pixels.children())
    if (named(channel, "Channel")) samples = std::max(samples, channel.attribute("SamplesPerPixel").as_int(1));
  const std::string order = pixels.attribute("DimensionOrder").as_string("XYCZT");
  const bool sound = order.size() == 5 && out.size.width > 0 && out.size.height > 0 && out.channels > 0 &&
                     out.channels <= 4096 && samples <= out.channels && count_of(pixels, "SizeZ") > 0 &&
                     count_of(pixels, "SizeT") > 0 && count_of(pixels, "SizeZ") <= 1 << 14 &&
                     count_of(pixels, "SizeT") <= 1 << 14;
  const int planes_of_c = sound ? out.channels / samples : 0;
  const std::int64_t planes =
      sound ? std::int64_t{planes_of_c} * count_of(pixels, "SizeZ") * count_of(pixels, "SizeT") : 0;
  if (!sound || planes > 1 << 20)
    throw Error(file.string() + ": its OME-XML states sizes or an order of dimensions that cannot be",
                "expected positive SizeX, SizeY, SizeC, SizeZ, SizeT, and an order such as XYCZT");
  const std::vector<int> pages = pages_of_planes(pixels, order, planes_of_c, static_cast<int>(planes));
  for (int c = 0; c < planes_of_c; ++c) {
    const int index = plane_index(order, pixels, planes_of_c, 0, c, 0);
    const int page = index >= 0 && index < planes ? pages[static_cast<std::size_t>(index)] : -1;
    if (page < 0) throw Error(file.string() + ": its OME-XML names no page for channel " + std::to_string(c));
    out.pages.push_back(page);
  }
  return out;
}

}  // namespace

bool is_ome(const std::string& description) {
  return description.find("<OME") != std::string::npos || description.find("<ome:OME") != std::string::npos;
}

OmeImage read_ome(const std::string& description, const std::filesystem::path& file) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(description.data(), description.size());
  if (!parsed)
    throw Error(file.string() + ": its OME-XML cannot be read: " + parsed.description() + " at character " +
                std::to_string(parsed.offset));
  pugi::xml_node best;
  double most = -1;
  for (const pugi::xml_node& root : document.children())
    for (const pugi::xml_node& image : root.children())
      for (const pugi::xml_node& pixels : image.children()) {
        if (!named(image, "Image") || !named(pixels, "Pixels")) continue;
        const double area = pixels.attribute("SizeX").as_double(0) * pixels.attribute("SizeY").as_double(0);
        if (area > most) most = area, best = pixels;
      }
  if (!best)
    throw Error(file.string() + ": its OME-XML holds no image",
                "a companion file of a multi-file OME-TIFF? Name the file with the pixels");
  return read_image(best, file);
}

}  // namespace tiff_reader
