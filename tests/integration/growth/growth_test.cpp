// A later SDK's headers (CMakeLists.txt), with plugins that were built with today's.
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <torch/types.h>
#include <nephron/augmentation.hpp>
#include <nephron/dataset.hpp>
#include <nephron/loss.hpp>
#include <nephron/reader.hpp>

#include <tests/integration/growth/grown_types.hpp>
#include <tests/support/fake_catalog.hpp>
#include <tests/support/written_plan.hpp>

namespace nephron {

namespace {

namespace fs = std::filesystem;

struct QuietLog final : Log {
  void write(Level, std::string_view) override {}
};

struct OneThread final : ThreadPool {
  std::size_t threads() const noexcept override { return 1; }
  void parallel_for(std::size_t n, const std::function<void(std::size_t)>& body) override {
    for (std::size_t i = 0; i < n; ++i) body(i);
  }
};

/// A host's context of the later SDK: it can do more than plugins of today know.
struct LaterContext final : Context, later::Side {
  explicit LaterContext(std::string component) : name(std::move(component)) {}
  std::string_view component() const noexcept override { return name; }
  Log& log() override { return quiet; }
  Rng rng(std::string_view purpose) const override { return {1, purpose}; }
  std::string_view device() const noexcept override { return "cpu"; }
  ThreadPool& threads() override { return pool; }
  bool cancelled() const noexcept override { return false; }
  void metric(std::string_view, double) override {}
  SlideOpener& slides() override { throw Error("there are no slide files here"); }
  double more() const override { return 3; }
  std::string name;
  QuietLog quiet;
  OneThread pool;
};

struct LaterCatalog final : FakeCatalog, later::Side {
  double more() const override { return 4; }
};

struct LaterPlan final : WrittenPlan, later::Side {
  double more() const override { return 5; }
};

/// Loads a bundled plugin as it was built, and makes a component of it.
template <class T>
std::shared_ptr<T> component_of(const std::string& plugin, const std::string& name, Context& context,
                                Value::Table params = {}) {
  void* file = ::dlopen((std::string(NEPHRON_BUILD_DIR "/plugins/") + plugin + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) throw Error(::dlerror());
  using Entry = const detail::PluginTable* (*)();
  const auto* table = reinterpret_cast<Entry>(::dlsym(file, "nephron_plugin_entry"))();
  for (const auto* code = table->begin; code != table->end; ++code) {
    if (name != code->record->name.chars || T::kind != code->record->kind.chars) continue;
    return std::dynamic_pointer_cast<T>(code->ops->create(Value(std::move(params)), context));
  }
  throw Error(plugin + " has no component \"" + name + "\"");
}

bool is_later(const Component* component) { return dynamic_cast<const later::Side*>(component) != nullptr; }

template <class T>
const Copier<T>& copier(const char* type) {
  void* file = ::dlopen(NEPHRON_GROWTH_COPIES, RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) throw Error(::dlerror());
  void* found = reinterpret_cast<void* (*)(const char*)>(::dlsym(file, "growth_copier"))(type);
  if (found == nullptr) throw Error(std::string("no copier of ") + type);
  return *static_cast<const Copier<T>*>(found);
}

template <class T>
void expect_kept(const char* type) {
  SCOPED_TRACE(type);
  const Copier<T>& today = copier<T>(type);
  EXPECT_EQ(today.size(), sizeof(T));
  T value{};
  EXPECT_EQ(value.later(), later::fallback);
  value.set_later(7);
  std::vector<T> copies = today.copies(value, 20);
  ASSERT_EQ(copies.size(), 20U);
  for (const T& copy : copies) EXPECT_EQ(copy.later(), 7);
  copies[3].set_later(8);  // copies are apart
  EXPECT_EQ(copies[4].later(), 7);
  EXPECT_EQ(value.later(), 7);
  EXPECT_EQ(today.own().later(), later::fallback);
}

TEST(GrowthTest, LaterFieldsSurvivePluginsOfToday) {
#define NEPHRON_EXPECT(T) expect_kept<T>(#T);
  NEPHRON_GROWN_TYPES(NEPHRON_EXPECT)
}

struct CountedSink final : AnnotationSink {
  void polygon(int, const Polygon&) override { ++calls; }
  void mask(const Region&, const ImageView&) override { ++calls; }
  void runs(int, std::span<const Run>, bool) override { ++calls; }
  void probability(int, const Region&, const ImageView&) override { ++calls; }
  void ignore(const Region&, const ImageView&) override { ++calls; }
  int calls = 0;
};

TEST(GrowthTest, ADatasetOfTodayIsRead) {
  LaterContext context("synthetic");
  const auto dataset = component_of<Dataset>("synthetic", "synthetic", context);
  EXPECT_FALSE(is_later(dataset.get()));
  const std::vector<std::string> classes{"healthy", "unhealthy"};
  std::vector<SlideInfo> slides = dataset->slides(classes);
  ASSERT_GT(slides.size(), 1U);
  for (SlideInfo& slide : slides) {
    EXPECT_EQ(slide.later(), later::fallback);
    slide.set_later(0.25);
    CountedSink sink;
    dataset->annotate(slide, classes, sink);
    EXPECT_GT(sink.calls, 0);
    EXPECT_EQ(dataset->open(slide)->size(), slide.size);
  }
  for (const ChannelRule& rule : dataset->targets(classes)) EXPECT_EQ(rule.later(), later::fallback);
}

TEST(GrowthTest, SamplersAndAugmentationsOfTodayWork) {
  LaterContext context("balanced");
  const auto sampler = component_of<Sampler>("balanced", "balanced", context);
  LaterCatalog catalog;
  catalog.group_shares = {{"a", 1.0}};
  catalog.add("a", {4000, 3000}, 100, {700, 500, 10, 10});
  catalog.add("a", {2000, 3000}, 100, {100, 100, 10, 10});
  for (CatalogSlide& slide : catalog.entries) slide.set_later(2);
  std::set<std::int64_t> drawn;
  for (int i = 0; i < 64; ++i) {
    Rng rng(5, "growth", 0, static_cast<std::uint64_t>(i));
    const Window window = sampler->draw(catalog, 256, i, rng);
    EXPECT_EQ(window.later(), later::fallback);
    EXPECT_EQ(window.region.size(), (Size{256, 256}));
    drawn.insert(window.slide);
  }
  EXPECT_EQ(drawn.size(), 2U);
  EXPECT_FALSE(is_later(sampler.get()));

  const auto flip = component_of<Augmentation>("flip", "flip", context);
  LaterPlan plan;
  SampleInfo sample = sample_of({64, 64});
  sample.set_later(3);
  for (int i = 0; i < 8; ++i) {
    Rng rng(5, "growth", 1, static_cast<std::uint64_t>(i));
    flip->draw(sample, rng, plan);
  }
  EXPECT_GT(plan.calls, 0);
  EXPECT_FALSE(is_later(flip.get()));
}

TEST(GrowthTest, NetworksAndLossesOfTodayWork) {
  LaterContext encoder_context("resnet18"), decoder_context("unet");
  const auto encoder = component_of<Encoder>("resnet", "resnet18", encoder_context);
  EncoderOptions options{.in_channels = 3, .depth = 5};
  options.set_later(1);
  encoder->build(options);
  std::vector<Level> levels = encoder->levels();
  ASSERT_EQ(levels.size(), 6U);
  for (Level& level : levels) {
    EXPECT_EQ(level.later(), later::fallback);
    level.set_later(9);
  }
  const auto decoder = component_of<Decoder>("unet", "unet", decoder_context);
  decoder->build(levels);
  const HeadSpec head = decoder->head();
  EXPECT_EQ(head.later(), later::fallback);
  EXPECT_TRUE(head.glorot);
  const at::Tensor map = decoder->forward(encoder->forward(torch::rand({1, 3, 64, 64})));
  EXPECT_EQ(map.sizes(), (at::IntArrayRef{1, head.in_channels, 64, 64}));

  LaterContext loss_context("bce");
  const auto loss = component_of<Loss>("bce", "bce", loss_context);
  const at::Tensor value = loss->forward(torch::zeros({2, 1, 8, 8}), torch::ones({2, 1, 8, 8}));
  EXPECT_NEAR(value.mean().item<double>(), std::log(2.0), 1e-6);
  for (const Component* component : std::initializer_list<const Component*>{encoder.get(), decoder.get(), loss.get()})
    EXPECT_FALSE(is_later(component));
}

TEST(GrowthTest, SchemasOfTodayAreTold) {
  LaterContext context("balanced");
  void* file = ::dlopen(NEPHRON_BUILD_DIR "/plugins/mendeley.so", RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(file, nullptr) << ::dlerror();
  const auto* table = reinterpret_cast<const detail::PluginTable* (*)()>(::dlsym(file, "nephron_plugin_entry"))();
  const SchemaBase& schema = table->begin->ops->schema();
  std::set<std::string> names;
  for (const FieldInfo& field : schema.fields()) {
    EXPECT_EQ(field.later(), later::fallback);
    names.insert(field.name);
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"root", "objects", "targets"}));
  Diagnostics faults;
  DecodeContext decoding{faults};
  EXPECT_FALSE(schema.check(Value(Value::Table{{"roots", "x", {}}}), decoding));
  ASSERT_EQ(faults.size(), 2U);  // a key too many, and one that is missing
  EXPECT_EQ(faults[0].later(), later::fallback);
}

/// "NAME" of every struct in the public headers that has neither a Room nor the word Closed in what is said of it or
/// of its header; what a plugin alone makes and reads (detail, conformance, drafts, nn) is no part of it.
std::vector<std::string> without_room(std::set<std::string>& with_room) {
  static const std::regex begin(R"(^( *)struct (?:NEPHRON_API )?(\w+) \{$)");
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(NEPHRON_SOURCE_DIR "/sdk/include/nephron")) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream in(entry.path());
    std::string line, said, header_closed;
    bool in_detail = false;
    while (std::getline(in, line)) {
      if (line.starts_with("namespace ")) in_detail = line.find("detail") != std::string::npos;
      std::smatch match;
      if (line.find("///") != std::string::npos) said += line + "\n";
      if (line.find("as every type of this header") != std::string::npos) header_closed = "yes";
      if (!in_detail && std::regex_match(line, match, begin)) {
        const std::string indent = match[1], name = match[2];
        std::string body;
        while (std::getline(in, line) && line != indent + "};") body += line + "\n";
        if (body.find("Room room{};") != std::string::npos) with_room.insert(name);
        else if (said.find("Closed") == std::string::npos && header_closed.empty())
          out.push_back(entry.path().filename().string() + ": " + name);
      }
      if (line.find("///") == std::string::npos) said.clear();
    }
  }
  return out;
}

TEST(GrowthTest, EveryTypeThatCrossesHasRoomOrSaysWhyNot) {
  std::set<std::string> with_room;
  // What stays on one side: constants of the headers, names of bits, what is inlined, private parts of classes.
  const std::vector<std::string> inside{"draw.hpp: WindowPlaces",    "experiment_keys.hpp: ExperimentKey",
                                        "kinds.hpp: KindInfo",       "loss_input.hpp: LossAsked",
                                        "loss_input.hpp: LossNeeds", "metric.hpp: MetricNeeds",
                                        "object_classes.hpp: Entry", "schema.hpp: Slot"};
  EXPECT_THAT(without_room(with_room), testing::UnorderedElementsAreArray(inside))
      << "end it in `Room room{};`, or say \"Closed\" and why";
  std::set<std::string> tried{"DecodeContext"};  // holds a reference: no value is made of it
#define NEPHRON_NAME(T) tried.insert(std::string(#T).substr(std::string(#T).rfind(':') + 1));
  NEPHRON_GROWN_TYPES(NEPHRON_NAME)
  EXPECT_EQ(tried, with_room) << "grown_types.hpp lists every type that has room";
}

}  // namespace

}  // namespace nephron
