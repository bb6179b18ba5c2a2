#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <nephron/sampler.hpp>

#include <host/data/prepared.hpp>
#include <host/feed/colour_program.hpp>
#include <host/feed/execute.hpp>
#include <host/feed/joined_maps.hpp>
#include <host/feed/plan.hpp>
#include <host/feed/sample_program.hpp>

namespace nephron::host {

/// Writes samples down as programs (sample_program.hpp). One per thread: it keeps its buffers from sample to sample.
class ProgramWriter {
 public:
  explicit ProgramWriter(Geometry geometry);

  /// What a sample is made of. Its planes are label bits of `label_depth`, then the probabilities of `soft`; none where
  /// no pixel has a label.
  struct Sample {
    const RecordedPlan& plan;
    Region wanted;  ///< in the picture after all steps
    Executor::Source source;
    bool bare = false;
    Depth label_depth = Depth::u8;
    std::uint32_t soft = 0;                 ///< classes
    const std::vector<ChannelRule>& rules;  ///< of each class
    bool ignores = false;                   ///< labels have the bit of ignored pixels, after the classes
  };
  /// Replaces `bytes`. A plan with a step that only the CPU can do (Plan::pixels) is carried out here, and what is
  /// written is its result. True where a pixel of the window is ignored.
  bool write(const Sample& sample, std::vector<std::uint8_t>& bytes);

 private:
  bool read_window(const Sample& sample, bool result);
  void add_stages(const std::vector<Step>& steps);
  std::size_t add_move(const std::vector<Step>& steps, std::size_t first, ProgramStage& stage);
  void add_affine(const AffineStep& step, const Region& to, ProgramStage& stage);
  void add_grid(const DisplacementStep& step, ProgramStage& stage);
  void add_joined(std::span<const Step> steps, ProgramStage& stage);
  void add_taps(const std::vector<ProgramTap>& taps, ProgramStage& stage);
  void add_colour(const Step& step);
  void put_colours(ProgramStage& stage);
  ProgramColour put_colour(const LookupBody& body);
  ProgramColour put_colour(const SumBody& body);
  ProgramColour put_colour(const ProductBody& body);
  ProgramColour put_colour(const CubeBody& body);
  std::int64_t put_nodes(const ImageView& grid);
  /// A region that a stage makes, in the room.
  ProgramPixels room_for(const Region& region, int bytes);
  /// Where so many bytes lie that are written next.
  std::int64_t room_in(std::size_t bytes);
  template <class T>
  std::int64_t put(const T* from, std::size_t n);

  Geometry geometry_;
  std::unique_ptr<Executor> executor_;
  std::vector<std::uint8_t>* out_ = nullptr;
  SampleProgram program_;
  std::vector<ProgramStage> stages_;
  std::vector<Region> regions_;
  JoinedMaps joined_;
  ColourProgram colours_;
};

}  // namespace nephron::host
