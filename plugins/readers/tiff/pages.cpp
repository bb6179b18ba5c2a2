#include "pages.hpp"

#include <algorithm>

#include <nephron/error.hpp>

#include "microns.hpp"
#include "ome.hpp"

namespace tiff_reader {

using nephron::Error;

namespace {

bool alike(const Directory& a, const Directory& b) {
  return a.size == b.size && a.samples == b.samples && a.bits == b.bits;
}

Picture ome_picture(const std::vector<Directory>& pages, const std::filesystem::path& file) {
  const OmeImage image = read_ome(pages.front().description, file);
  Picture out;
  out.writer = "OME-TIFF";
  for (const int page : image.pages) {
    if (page >= static_cast<int>(pages.size()))
      throw Error(file.string() + ": its OME-XML names page " + std::to_string(page) + ", but the file has " +
                      std::to_string(pages.size()),
                  "is it one file of several, or cut short?");
    out.channels.push_back(pages[static_cast<std::size_t>(page)]);
  }
  const Directory& first = out.channels.front();
  if (first.size != image.size)
    throw Error(file.string() + ": its OME-XML states " + std::to_string(image.size.width) + " x " +
                std::to_string(image.size.height) + " pixels, but page " + std::to_string(first.page) + " has " +
                std::to_string(first.size.width) + " x " + std::to_string(first.size.height));
  if (out.channels.size() != 1 && out.channels.size() != 3)
    throw Error(file.string() + ": it has " + std::to_string(out.channels.size()) +
                    " channels in pages of their own; expected 1, or 3 (RGB)",
                "fluorescence channels are no RGB picture");
  out.mpp = image.mpp > 0 ? image.mpp : microns_per_pixel(first);
  return out;
}

/// The numbers of "shape": [3, 200, 300], as tifffile writes it, without those that are 1; empty: not stated.
std::vector<std::int64_t> stated_shape(const std::string& description) {
  std::vector<std::int64_t> out;
  if (!description.starts_with("{")) return out;
  const std::size_t start = description.find("\"shape\": [");
  if (start == std::string::npos) return out;
  for (std::size_t i = start + 10; i < description.size() && description[i] != ']' && out.size() < 8;) {
    std::int64_t number = 0;
    for (; i < description.size() && description[i] >= '0' && description[i] <= '9' && number < 1 << 30; ++i)
      number = number * 10 + (description[i] - '0');
    if (number > 1) out.push_back(number);
    while (i < description.size() && (description[i] == ',' || description[i] == ' ')) ++i;
    if (i < description.size() && description[i] != ']' && (description[i] < '0' || description[i] > '9')) return {};
  }
  return out;
}

/// Three pictures of one channel are stated, as "images=3" or as a shape of 3 x height x width.
bool states_three(const Directory& page) {
  if (page.description.starts_with("ImageJ="))
    return number_after(page.description, "images") == 3 && number_after(page.description, "slices") <= 1 &&
           number_after(page.description, "frames") <= 1;
  return stated_shape(page.description) == std::vector<std::int64_t>{3, page.size.height, page.size.width};
}

}  // namespace

Picture find_picture(const std::vector<Directory>& pages, const std::filesystem::path& file) {
  const Directory& first = pages.front();
  if (is_ome(first.description)) return ome_picture(pages, file);
  Picture out;
  out.channels.push_back(first);
  out.mpp = microns_per_pixel(first);
  if (first.description.starts_with("Aperio")) out.writer = "Aperio SVS";
  if (first.description.starts_with("ImageJ=")) out.writer = "ImageJ";
  if (first.samples != 1) return out;

  const auto is_channel = [&](const Directory& d) { return alike(d, first) && !d.reduced; };
  const auto count = std::count_if(pages.begin(), pages.end(), is_channel);
  if (count == 3 && std::all_of(pages.begin(), pages.begin() + 3, is_channel)) {
    out.channels.assign(pages.begin(), pages.begin() + 3);
  } else if (count == 1 && states_three(first)) {
    if (first.compression != COMPRESSION_NONE)
      throw Error(file.string() + ": it states three channels, but has one page, which is compressed",
                  "write it again with a page a channel");
    out.channels.assign(3, first);
    out.follow_each_other = true;
  } else if (count > 1) {
    throw Error(file.string() + ": it has " + std::to_string(count) +
                    " pages of one size and one channel; expected one page, or three (red, green, blue)",
                "a stack of depths, times or stains? Write the one that is wanted as a file of its own");
  }
  return out;
}

}  // namespace tiff_reader
