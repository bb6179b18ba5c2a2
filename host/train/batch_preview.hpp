#pragma once

#include <string>
#include <vector>

#include <nephron/image.hpp>

#include <host/feed/chain_preview.hpp>
#include <host/feed/feed.hpp>

namespace nephron::host {

/// A picture of a batch and where its window was cut: "slide x,y".
struct BatchPicture {
  Image picture;
  std::string id;
};

/// What the batch augmentations of the experiment make of one picture of a batch: all of them where there are several,
/// and each by itself. `before`: that picture, its labels outlined.
std::vector<PreviewRow> preview_batch_chain(const Experiment& experiment, const Registry& registry, const RawBatch& raw,
                                            const Image& before, const ChainPreviewOptions& options);

/// The first batch of `epoch` after its augmentations of whole batches, `most` pictures of it, labels outlined wherever
/// there are any; none when the experiment names no such augmentation. `feed` makes batches of the experiment's size.
std::vector<BatchPicture> preview_batch(const Experiment& experiment, const Registry& registry, Feed& feed,
                                        std::uint64_t epoch, std::size_t most);

}  // namespace nephron::host
