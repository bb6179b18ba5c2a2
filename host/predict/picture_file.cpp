#include <host/predict/picture_file.hpp>

#include <algorithm>
#include <cctype>
#include <map>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>
#include <nephron/picture_header.hpp>
#include <nephron/quiet_libraries.hpp>
#include <nephron/slide_files.hpp>

#include <host/pictures/png.hpp>
#include <host/util/files.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> tiff_endings{".ome.tiff", ".ome.tif", ".tiff", ".tif"};

std::string id_of(const fs::path& file) {
  const std::string id = slide_id(file, tiff_endings);
  return id == file.filename().string() ? file.stem().string() : id;
}

bool is_picture(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view known[] = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"};
  return std::find(std::begin(known), std::end(known), extension) != std::end(known);
}

cv::Mat decode(const fs::path& file, int flags) {
  const std::string bytes = read_file(file);
  if (bytes.empty()) throw Error("cannot read the picture " + file.string() + ": the file is empty");
  if (bytes.size() > INT_MAX)
    throw Error("cannot read the picture " + file.string() + ": it has more than 2 GiB, and OpenCV decodes no more",
                "As a tiled TIFF it is read as a slide, whatever its size.");
  const QuietLibraries quiet;
  cv::Mat picture;
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U,
                      const_cast<char*>(bytes.data()));  // NOLINT: only read
    picture = cv::imdecode(raw, flags);
  } catch (const cv::Exception&) {  // its text is about OpenCV's own source
    throw Error("cannot read the picture " + file.string() + ": it is damaged or too large",
                "Pictures of more than 2^30 pixels are refused unless OPENCV_IO_MAX_IMAGE_PIXELS is set to more.");
  }
  if (picture.empty() || quiet.said_damaged())
    throw Error("cannot read the picture " + file.string() + ": it is damaged, or no PNG, JPEG, TIFF or BMP file");
  return picture;
}

/// 16-bit and float pictures are brought to 8 bits by their range: 0..65535 and 0..1.
cv::Mat to_bytes(const cv::Mat& picture) {
  if (picture.depth() == CV_8U) return picture;
  const double scale = picture.depth() == CV_16U                                ? 1.0 / 257
                       : picture.depth() == CV_32F || picture.depth() == CV_64F ? 255.0
                                                                                : 0.0;
  if (scale == 0.0) throw Error("pixels are neither 8- nor 16-bit nor floating point numbers");
  cv::Mat bytes;
  picture.convertTo(bytes, CV_8U, scale);
  return bytes;
}

Size reduced_size(Size size, Reduction reduction) {
  const Size reduced = reduction.size_of(size);
  if (!(reduction.value() >= 1) || reduced.empty())
    throw Error("a picture of " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                " px cannot be reduced by " + reduction.str());
  return reduced;
}

Image resized(const ImageView& from, Size size, int interpolation) {
  Image out(size, from.channels, from.depth);
  cv::Mat to = as_mat(out.view());
  cv::resize(as_mat(from), to, to.size(), 0, 0, interpolation);
  return out;
}

}  // namespace

namespace {

bool is_one_file(const fs::path& a, const fs::path& b) {
  std::error_code unknown;
  return fs::equivalent(a, b, unknown) && !unknown;
}

std::string two_of_a_name(const std::string& id, const fs::path& a, const fs::path& b) {
  const bool neighbours = a.parent_path() == b.parent_path();
  const auto shown = [&](const fs::path& path) { return neighbours ? path.filename().string() : path.string(); };
  return (neighbours ? a.parent_path().string() + " holds two" : "there are two") + " pictures with the name \"" + id +
         "\": " + shown(a) + " and " + shown(b);
}

}  // namespace

std::vector<PictureFile> list_pictures(const fs::path& folder) {
  std::error_code failed;
  fs::directory_iterator entries(folder, failed);
  if (failed) throw Error("cannot list the pictures of " + folder.string() + ": " + failed.message());
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : entries)
    if (entry.is_regular_file() && is_picture(entry.path())) files.push_back(entry.path());
  if (files.empty()) throw Error("no pictures in " + folder.string() + ": PNG, JPEG, TIFF or BMP files were expected");
  try {
    return pictures_of(files);
  } catch (const UsageError& e) {  // of files that nobody named one by one
    throw Error(e.what(), e.hint());
  }
}

std::vector<PictureFile> pictures_of(const std::vector<fs::path>& files) {
  std::map<std::string, fs::path> found;
  for (const fs::path& file : files) {
    const auto [place, fresh] = found.emplace(id_of(file), file);
    if (fresh) continue;
    if (is_one_file(place->second, file))
      throw UsageError(file.string() + " is named twice" +
                           (place->second == file ? "" : ": " + place->second.string() + " is the same file"),
                       "Name each file once.");
    throw UsageError(two_of_a_name(place->first, place->second, file),
                     "Results are named after the pictures; move or rename one.");
  }
  std::vector<PictureFile> pictures;
  for (auto& [id, file] : found) pictures.push_back({id, file});
  return pictures;
}

fs::path find_picture(const fs::path& folder, const std::string& id) {
  for (const char* extension : {".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".PNG", ".TIF", ".TIFF", ".BMP",
                                ".JPG", ".JPEG", ".ome.tif", ".ome.tiff"}) {
    fs::path file = folder / (id + extension);
    if (fs::is_regular_file(file)) return file;
  }
  return {};
}

Image read_picture(const fs::path& file) {
  const cv::Mat bgr = to_bytes(decode(file, cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH | cv::IMREAD_IGNORE_ORIENTATION));
  Image picture({bgr.cols, bgr.rows}, 3);
  cv::Mat rgb = as_mat(picture.view());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return picture;
}

Size size_in_header(const fs::path& file) {
  try {
    return picture_size_in(read_file(file));
  } catch (const Error&) {  // of a BMP, or one that is damaged
    return read_picture(file).size();
  }
}

std::unique_ptr<SlideFile> open_as_slide(const fs::path& file, SlideOpener& opener) {
  if (slide_id(file, tiff_endings) == file.filename().string()) return nullptr;
  try {
    return opener.open(file);
  } catch (const Error&) {
    return nullptr;  // 16 bits, floating point, palettes: OpenCV reads them, or says what is wrong
  }
}

Image read_mask(const fs::path& file) {
  const cv::Mat any = decode(file, cv::IMREAD_UNCHANGED);
  const int colours = any.channels() == 2 || any.channels() == 4 ? any.channels() - 1 : any.channels();
  Image mask({any.cols, any.rows}, 1);
  cv::Mat out = as_mat(mask.view());
  for (int c = 0; c < colours; ++c) {
    cv::Mat channel;
    cv::extractChannel(any, channel, c);
    out |= channel != 0;
  }
  return mask;
}

Image reduce_picture(const Image& picture, Reduction reduction) {
  const Size size = reduced_size(picture.size(), reduction);
  return reduction == 1 ? picture : resized(picture.view(), size, cv::INTER_AREA);
}

Image reduce_mask(const Image& mask, Reduction reduction) {
  const Size size = reduced_size(mask.size(), reduction);
  return reduction == 1 ? mask : resized(mask.view(), size, cv::INTER_NEAREST);
}

Image resize_map(const ImageView& map, Size size) { return resized(map, size, cv::INTER_LINEAR); }

void save_png(const fs::path& file, const ImageView& image) { write_png(file, image, PngPacking::fast); }

}  // namespace nephron::host
