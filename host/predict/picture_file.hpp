#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/image.hpp>
#include <nephron/slide.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// A picture; its id is the file's name without the extension (.ome.tif counts as one).
struct PictureFile {
  std::string id;
  std::filesystem::path file;
};

/// PNG, JPEG, TIFF and BMP files of a folder by name; other files are left alone. Throws Error when there are none and
/// when two files have the same id.
std::vector<PictureFile> list_pictures(const std::filesystem::path& folder);
/// Such a list of files that a person named. Throws UsageError when two of them have the same id, or are one file.
std::vector<PictureFile> pictures_of(const std::vector<std::filesystem::path>& files);

/// The file of `folder` with this id and a picture's extension; empty when there is none.
std::filesystem::path find_picture(const std::filesystem::path& folder, const std::string& id);

/// 8-bit RGB, whatever the file holds. Throws Error that names the file.
Image read_picture(const std::filesystem::path& file);

/// The file as a slide, so that planes, pages and BigTIFF are read in windows as datasets read them; null where it is
/// no TIFF, or one that only OpenCV knows.
std::unique_ptr<SlideFile> open_as_slide(const std::filesystem::path& file, SlideOpener& opener);

/// As its header says; a BMP is decoded for it. Throws Error that names the file.
Size size_in_header(const std::filesystem::path& file);

/// One channel: 255 where any channel of the file (alpha aside) is not 0.
Image read_mask(const std::filesystem::path& file);

/// To width / reduction by height / reduction (rounded down), each pixel the mean of those it stands for.
Image reduce_picture(const Image& picture, Reduction reduction);
/// The same size by nearest neighbour.
Image reduce_mask(const Image& mask, Reduction reduction);

/// One f32 channel to another size, bilinearly.
Image resize_map(const ImageView& map, Size size);

/// PNG, atomically. One channel or RGB, u8.
void save_png(const std::filesystem::path& file, const ImageView& image);

}  // namespace nephron::host
