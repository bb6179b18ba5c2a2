#include "microns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

namespace tiff_reader {

namespace {

/// Resolution tags are often left at a printer's 72, 96 or 300 dots an inch: no microscope has such large pixels.
constexpr double most_microns = 20;

double believable(double mpp) { return std::isfinite(mpp) && mpp > 1e-4 && mpp < 1000 ? mpp : 0; }

/// The first number at or behind `from`, blanks, quotes and '>' skipped.
double number_at(const std::string& text, std::size_t from) {
  while (from < text.size() && (std::isspace(static_cast<unsigned char>(text[from])) || text[from] == '"')) ++from;
  double out = 0;
  const auto [end, failed] = std::from_chars(text.data() + from, text.data() + text.size(), out);
  return failed == std::errc() ? out : 0;
}

/// Of a pixel when so many are in a unit. That number comes as a float: of what gives it, the number of fewest digits
/// was meant (0.9, not 0.8999999824).
double width_of(double unit, double resolution) {
  const double width = unit / resolution;
  for (int digits = 1; digits <= 9; ++digits) {
    std::array<char, 32> text{};
    std::to_chars(text.data(), text.data() + text.size(), width, std::chars_format::general, digits);
    const double shorter = number_at(text.data(), 0);
    if (static_cast<float>(unit / shorter) == static_cast<float>(resolution)) return shorter;
  }
  return width;
}

double aperio(const std::string& description) {
  return description.starts_with("Aperio") ? believable(number_after(description, "MPP")) : 0;
}

double imagej(const Directory& page) {
  if (page.description.find("ImageJ=") == std::string::npos || page.x_resolution <= 0) return 0;
  return believable(width_of(microns_in(value_after(page.description, "unit")), page.x_resolution));
}

/// Text that libvips writes: <name>openslide.mpp-x</name><value type="...">0.25</value>
double vips(const std::string& description) {
  for (const char* name : {"<name>openslide.mpp-x</name>", "<name>aperio.MPP</name>"}) {
    std::size_t at = description.find(name);
    if (at == std::string::npos) continue;
    at = description.find("<value", at);
    if (at != std::string::npos) at = description.find('>', at);
    if (at == std::string::npos) continue;
    if (const double mpp = believable(number_at(description, at + 1)); mpp > 0) return mpp;
  }
  return 0;
}

/// Philips: the first DICOM_PIXEL_SPACING, in millimetres, is that of the scan. The attribute's other words hold
/// numbers too (Group="0x0028"); a pixel under 0.1 mm tells the value.
double philips(const std::string& description) {
  const std::size_t start = description.find("DICOM_PIXEL_SPACING");
  if (start == std::string::npos) return 0;
  const std::string words = description.substr(start, 400);
  for (std::size_t at = words.find_first_of("0123456789"); at != std::string::npos;) {
    const double mm = number_at(words, at);
    if (mm > 0 && mm < 0.1) return believable(mm * 1000);
    at = words.find_first_not_of("0123456789.", at);
    if (at != std::string::npos) at = words.find_first_of("0123456789", at);
  }
  return 0;
}

double ventana(const std::string& xmp) {
  const std::size_t at = xmp.find("ScanRes=");
  return at == std::string::npos ? 0 : believable(number_at(xmp, at + 8));
}

double tags(const Directory& page) {
  if (page.x_resolution <= 0) return 0;
  const double unit = page.resolution_unit == 2 ? 25400 : page.resolution_unit == 3 ? 10000 : 0;
  const double mpp = believable(width_of(unit, page.x_resolution));
  return mpp <= most_microns ? mpp : 0;
}

}  // namespace

double microns_in(std::string unit) {
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::tolower(c); });
  static const std::map<std::string, double> known{
      {"um", 1},      {"µm", 1},           {"μm", 1},         {"\\u00b5m", 1},     {"\xb5m", 1},
      {"micron", 1},  {"microns", 1},      {"micrometer", 1}, {"nm", 1e-3},        {"nanometer", 1e-3},
      {"mm", 1e3},    {"millimeter", 1e3}, {"cm", 1e4},       {"centimeter", 1e4}, {"m", 1e6},
      {"meter", 1e6}, {"inch", 25400},     {"in", 25400},     {"pm", 1e-6},        {"pt", 25400.0 / 72},
      {"Å", 1e-4},    {"\xc3\x85", 1e-4}};
  const auto found = known.find(unit);
  return found == known.end() ? 0 : found->second;
}

std::string value_after(const std::string& text, const std::string& key) {
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    const bool starts = at == 0 || text[at - 1] == '|' || text[at - 1] == '\n' || text[at - 1] == ' ';
    std::size_t i = at + key.size();
    while (i < text.size() && text[i] == ' ') ++i;
    if (!starts || i >= text.size() || text[i] != '=') continue;
    i = text.find_first_not_of(' ', i + 1);
    if (i == std::string::npos) return {};
    std::size_t end = std::min(text.find_first_of("|\n\r", i), text.size());
    while (end > i && text[end - 1] == ' ') --end;
    return text.substr(i, end - i);
  }
  return {};
}

double number_after(const std::string& text, const std::string& key) { return number_at(value_after(text, key), 0); }

double microns_per_pixel(const Directory& page) {
  for (const double mpp : {aperio(page.description), imagej(page), vips(page.description), philips(page.description),
                           ventana(page.xmp), tags(page)})
    if (mpp > 0) return mpp;
  return 0;
}

}  // namespace tiff_reader
