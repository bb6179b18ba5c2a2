#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/slide.hpp>

namespace nephron {

/// Files of a folder whose names end in one of `endings` (".ome.tiff", ".svs"; without regard to case), sorted by name.
/// Hidden files are passed over. With `below`, folders inside are searched too, links to folders are not followed.
/// Throws Error when the folder cannot be read.
NEPHRON_API std::vector<std::filesystem::path> slide_files(const std::filesystem::path& folder,
                                                           const std::vector<std::string>& endings, bool below = false);

/// The file's name without the longest of `endings` that it has.
NEPHRON_API std::string slide_id(const std::filesystem::path& file, const std::vector<std::string>& endings);

/// Fills in size and, where it is unknown, microns per pixel from the header of info.source. False when the file cannot
/// be opened: the slide stays listed, and open() says of it alone what is wrong.
NEPHRON_API bool read_header(SlideInfo& info, SlideOpener& opener, std::string_view reader = {});

}  // namespace nephron
