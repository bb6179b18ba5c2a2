// How fast one core makes samples: the bar is the strongest Python chain known (417 tiles of 256 px a second and core).
#include <ctime>

#include <gtest/gtest.h>

#include <nephron/image.hpp>

#include <host/feed/sample_maker.hpp>

#include "data_fixture.hpp"

namespace nephron::host {
namespace {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

TEST(FeedRate, OneCoreIsWellAboveWhatOneTrainerNeeds) {
  const Registry registry = plugins();
  Experiment e = synthetic_experiment();
  e.data.tile = 256;
  e.datasets[0].component.params = table({{"slides", 1}});
  const auto half = [](const char* type) { return augmentation(type, Value(Value::Table{}), 0.5); };
  e.augmentations = {augmentation("flip"), half("shift_scale_rotate"), half("brightness_contrast"),
                     half("gaussian_blur")};
  const PreparedData data = prepare(e, registry);
  FeedOptions o;
  o.slides = {0};
  const SampleMaker maker(e, registry, data, o);
  Image image({256, 256}, 3);
  std::vector<std::uint8_t> labels(2 * 256 * 256);
  std::vector<float> weights(2);
  SampleScratch scratch = maker.scratch();
  const auto make = [&](std::int64_t n) {
    const double begin = cpu_seconds();
    for (std::int64_t i = 0; i < n; ++i) maker.make(0, i, {image.view(), labels, weights}, scratch);
    return cpu_seconds() - begin;
  };
  make(20);
  constexpr std::int64_t n = 400;
  const double rate = static_cast<double>(n) / make(n);
  RecordProperty("tiles_per_second_and_core", static_cast<int>(rate));
  std::printf("[ measured ] %.0f tiles of 256 px (windows of 384 px) a second and core\n", rate);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(NDEBUG)
  EXPECT_GT(rate, 417);
#endif
}

}  // namespace
}  // namespace nephron::host
