#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <host/config/experiment.hpp>
#include <host/feed/batch.hpp>
#include <host/feed/feed.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

struct ChainPreviewOptions {
  int draws = 6;
  std::uint64_t seed = 0;
  std::vector<std::string>
      components;  ///< whose rows alone are wanted, by type ("one_of" too); empty: all, and the whole chain
};

/// One picture, and what a chain of augmentations makes of it when it is drawn again and again. Labels are outlined.
struct PreviewRow {
  struct Draw {
    Image picture;
    std::string caption;  ///< which components were drawn; empty where there is one alone
  };
  std::string title;  ///< "the whole chain", "elastic"
  std::string what;   ///< of a component: its place in the experiment and its parameters
  Image original;
  std::vector<Draw> draws;
};

/// The chains that a preview shows, each with its row, which has no pictures yet: the whole one where it has several
/// components, then each component by itself, however deep it lies in one_of and others. That is always applied; equal
/// ones are shown once. one_of and others have a row as a whole where they are asked for by name. `root`:
/// "augmentation".
template <class Link>
std::vector<std::pair<PreviewRow, std::vector<Link>>> preview_chains(const std::vector<Link>& links,
                                                                     const std::string& root,
                                                                     const ChainPreviewOptions& options);

/// The types of all components of both of an experiment's chains, each once.
std::vector<std::string> chain_components(const Experiment& experiment);

/// What the experiment's augmentations of single samples make of a window: the tile in its middle. Throws Cancelled
/// after Ctrl-C.
std::vector<PreviewRow> preview_chain(const Experiment& experiment, const Registry& registry, const RawWindow& window,
                                      const ChainPreviewOptions& options);

/// Windows as they come to the augmentations of whole batches: each drawn once. `before`: the first of them, labels
/// outlined.
RawBatch preview_raw_batch(const Experiment& experiment, const Registry& registry,
                           const std::vector<RawWindow>& windows, std::uint64_t seed, Image& before);

/// The rows below each other, the original first; pictures at most `side` px wide.
Image draw_rows(const std::vector<PreviewRow>& rows, std::int64_t side);

/// A picture at most `side` px wide and high.
Image shown_at(const Image& picture, std::int64_t side);

}  // namespace nephron::host
