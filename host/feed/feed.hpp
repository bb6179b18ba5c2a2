#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nephron/augmentation.hpp>

#include <host/data/prepared.hpp>
#include <host/feed/batch.hpp>
#include <host/feed/repeats.hpp>
#include <host/plugins/host_context.hpp>

namespace nephron::host {

struct FeedOptions {
  std::vector<std::size_t> slides;  ///< indices into PreparedData::slides
  bool training = true;             ///< training: sampler + augmentation; else validation sampler, no augmentation
  int batch = 8;
  int part = 0, parts = 1;  ///< training: only this share_of() every batch is made
  int workers = 1;
  int prefetch = 4;
  std::uint64_t seed = 0;
  bool programs = false;      ///< samples are programs for a device, not pixels
  JobServices services = {};  ///< to sampler and augmentations
};

/// What a sample is, for people.
struct SampleStory {
  const PreparedSlide* slide = nullptr;
  Region region;                           ///< of the tile, before augmentation, in pixels of the reduced level
  std::vector<std::string> augmentations;  ///< those that were drawn, in their order
};

/// What a sample is made of: a window before its augmentation.
struct RawWindow {
  Image image, labels;  ///< u8 RGB; one bit a class, and one for what is ignored
  SampleInfo info;      ///< as augmentations are told; what it knows of colours lives as long as the feed
};

/// What is learnt from a picture; for previews and tests.
struct Sample {
  std::vector<std::uint8_t> labels;   ///< [C, H, W], 0..255
  std::vector<float> weights;         ///< [C]
  std::vector<std::uint8_t> ignored;  ///< [H, W]: 1 where a pixel is ignored; empty: none is
  std::string id;
};

/// Threads that make batches ahead into a ring. A batch is a function of (seed, epoch, number) and of the windows that
/// come again, so the result is the same for any number of workers and after a resume.
class Feed {
 public:
  Feed(const Experiment& experiment, const Registry& registry, const PreparedData& data, FeedOptions options);
  ~Feed();

  /// Samples of one pass for a sampler that walks a fixed list; 0 when it draws without end.
  std::int64_t count() const;
  /// The sampling groups and their shares of samples, which sum to 1.
  const std::vector<std::pair<std::string, double>>& shares() const;
  /// The slide that a sample is cut from, without making it.
  const PreparedSlide& slide_of(std::uint64_t epoch, std::int64_t index) const;
  /// Starts making batches [first, first + n) of `epoch`; what was under way is dropped. `repeats`: windows that come
  /// again; none when it is null.
  void start(std::uint64_t epoch, std::int64_t first, std::int64_t n, std::shared_ptr<const Repeats> repeats = nullptr);
  /// The next batch, in order; null after the last. Throws what a worker threw. The buffer goes back with recycle().
  std::unique_ptr<RawBatch> next();
  void recycle(std::unique_ptr<RawBatch> batch);
  /// Seconds that next() has waited since start().
  double waited() const noexcept;

  SampleStory story(std::uint64_t epoch, std::int64_t index) const;
  /// The window of a sample; for previews.
  RawWindow window(std::uint64_t epoch, std::int64_t index) const;
  /// One sample on the calling thread; for previews and tests. `augmented`: false leaves the augmentations out.
  void sample(std::uint64_t epoch, std::int64_t index, const ImageView& image, Sample& to, bool augmented = true) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nephron::host
