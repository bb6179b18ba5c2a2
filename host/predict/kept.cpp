#include <host/predict/kept.hpp>

#include <algorithm>

#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {
constexpr MapFormat formats[] = {MapFormat::by_size, MapFormat::png, MapFormat::tiff, MapFormat::halves};
}

const char* word_of(MapFormat format) noexcept {
  if (format == MapFormat::by_size) return "auto";
  if (format == MapFormat::png) return "png";
  return format == MapFormat::tiff ? "tiff" : "tiff16";
}

Kept kept_of(const std::vector<std::string>& words, const std::string& format) {
  const auto has = [&](const char* word) { return std::find(words.begin(), words.end(), word) != words.end(); };
  for (const std::string& word : words)
    if (std::find(std::begin(kept_words), std::end(kept_words), word) == std::end(kept_words))
      throw UsageError("--save \"" + word +
                       "\" is unknown: expected maps, tta, masks, rle, submission, geojson, coco or objects");
  Kept out;
  out.maps = has("maps"), out.masks = has("masks"), out.rle = has("rle"), out.submission = has("submission");
  out.tta = has("tta"), out.geojson = has("geojson"), out.coco = has("coco"), out.objects = has("objects");
  const auto found =
      std::find_if(std::begin(formats), std::end(formats), [&](MapFormat known) { return format == word_of(known); });
  if (found == std::end(formats))
    throw UsageError("--maps \"" + format + "\" is unknown: expected auto, png, tiff or tiff16");
  out.format = *found;
  return out;
}

}  // namespace nephron::host
