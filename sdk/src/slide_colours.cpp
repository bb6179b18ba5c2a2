#include <nephron/slide_colours.hpp>

#include <utility>

#include <nephron/slide_dataset.hpp>

namespace nephron {

ColourBook::~ColourBook() = default;

namespace {

struct LaterOfSample final : Room::Later {
  std::unique_ptr<Room::Later> clone() const override { return std::make_unique<LaterOfSample>(*this); }
  const ColourBook* book = nullptr;
  std::size_t slide = 0;
  std::string dataset;
};

const LaterOfSample* later_of(const SampleInfo& sample) {
  return dynamic_cast<const LaterOfSample*>(sample.room.later());
}

LaterOfSample& later_of(SampleInfo& sample) {
  if (dynamic_cast<LaterOfSample*>(sample.room.later()) == nullptr) sample.room.keep(std::make_unique<LaterOfSample>());
  return dynamic_cast<LaterOfSample&>(*sample.room.later());
}

}  // namespace

const ColourBook* colour_book(const SampleInfo& sample) {
  const LaterOfSample* const later = later_of(sample);
  return later == nullptr ? nullptr : later->book;
}

const SlideColours* slide_colours(const SampleInfo& sample) {
  const ColourBook* const book = colour_book(sample);
  return book == nullptr ? nullptr : book->colours(later_of(sample)->slide);
}

void set_colours(SampleInfo& sample, const ColourBook& book, std::size_t slide) {
  LaterOfSample& later = later_of(sample);
  later.book = &book, later.slide = slide;
}

std::string slide_dataset(const SampleInfo& sample) {
  const LaterOfSample* const later = later_of(sample);
  return later == nullptr ? std::string() : later->dataset;
}

void set_dataset(SampleInfo& sample, std::string dataset) { later_of(sample).dataset = std::move(dataset); }

}  // namespace nephron
