#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nephron::host {

/// CRC-32C (Castagnoli), as TFRecord files carry it.
std::uint32_t crc32c(std::string_view bytes) noexcept;

/// Writes scalars that TensorBoard shows: a TFRecord file of Event messages. One thread at a time.
class TensorBoardWriter {
 public:
  /// Makes a new events file in `folder`. `resumed_at`: of a run that goes on: TensorBoard drops what an earlier file
  /// of the folder says of this step and later ones; negative: a fresh run. Throws Error.
  TensorBoardWriter(const std::filesystem::path& folder, std::int64_t resumed_at = -1);

  void scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values);
  void flush();
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  void record(std::string_view event);
  std::filesystem::path file_;
  std::ofstream out_;
};

}  // namespace nephron::host
