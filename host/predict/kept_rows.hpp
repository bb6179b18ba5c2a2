#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// Rows of probabilities that were computed, in a file, so that a large picture whose prediction was interrupted goes
/// on where it was. A file that was cut short has the rows that are whole.
class KeptRows final : public ProbabilitySink {
 public:
  /// Opens the file, or begins one. What it holds is used only where `key`, which says what the rows depend on, is
  /// equal; otherwise it is begun anew. Throws Error that names the file, WriteError where it cannot be written.
  KeptRows(std::filesystem::path file, const std::string& key, Size size, int classes);
  Size size() const noexcept { return size_; }
  std::int64_t rows_there() const noexcept { return there_; }
  /// Rows from `y` on, at most `height`, a map a class: those that are there, or were sent since.
  std::vector<Image> read(std::int64_t y, std::int64_t height);
  /// Gives the rows that are there to `to`, whose begin() was called, and sends it those that come. Without it they are
  /// kept alone.
  void give_to(ProbabilitySink& to);

  void begin(Size, int) override {}
  void rows(std::int64_t y, std::span<const ImageView> classes) override;
  /// Once the picture is finished.
  void remove();

  /// Bytes of such a file of a whole picture.
  static std::int64_t bytes_of(Size size, int classes) { return size.area() * classes * 4; }

 private:
  bool holds(const std::string& header);
  [[noreturn]] void fail_to_read() const;

  std::filesystem::path file_;
  std::unique_ptr<FILE, int (*)(FILE*)> open_{nullptr, std::fclose};
  Size size_;
  int classes_;
  std::int64_t begin_ = 0;  ///< of the rows, in bytes
  std::int64_t there_ = 0;
  ProbabilitySink* to_ = nullptr;
};

}  // namespace nephron::host
