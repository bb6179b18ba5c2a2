// PNG row by row with libpng. Its errors are thrown out of its callback, which its manual allows in C++.
#include <host/pictures/png_rows.hpp>

#include <cerrno>
#include <cstdio>

#include <png.h>

#include <nephron/error.hpp>

#include <host/util/write_error.hpp>

namespace nephron::host {

namespace {

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  throw Error(*static_cast<const std::string*>(png_get_error_ptr(png)) + ": " + message);
}
void ignore(png_structp, png_const_charp) {}
/// libpng's own says that writing failed, and not why.
void put(png_structp png, png_bytep bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, static_cast<std::FILE*>(png_get_io_ptr(png))) != size)
    fail_to_write(*static_cast<const std::string*>(png_get_error_ptr(png)), errno);
}
void flush(png_structp) {}

constexpr std::int64_t longest = 10'000'000;

int filter_of(PngFilter filter) {
  return filter == PngFilter::up ? PNG_FILTER_UP : filter == PngFilter::sub ? PNG_FILTER_SUB : PNG_FILTER_NONE;
}

}  // namespace

struct PngRows::State {
  State(const PartialFile& partial, Size size, Depth depth, const PngOptions& options)
      : name(partial.final_path().string()), file(std::fopen(partial.path().c_str(), "wb"), std::fclose) {
    if (file == nullptr) fail_to_write(name, errno);
    if (size.width > longest || size.height > longest)
      throw Error(name + ": a PNG has sides below 10^7 px", "write a TIFF");
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &name, fail, ignore);
    info = png_create_info_struct(png);
    try {
      begin(size, depth, options);
    } catch (...) {
      png_destroy_write_struct(&png, &info);
      throw;
    }
  }
  ~State() { png_destroy_write_struct(&png, &info); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void begin(Size size, Depth depth, const PngOptions& options) {
    png_set_user_limits(png, longest, longest);
    png_set_write_fn(png, file.get(), put, flush);
    png_set_compression_level(png, options.level);
    png_set_filter(png, 0, filter_of(options.filter));
    png_set_IHDR(png, info, static_cast<png_uint_32>(size.width), static_cast<png_uint_32>(size.height),
                 static_cast<int>(8 * bytes_of(depth)),
                 options.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (!options.description.empty()) add_text(png_description, options.description);
    png_write_info(png, info);
    if (depth == Depth::u16) png_set_swap(png);  // the high byte comes first
  }
  /// Before the rows, or after the last one.
  void add_text(std::string keyword, std::string text_of_it) {
    std::string none;
    png_text text = {};
    text.compression = PNG_ITXT_COMPRESSION_NONE;  // international text: UTF-8
    text.key = keyword.data();
    text.text = text_of_it.data();
    text.itxt_length = text_of_it.size();
    text.lang = text.lang_key = none.data();
    png_set_text(png, info, &text, 1);
  }

  std::string name;
  std::unique_ptr<FILE, int (*)(FILE*)> file;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

PngRows::PngRows(const std::filesystem::path& file, Size size, Depth depth, const PngOptions& options)
    : partial_(file), state_(std::make_unique<State>(partial_, size, depth, options)) {}

PngRows::~PngRows() = default;

void PngRows::write(const ImageView& rows) {
  for (std::int64_t y = 0; y < rows.height; ++y) png_write_row(state_->png, rows.row<const png_byte>(y));
}

void PngRows::finish(const std::string& note) {
  if (!note.empty()) state_->add_text(png_note, note);
  png_write_end(state_->png, state_->info);
  if (std::fclose(state_->file.release()) != 0) fail_to_write(state_->name, errno);
  partial_.keep();
}

}  // namespace nephron::host
