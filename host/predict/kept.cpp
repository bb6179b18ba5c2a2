#include <host/predict/kept.hpp>

#include <algorithm>

#include <host/util/usage_error.hpp>

namespace nephron::host {

Kept kept_of(const std::vector<std::string>& words, const std::string& format) {
  const auto has = [&](const char* word) { return std::find(words.begin(), words.end(), word) != words.end(); };
  for (const std::string& word : words)
    if (std::find(std::begin(kept_words), std::end(kept_words), word) == std::end(kept_words))
      throw UsageError("--save \"" + word +
                       "\" is unknown: expected maps, masks, rle, submission, geojson, coco or objects");
  Kept out;
  out.maps = has("maps"), out.masks = has("masks"), out.rle = has("rle"), out.submission = has("submission");
  out.geojson = has("geojson"), out.coco = has("coco"), out.objects = has("objects");
  if (format == "auto") out.format = MapFormat::by_size;
  else if (format == "png") out.format = MapFormat::png;
  else if (format == "tiff") out.format = MapFormat::tiff;
  else if (format == "tiff16") out.format = MapFormat::halves;
  else throw UsageError("--maps \"" + format + "\" is unknown: expected auto, png, tiff or tiff16");
  return out;
}

}  // namespace nephron::host
