#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <nephron/sampler.hpp>

#include <host/feed/augmenter.hpp>
#include <host/feed/catalog.hpp>
#include <host/feed/execute.hpp>
#include <host/feed/feed.hpp>
#include <host/feed/program_writer.hpp>
#include <host/feed/sample_number.hpp>

namespace nephron::host {

/// Where one sample goes: parts of a batch.
struct SampleSlot {
  ImageView image;                          ///< tile x tile, u8 RGB
  std::span<std::uint8_t> labels;           ///< [C, H, W], 0..255
  std::span<float> weights;                 ///< [C]
  std::span<std::uint8_t> ignored = {};     ///< [H, W]: 1 where a pixel is ignored; empty: nobody asks
  std::uint8_t* ignoring = nullptr;         ///< 1 when one is
  std::string* id = nullptr;                ///< "slide x,y": corner of the raw window at the reduced level
  std::optional<SampleNumber> window = {};  ///< the sample whose window this one has too; none: it has its own
};

/// A sample that a device makes: its bytes (sample_program.hpp), and what is known of it without making it.
struct ProgramSlot {
  std::vector<std::uint8_t>& bytes;
  std::span<float> weights;              ///< [C]
  std::uint8_t* ignoring = nullptr;      ///< 1 when a pixel of the window is ignored
  std::string* id = nullptr;             ///< as above
  std::optional<SampleNumber> window{};  ///< as above
};

/// What a thread keeps from sample to sample.
struct SampleScratch {
  std::unique_ptr<Executor> executor;
  std::unique_ptr<ProgramWriter> writer;
  std::vector<Image> planes;  ///< label bits first, then probabilities: of the tile
};

/// Makes samples: window -> augmentation -> centre crop -> targets. A sample is a function of (seed, epoch, index)
/// alone, or with a window that comes again of that one's number too. Const calls are thread-safe; each thread brings
/// its own scratch.
class SampleMaker {
 public:
  SampleMaker(const Experiment& experiment, const Registry& registry, const PreparedData& data,
              const FeedOptions& options);

  std::int64_t tile() const noexcept { return tile_; }
  int classes() const noexcept { return classes_; }
  /// True when samples may have ignored pixels.
  bool ignores() const noexcept { return ignores_; }
  /// Windows of a sampler that walks a fixed list; 0 when it draws without end.
  std::int64_t count() const noexcept { return count_; }
  const PreparedCatalog& catalog() const noexcept { return catalog_; }
  /// The slide that a sample is cut from; draws the window, and reads nothing.
  const PreparedSlide& slide_of(std::uint64_t epoch, std::int64_t index) const {
    return catalog_.slide(draw_window(epoch, index).slide);
  }
  /// "slide x,y" of a sample, with the corner of its raw window at the reduced level; or its number, where not even the
  /// window can be drawn.
  std::string sample_id(std::uint64_t epoch, std::int64_t index) const;
  /// Where a sample is cut, and what is done to it; reads nothing.
  SampleStory story(std::uint64_t epoch, std::int64_t index) const;
  /// For one thread.
  SampleScratch scratch() const {
    return {make_cpu_executor(geometry_), std::make_unique<ProgramWriter>(geometry_), {}};
  }
  /// The window that a sample is made of.
  RawWindow window(std::uint64_t epoch, std::int64_t index) const;
  /// `augmented`: false leaves the augmentations out, for people to compare.
  void make(std::uint64_t epoch, std::int64_t index, const SampleSlot& slot, SampleScratch& scratch,
            bool augmented = true) const;
  /// The same sample as a program.
  void write(std::uint64_t epoch, std::int64_t index, const ProgramSlot& slot, SampleScratch& scratch) const;

 private:
  /// A window, and what is to be done to it.
  struct Cut {
    const PreparedSlide& slide;
    const Window& window;
    const RecordedPlan& plan;
    Region wanted;  ///< the tile, in the window
    bool bare;      ///< no pixel has a label
    std::vector<int> soft;
  };

  /// `again`: how often a window of this number lay on a slide that is lost.
  Window draw_window(std::uint64_t epoch, std::int64_t index, int again = 0) const;
  /// Throws Error that names the file, or says it once and lets the sample be cut from another slide.
  void note_lost(const PreparedSlide& slide) const;
  /// Draws a sample and makes it, again where the slide of its window is lost.
  void cut(const SampleNumber& number, const std::optional<SampleNumber>& window, bool augmented,
           const std::function<void(const Cut&)>& make) const;
  Executor::Source source_of(const Cut& cut) const;
  void make(const Cut& cut, const SampleSlot& slot, SampleScratch& scratch) const;
  SampleInfo info_of(const Window& window) const;

  bool training_;
  std::uint64_t seed_;
  std::int64_t tile_;
  std::int64_t raw_;  ///< side of the raw window
  int classes_;
  int factor_;  ///< of the prepared level
  Geometry geometry_;
  bool ignores_ = false;
  PreparedCatalog catalog_;
  std::shared_ptr<Sampler> sampler_;
  Origin sampler_origin_;
  Augmenter augmenter_;
  std::int64_t count_ = 0;
  bool goes_on_;  ///< without slides that are lost
  mutable std::mutex lost_mutex_;
  mutable std::set<std::string> lost_;  ///< ids that were told of
};

}  // namespace nephron::host
