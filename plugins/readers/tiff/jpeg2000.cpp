#include "jpeg2000.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <openjpeg.h>

#include <nephron/error.hpp>

namespace tiff_reader {

using nephron::Error;

namespace {

/// Bytes in memory as OpenJPEG reads them.
struct Source {
  const std::vector<std::uint8_t>& bytes;
  std::size_t at = 0;

  static OPJ_SIZE_T read(void* out, OPJ_SIZE_T count, void* self) {
    auto& s = *static_cast<Source*>(self);
    const std::size_t n = std::min<std::size_t>(count, s.bytes.size() - s.at);
    if (n == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(out, s.bytes.data() + s.at, n);
    s.at += n;
    return n;
  }
  static OPJ_OFF_T skip(OPJ_OFF_T count, void* self) {
    auto& s = *static_cast<Source*>(self);
    const auto left = static_cast<OPJ_OFF_T>(s.bytes.size() - s.at);
    if (count < 0 || left == 0) return -1;
    s.at += static_cast<std::size_t>(std::min(count, left));
    return std::min(count, left);
  }
  static OPJ_BOOL seek(OPJ_OFF_T place, void* self) {
    auto& s = *static_cast<Source*>(self);
    if (place < 0 || place > static_cast<OPJ_OFF_T>(s.bytes.size())) return OPJ_FALSE;
    s.at = static_cast<std::size_t>(place);
    return OPJ_TRUE;
  }
};

void take_error(const char* text, void* trouble) {
  auto& out = *static_cast<std::string*>(trouble);
  if (out.empty()) out = text;
  while (!out.empty() && out.back() == '\n') out.pop_back();
}

std::uint32_t number(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

/// OpenJPEG makes tables for every inner tile that the header claims: it is looked at first.
void require_sound_header(const std::vector<std::uint8_t>& s, std::int64_t width, std::int64_t height) {
  if (s.size() < 48 || s[0] != 0xff || s[1] != 0x4f || s[2] != 0xff || s[3] != 0x51)
    throw Error("it is not a JPEG 2000 codestream");
  const std::int64_t w = std::int64_t{number(&s[8])} - number(&s[16]),
                     h = std::int64_t{number(&s[12])} - number(&s[20]);
  if (w != width || h != height)
    throw Error("the codestream has " + std::to_string(w) + " x " + std::to_string(h) + " pixels; expected " +
                std::to_string(width) + " x " + std::to_string(height));
  const std::int64_t tile_w = number(&s[24]), tile_h = number(&s[28]);
  if (tile_w < 1 || tile_h < 1 || (w / tile_w + 2) * (h / tile_h + 2) > 1024 || (s[40] << 8 | s[41]) != 3)
    throw Error("the codestream claims too many inner tiles, or other than 3 components");
}

using Codec = std::unique_ptr<opj_codec_t, decltype(&opj_destroy_codec)>;
using Stream = std::unique_ptr<opj_stream_t, decltype(&opj_stream_destroy)>;
using Picture = std::unique_ptr<opj_image_t, decltype(&opj_image_destroy)>;

Picture decode(const std::vector<std::uint8_t>& bytes) {
  Source source{bytes};
  std::string trouble;
  const Codec codec(opj_create_decompress(OPJ_CODEC_J2K), &opj_destroy_codec);
  const Stream stream(opj_stream_create(std::max<std::size_t>(bytes.size(), 64), OPJ_TRUE), &opj_stream_destroy);
  if (codec == nullptr || stream == nullptr) throw std::bad_alloc();
  opj_set_error_handler(codec.get(), &take_error, &trouble);
  opj_stream_set_read_function(stream.get(), &Source::read);
  opj_stream_set_skip_function(stream.get(), &Source::skip);
  opj_stream_set_seek_function(stream.get(), &Source::seek);
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), bytes.size());
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* picture = nullptr;
  const bool set_up = opj_setup_decoder(codec.get(), &parameters) != 0;
  const bool headed = set_up && opj_read_header(stream.get(), codec.get(), &picture) != 0;
  Picture out(picture, &opj_image_destroy);
  if (!headed || opj_decode(codec.get(), stream.get(), picture) == 0)
    throw Error(trouble.empty() ? "OpenJPEG gave no reason" : trouble);
  return out;
}

int clamp(int v) { return std::clamp(v, 0, 255); }

}  // namespace

void decode_jpeg2000(const std::vector<std::uint8_t>& stream, std::int64_t width, std::int64_t height, bool ycc,
                     std::uint8_t* rgb) {
  require_sound_header(stream, width, height);
  const Picture picture = decode(stream);
  for (OPJ_UINT32 c = 0; c < picture->numcomps; ++c) {
    const opj_image_comp_t& comp = picture->comps[c];
    if (comp.data == nullptr || comp.prec != 8 || comp.sgnd != 0 || comp.dx < 1 || comp.dx > 2 || comp.dy < 1 ||
        comp.dy > 2 || comp.w < (width + comp.dx - 1) / comp.dx || comp.h < (height + comp.dy - 1) / comp.dy)
      throw Error("a component of the codestream is not of 8 bits, or halved more than once");
  }
  const opj_image_comp_t* const comp = picture->comps;
  const auto at = [&](int c, std::int64_t x, std::int64_t y) {
    return static_cast<int>(comp[c].data[y / comp[c].dy * comp[c].w + x / comp[c].dx]);
  };
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x, rgb += 3) {
      const int a = at(0, x, y), b = at(1, x, y), c = at(2, x, y);
      if (!ycc) {
        rgb[0] = static_cast<std::uint8_t>(clamp(a));
        rgb[1] = static_cast<std::uint8_t>(clamp(b));
        rgb[2] = static_cast<std::uint8_t>(clamp(c));
        continue;
      }
      // JFIF's conversion in 16-bit fixed point, as libjpeg has it.
      const int cb = b - 128, cr = c - 128;
      rgb[0] = static_cast<std::uint8_t>(clamp(a + ((91881 * cr + 32768) >> 16)));
      rgb[1] = static_cast<std::uint8_t>(clamp(a + ((-22554 * cb - 46802 * cr + 32768) >> 16)));
      rgb[2] = static_cast<std::uint8_t>(clamp(a + ((116130 * cb + 32768) >> 16)));
    }
}

}  // namespace tiff_reader
