#include <host/predict/unmeasured_rows.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::int64_t longest_side = std::int64_t{1} << 40;
constexpr std::size_t longest_header = 1 << 16;

std::string header_of(const UnmeasuredPicture& picture) {
  return Json{{"size", {picture.size.width, picture.size.height}},
              {"reduction", picture.reduction.value()},
              {"mpp", picture.mpp},
              {"known", picture.known},
              {"ignores", picture.ignores}}
             .dump() +
         "\n";
}

/// Throws Error for what is no header.
UnmeasuredPicture picture_of(const JsonNode& json) {
  UnmeasuredPicture out;
  const std::vector<JsonNode> size = json.at("size").items();
  if (size.size() != 2) json.at("size").refuse("is not a width and a height");
  out.size = {size[0].integer(1, longest_side), size[1].integer(1, longest_side)};
  out.reduction = Reduction::of(json.at("reduction").number(1, Reduction::largest));
  out.mpp = json.at("mpp").number(0, 1e6);
  for (const JsonNode& known : json.at("known").items()) out.known.push_back(known.boolean());
  out.ignores = json.at("ignores").boolean();
  return out;
}

const fs::path& in_its_folder(const fs::path& file) {
  make_folder(file.parent_path());
  return file;
}

std::string first_line(FILE* file) {
  std::string out;
  for (int c = std::fgetc(file); c != EOF && out.size() < longest_header; c = std::fgetc(file)) {
    if (c == '\n') return out;
    out.push_back(static_cast<char>(c));
  }
  return {};
}

}  // namespace

std::int64_t RowsToMeasure::bytes_of(Size size, std::size_t classes, bool ignores) {
  return size.area() * (static_cast<std::int64_t>(classes) * 5 + (ignores ? 1 : 0));
}

RowsToMeasure::RowsToMeasure(const fs::path& file, UnmeasuredPicture picture)
    : partial_(in_its_folder(file)),
      open_(std::fopen(partial_.path().c_str(), "wb"), std::fclose),
      picture_(std::move(picture)) {
  if (open_ == nullptr) fail_to_write(file, errno);
  const std::string header = header_of(picture_);
  write(header.data(), header.size());
}

void RowsToMeasure::write(const void* bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, open_.get()) != size) fail_to_write(partial_.final_path(), errno);
}

/// Of each row first the maps, then the true masks, then what is ignored.
void RowsToMeasure::add(std::span<const ImageView> maps, const TruthFolder::Masks& truth) {
  const auto width = static_cast<std::size_t>(picture_.size.width);
  for (std::int64_t y = 0; y < maps.front().height; ++y) {
    for (const ImageView& map : maps) write(map.row<const float>(y), 4 * width);
    for (const Image& mask : truth.of_class) write(mask.view().row<const std::uint8_t>(y), width);
    if (picture_.ignores) write(truth.ignored.view().row<const std::uint8_t>(y), width);
  }
}

void RowsToMeasure::finish() {
  if (std::fclose(open_.release()) != 0) fail_to_write(partial_.final_path(), errno);
  partial_.keep();
}

std::optional<UnmeasuredRows> UnmeasuredRows::open(const fs::path& file, std::size_t classes) {
  UnmeasuredRows out(file);
  out.open_.reset(std::fopen(file.c_str(), "rb"));
  if (out.open_ == nullptr) return std::nullopt;
  try {
    const std::string header = first_line(out.open_.get());
    out.picture_ = picture_of(JsonNode::parse(header, file.string()));
    const double rows = static_cast<double>(out.picture_.size.width) * static_cast<double>(out.picture_.size.height) *
                        static_cast<double>(classes * 5 + (out.picture_.ignores ? 1 : 0));
    const auto bytes = static_cast<double>(fs::file_size(file));
    if (out.picture_.known.size() != classes || bytes != static_cast<double>(header.size()) + 1 + rows)
      return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
  return out;
}

void UnmeasuredRows::read(void* to, std::size_t size) {
  if (std::fread(to, 1, size, open_.get()) != size)
    throw Error("cannot read " + file_.string() + ": " +
                (std::ferror(open_.get()) != 0 ? "the disk fails" : "it ends"));
}

std::optional<UnmeasuredRows::Strip> UnmeasuredRows::next(std::int64_t height) {
  if (y_ == picture_.size.height) return std::nullopt;
  Strip out;
  out.y = y_;
  const Size size{picture_.size.width, std::min(height, picture_.size.height - y_)};
  for (std::size_t c = 0; c < picture_.known.size(); ++c) {
    out.maps.emplace_back(size, 1, Depth::f32);
    out.truth.of_class.emplace_back(size, 1);
  }
  if (picture_.ignores) out.truth.ignored = Image(size, 1);
  const auto width = static_cast<std::size_t>(size.width);
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (const Image& map : out.maps) read(map.view().row<float>(y), 4 * width);
    for (const Image& mask : out.truth.of_class) read(mask.view().row<std::uint8_t>(y), width);
    if (picture_.ignores) read(out.truth.ignored.view().row<std::uint8_t>(y), width);
  }
  y_ += size.height;
  return out;
}

}  // namespace nephron::host
