#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stdexcept>

#include <nephron/sampler.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

namespace {

class GoodSampler : public Sampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t, Rng& rng) const override {
    if (catalog.slides().empty()) throw Error("there is no slide to draw from");
    const std::int64_t slide = rng.integer(0, static_cast<std::int64_t>(catalog.slides().size()) - 1);
    const Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    const auto place = [&](std::int64_t extent) { return extent > window ? rng.integer(0, extent - window) : 0; };
    const std::int64_t x = place(size.width);
    return {slide, {x, place(size.height), window, window}};
  }
};

class RoundsItsSide final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    return GoodSampler::draw(catalog, window / 128 * 128, index, rng);
  }
};

class SlideBesideTheList final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    Window out = GoodSampler::draw(catalog, window, index, rng);
    if (window == 64) out.slide = static_cast<std::int64_t>(catalog.slides().size());
    return out;
  }
};

class SecondInstanceDiffers final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    if (second_) rng.bits();
    return GoodSampler::draw(catalog, window, index, rng);
  }

 private:
  static inline std::atomic<int> instances = 0;
  EverySecond second_{instances};
};

class CallsRand final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    static_cast<void>(std::rand());
    return GoodSampler::draw(catalog, window, index, rng);
  }
};

class ReadsRandomDevice final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    static_cast<void>(std::random_device()());
    return GoodSampler::draw(catalog, window, index, rng);
  }
};

class AlwaysTheCorner final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t, Rng&) const override {
    if (catalog.slides().empty()) throw Error("there is no slide to draw from");
    return {0, {0, 0, window, window}};
  }
};

/// A generator of its own: windows differ, and are the same for every seed and epoch.
class SeedsItself final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng&) const override {
    Rng own(42, "sampler", 0, static_cast<std::uint64_t>(index));
    return GoodSampler::draw(catalog, window, index, own);
  }
};

/// An index that never reaches the end.
class LeavesOutTheLast final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    Window out = GoodSampler::draw(catalog, window, index, rng);
    const auto last = static_cast<std::int64_t>(catalog.slides().size()) - 1;
    if (last > 0 && out.slide == last) out = {0, {0, 0, window, window}};
    return out;
  }
};

class KeepsItsWindow final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    return scratch_.through(GoodSampler::draw(catalog, window, index, rng));
  }

 private:
  mutable SharedScratch<Window> scratch_;
};

/// An index of slides that is made once.
class KeepsItsCatalogue final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    Window out = GoodSampler::draw(catalog, window, index, rng);
    std::call_once(once_, [&] { slides_ = static_cast<std::int64_t>(catalog.slides().size()); });
    // Of a larger catalogue the last slides are left out, and of a smaller one all but the corners.
    if (out.slide >= slides_) out = {0, {0, 0, window, window}};
    if (static_cast<std::int64_t>(catalog.slides().size()) < slides_) out.region.x = out.region.y = 0;
    return out;
  }

 private:
  mutable std::once_flag once_;
  mutable std::int64_t slides_ = 0;
};

/// A schedule of hard windows that begins late.
class WarmsUp final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    if (++drawn_ > 6000) rng.bits();
    return GoodSampler::draw(catalog, window, index, rng);
  }

 private:
  mutable std::atomic<int> drawn_ = 0;
};

/// Takes the pixel that it drew for the corner of its window.
class OffItsCentre final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t, Rng& rng) const override {
    if (catalog.slides().empty()) throw Error("there is no slide to draw from");
    const std::int64_t slide = rng.integer(0, static_cast<std::int64_t>(catalog.slides().size()) - 1);
    const Size size = catalog.slides()[static_cast<std::size_t>(slide)].size;
    const std::int64_t x = rng.integer(0, size.width - 1);
    return {slide, {x, rng.integer(0, size.height - 1), window, window}};
  }
};

/// Sizes that are looked up again when there are more or fewer slides.
class KeepsItsSizes final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    Window out = GoodSampler::draw(catalog, window, index, rng);
    const std::lock_guard lock(mutex_);
    if (widths_.size() != catalog.slides().size()) {
      widths_.clear();
      for (const CatalogSlide& slide : catalog.slides()) widths_.push_back(slide.size.width);
    }
    if (widths_[static_cast<std::size_t>(out.slide)] < 2000) out.region.x = 0;
    return out;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::int64_t> widths_;
};

class SlideFromNothing final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    if (catalog.slides().empty()) return {0, {0, 0, window, window}};
    return GoodSampler::draw(catalog, window, index, rng);
  }
};

/// Takes it that a window fits into every slide.
class LeavesSmallSlides final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    Window out = GoodSampler::draw(catalog, window, index, rng);
    if (catalog.slides()[static_cast<std::size_t>(out.slide)].size.width < window) out.region.x -= 2 * window;
    return out;
  }
};

class SomethingElseThanAnError final : public GoodSampler {
 public:
  Window draw(const Catalog& catalog, std::int64_t window, std::int64_t index, Rng& rng) const override {
    if (catalog.slides().empty()) throw std::out_of_range("vector");
    return GoodSampler::draw(catalog, window, index, rng);
  }
};

}  // namespace

Fixture sampler_fixture() {
  return {
      {subject_of<Sampler, GoodSampler>("good")},
      {
          {"windows", "not a square of side 64", subject_of<Sampler, RoundsItsSide>("rounds_its_side")},
          {"windows", "of a slide that is not there", subject_of<Sampler, SlideBesideTheList>("slide_beside_the_list")},
          {"windows", "a window that leaves its slide", subject_of<Sampler, OffItsCentre>("off_its_centre")},
          {"determinism", "is another", subject_of<Sampler, SecondInstanceDiffers>("second_differs")},
          {"catalogues", "it keeps the first catalogue", subject_of<Sampler, KeepsItsCatalogue>("keeps_its_catalogue")},
          {"catalogues", "it keeps the first catalogue", subject_of<Sampler, KeepsItsSizes>("keeps_its_sizes")},
          {"state", "it keeps state", subject_of<Sampler, WarmsUp>("warms_up")},
          {"randomness", "rand(), random() or srand() was called", subject_of<Sampler, CallsRand>("calls_rand")},
          {"randomness", "std::random_device was read", subject_of<Sampler, ReadsRandomDevice>("random_device")},
          {"spread", "windows are the same", subject_of<Sampler, AlwaysTheCorner>("always_the_corner")},
          {"generator", "whatever the Rng that is handed in", subject_of<Sampler, SeedsItself>("seeds_itself")},
          {"slides", "slide 3 of 4", subject_of<Sampler, LeavesOutTheLast>("leaves_out_the_last")},
          {"threads", "from several threads at once", subject_of<Sampler, KeepsItsWindow>("shared_scratch")},
          {"extremes", "from an empty catalogue", subject_of<Sampler, SlideFromNothing>("slide_from_nothing")},
          {"extremes", "a slide smaller than the window",
           subject_of<Sampler, LeavesSmallSlides>("leaves_small_slides")},
          {"extremes", "vector", subject_of<Sampler, SomethingElseThanAnError>("no_error")},
      }};
}

}  // namespace nephron::conformance
