#include <host/predict/searched_masks.hpp>

#include <cstdint>

#include <host/predict/mask_outputs.hpp>
#include <host/predict/picture_facts.hpp>
#include <host/predict/threshold_search.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>

namespace nephron::host {

void write_searched_masks(const OutputFolder& output, const Kept& kept, const std::vector<std::string>& classes,
                          const std::vector<PictureFile>& pictures, const std::vector<std::size_t>& thresholds,
                          const PredictionOrigin& origin) {
  std::vector<double> found;
  for (const std::size_t t : thresholds) found.push_back(searched_thresholds[t]);
  Progress progress("masks", static_cast<std::int64_t>(pictures.size()));
  std::int64_t done = 0;
  for (const PictureFile& picture : pictures) {
    if (interrupted()) throw Cancelled();
    if (output.computed(picture.id, kept)) {
      const std::filesystem::path facts = output.picture(picture.id);
      std::string own = read_origin(facts);  // of whoever predicted it
      if (own.empty()) own = origin.of("");
      write_masks_of_levels(output, kept, classes, {picture.id, picture.file.filename().string(), {}, read_mpp(facts)},
                            thresholds, origin_at(own, found));
    }
    progress.update(++done);
  }
  progress.finish();
}

}  // namespace nephron::host
