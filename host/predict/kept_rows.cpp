#include <host/predict/kept_rows.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t rows_at_once = 64;

}  // namespace

KeptRows::KeptRows(fs::path file, const std::string& key, Size size, int classes)
    : file_(std::move(file)), size_(size), classes_(classes) {
  // The length of the line is that of a digest, whatever the key.
  const std::string header = "nephron rows 1 " + std::to_string(size.width) + "x" + std::to_string(size.height) + "x" +
                             std::to_string(classes) + " " + sha256_of_text(key) + "\n";
  begin_ = static_cast<std::int64_t>(header.size());
  if (holds(header)) return;
  open_.reset();
  // Who finishes another picture removes folders that are empty.
  for (int attempt = 0; attempt < 100 && open_ == nullptr; ++attempt) {
    make_folder(file_.parent_path());
    open_.reset(std::fopen(file_.c_str(), "w+b"));
    if (open_ == nullptr && errno != ENOENT) break;
  }
  if (open_ == nullptr || std::fwrite(header.data(), 1, header.size(), open_.get()) != header.size())
    fail_to_write(file_, errno);
}

/// Opens a file with this header and cuts off what is no whole row.
bool KeptRows::holds(const std::string& header) {
  open_.reset(std::fopen(file_.c_str(), "r+b"));
  if (open_ == nullptr) return false;
  std::string is(header.size(), '\0');
  if (std::fread(is.data(), 1, is.size(), open_.get()) != is.size() || is != header) return false;
  const std::int64_t row = 4 * size_.width * classes_;
  there_ = std::min(size_.height, (static_cast<std::int64_t>(fs::file_size(file_)) - begin_) / row);
  fs::resize_file(file_, static_cast<std::uintmax_t>(begin_ + there_ * row));
  return true;
}

void KeptRows::fail_to_read() const { throw Error("cannot read " + file_.string() + ": " + std::strerror(errno)); }

/// A row holds those of all classes.
std::vector<Image> KeptRows::read(std::int64_t y, std::int64_t height) {
  const auto width = static_cast<std::size_t>(size_.width);
  height = std::min(height, there_ - y);
  std::vector<Image> maps;
  for (int c = 0; c < classes_; ++c) maps.emplace_back(Size{size_.width, height}, 1, Depth::f32);
  if (std::fseek(open_.get(), static_cast<long>(begin_ + y * 4 * size_.width * classes_), SEEK_SET) != 0)
    fail_to_read();
  for (std::int64_t row = 0; row < height; ++row)
    for (const Image& map : maps)
      if (std::fread(map.view().row<float>(row), 4, width, open_.get()) != width) fail_to_read();
  return maps;
}

void KeptRows::give_to(ProbabilitySink& to) {
  to_ = &to;
  for (std::int64_t y = 0; y < there_; y += rows_at_once) {
    const std::vector<Image> maps = read(y, rows_at_once);
    std::vector<ImageView> views;
    for (const Image& map : maps) views.push_back(map.view());
    to.rows(y, views);
  }
}

void KeptRows::rows(std::int64_t y, std::span<const ImageView> classes) {
  const auto width = static_cast<std::size_t>(size_.width);
  if (std::fseek(open_.get(), 0, SEEK_END) != 0) fail_to_write(file_, errno);  // between reading and writing
  for (std::int64_t row = 0; row < classes.front().height; ++row)
    for (const ImageView& map : classes)
      if (std::fwrite(map.row<const float>(row), 4, width, open_.get()) != width) fail_to_write(file_, errno);
  if (std::fflush(open_.get()) != 0) fail_to_write(file_, errno);
  there_ = y + classes.front().height;
  if (to_ != nullptr) to_->rows(y, classes);
}

void KeptRows::remove() {
  open_.reset();
  std::error_code ignored;
  fs::remove(file_, ignored);
  // Where it was the last one; rows of a run that is joined lie a folder deeper.
  fs::remove(file_.parent_path(), ignored);
  if (const fs::path above = file_.parent_path().parent_path(); above.filename() == "partial")
    fs::remove(above, ignored);
}

}  // namespace nephron::host
