#include <host/predict/waiting_room.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <nephron/error.hpp>

#include <host/predict/unmeasured_rows.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

std::optional<std::int64_t> bytes_of(const PictureFile& picture, const std::vector<std::unique_ptr<Member>>& members) {
  const Member& first = *members.front();
  try {
    const PictureOutline outline = first.loader->outline(picture);
    const Size level = members.size() > 1
                           ? outline.size
                           : first.settings.reduction_of(outline.mpp, outline.size).size_of(outline.size);
    return RowsToMeasure::bytes_of(level, first.experiment.classes.size(), /*ignores=*/true);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

void require_room_to_wait(const std::vector<PictureFile>& pictures, const std::vector<std::unique_ptr<Member>>& members,
                          const OutputFolder& output) {
  std::int64_t need = 0, count = 0;
  for (const PictureFile& picture : pictures) {
    if (!members.front()->loader->has_truth(picture.id)) continue;
    const std::optional<std::int64_t> bytes = bytes_of(picture, members);
    if (bytes) need += *bytes, ++count;
  }
  std::error_code unknown;
  const std::filesystem::space_info disk = std::filesystem::space(output.folder(), unknown);
  if (unknown || disk.available >= static_cast<std::uintmax_t>(need)) return;
  throw Error("the rows of " + counted(count, "picture") +
                  " that wait to be measured until the threshold is found need " + "up to " +
                  std::to_string((need >> 20) + 1) + " MB, and " + output.folder().string() + " has " +
                  std::to_string(disk.available >> 20) + " MB left",
              "With --threshold VALUE, or without --metrics, none waits. Or name another folder, or make room.");
}

}  // namespace nephron::host
