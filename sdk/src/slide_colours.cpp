#include <nephron/slide_colours.hpp>

namespace nephron {

ColourBook::~ColourBook() = default;

namespace {

struct LaterOfSample final : Room::Later {
  LaterOfSample(const ColourBook& b, std::size_t s) : book(&b), slide(s) {}
  std::unique_ptr<Room::Later> clone() const override { return std::make_unique<LaterOfSample>(*book, slide); }
  const ColourBook* book;
  std::size_t slide;
};

const LaterOfSample* later_of(const SampleInfo& sample) {
  return dynamic_cast<const LaterOfSample*>(sample.room.later());
}

}  // namespace

const ColourBook* colour_book(const SampleInfo& sample) {
  const LaterOfSample* const later = later_of(sample);
  return later == nullptr ? nullptr : later->book;
}

const SlideColours* slide_colours(const SampleInfo& sample) {
  const LaterOfSample* const later = later_of(sample);
  return later == nullptr ? nullptr : later->book->colours(later->slide);
}

void set_colours(SampleInfo& sample, const ColourBook& book, std::size_t slide) {
  sample.room.keep(std::make_unique<LaterOfSample>(book, slide));
}

}  // namespace nephron
