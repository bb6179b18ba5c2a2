#pragma once

#include <array>
#include <string_view>

namespace nephron {

/// A kind of component. A new kind costs one header with its interface (`static constexpr std::string_view kind`)
/// and one line here; the loader, the command line and the documentation follow this list.
struct KindInfo {
  std::string_view name;    ///< as in `plugins describe KIND NAME`
  std::string_view plural;  ///< folder under plugins/
  std::string_view header;  ///< what an author includes
  std::string_view doc;
};

inline constexpr std::array kinds{
    KindInfo{"reader", "readers", "nephron/reader.hpp", "opens slide files and reads regions of them"},
    KindInfo{"dataset", "datasets", "nephron/dataset.hpp", "lists slides, opens them, gives their annotation"},
    KindInfo{"sampler", "samplers", "nephron/sampler.hpp", "draws the next window"},
    KindInfo{"augmentation", "augmentations", "nephron/augmentation.hpp", "changes image and labels at random"},
    KindInfo{"batch_augmentation", "batch_augmentations", "nephron/batch_augmentation.hpp",
             "changes whole batches at random"},
    KindInfo{"encoder", "encoders", "nephron/encoder.hpp", "turns an image into features at several strides"},
    KindInfo{"decoder", "decoders", "nephron/decoder.hpp", "turns features into a map the head makes logits of"},
    KindInfo{"loss", "losses", "nephron/loss.hpp", "says how far logits are from targets"},
    KindInfo{"metric", "metrics", "nephron/metric.hpp", "says how good predictions of slides are"},
};

}  // namespace nephron
