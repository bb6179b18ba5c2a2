#pragma once

#include <string>

#include "directory.hpp"

namespace tiff_reader {

/// Microns per pixel as the first page states it, wherever scanners and programs write it: Aperio's description,
/// ImageJ's unit, properties that libvips copied, Philips' and Ventana's XML, and the resolution tags last, where
/// they are believable. 0 when unknown. OME-XML: ome.hpp.
double microns_per_pixel(const Directory& page);

/// Microns in one `unit` ("mm", "micron", "inch", ...); 0 for an unknown one.
double microns_in(std::string unit);

/// The number behind "key=" or "key = " in lines or fields between '|'; 0 when there is none.
double number_after(const std::string& text, const std::string& key);
/// The text behind it, up to the end of line or field.
std::string value_after(const std::string& text, const std::string& key);

}  // namespace tiff_reader
