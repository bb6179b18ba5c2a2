// What tests/bench times of slides and the store: hidden commands that print one line of JSON.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include <nlohmann/json.hpp>

#include <nephron/geojson.hpp>
#include <nephron/rle.hpp>
#include <nephron/rng.hpp>

#include <host/cli/bench_measures.hpp>
#include <host/cli/command.hpp>
#include <host/config/load.hpp>
#include <host/data/label_source.hpp>
#include <host/data/store_slides.hpp>
#include <host/labels/painter.hpp>
#include <host/plugins/registry.hpp>
#include <host/slides/opener.hpp>
#include <host/slides/reduced.hpp>
#include <host/store/labels_folder.hpp>
#include <host/util/files.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void warm(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string buffer(1 << 24, '\0');
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()))) {}
}

struct PrepareBench {
  fs::path slide, polygons, out;
  std::vector<int> factors{2};
  bool whole = false;
};

PictureSource source_of(const std::shared_ptr<SlideFile>& file) {
  return {file->size(), file->header().mpp, file->header().tile,
          [file](const Region& region, const ImageView& to) { file->read(region, to); }};
}

LabelPainter painter_of(const fs::path& polygons, Size size) {
  LabelPainter painter(size, 1);
  for (const AnnotatedObject& object : read_geojson(polygons).objects)
    for (const Polygon& part : object.parts) painter.polygon(0, part);
  return painter;
}

/// Runs of the reduced mask, painted a few columns at a time: the mask is never whole.
Runs mask_runs(const LabelPainter& painter, int factor) {
  constexpr std::int64_t columns = 256;
  const Size size = painter.size(factor);
  std::vector<Runs> parts(static_cast<std::size_t>((size.width + columns - 1) / columns));
  thread_pool().parallel_for(parts.size(), [&](std::size_t i) {
    const std::int64_t x = static_cast<std::int64_t>(i) * columns;
    const Region window{x, 0, std::min(columns, size.width - x), size.height};
    if (!painter.touches(factor, window)) return;
    const Image mask(window.size(), 1);
    painter.paint(factor, window, mask.view());
    parts[i] = encode_rle(mask.view());
    for (Run& run : parts[i]) run.start += x * size.height;
  });
  Runs all;
  for (const Runs& part : parts) all.insert(all.end(), part.begin(), part.end());
  return normalised(std::move(all));
}

/// The reduced picture and the run lengths of the reduced mask: what the peer writes.
Json write_as_peer(const PrepareBench& b, const std::shared_ptr<SlideFile>& file) {
  const Clock clock;
  std::vector<PictureTarget> targets;
  for (const int f : b.factors) targets.push_back({f, b.out});
  write_pictures(targets, source_of(file), thread_pool(), [](std::int64_t) {}, {.digest = false, .sync = false});
  const double picture_s = clock.seconds();
  const LabelPainter painter = painter_of(b.polygons, file->size());
  std::ofstream(b.out.string() + ".rle") << rle_text(mask_runs(painter, b.factors.front()));
  return {{"seconds", clock.seconds()}, {"picture_s", picture_s}, {"mask_s", clock.seconds() - picture_s}};
}

/// A slide of the store: every factor, labels, look-up index, tissue, digests, hashes of the sources, on the disk.
Json write_whole(const PrepareBench& b, const std::shared_ptr<SlideFile>& file) {
  const fs::path store = fs::absolute(b.out);
  const PictureFolder picture(store / "pictures" / "slide");
  const LabelsFolder labels(store / "labels" / "slide");
  const std::vector<Reduction> reductions(b.factors.begin(), b.factors.end());
  const auto quietly = [](const std::string&) {};
  const Clock clock;
  const PictureSource source = source_of(file);
  picture.prepare(
      {b.slide, reductions, {}}, Compare::stamps, source, "bench 1", thread_pool(), [](std::int64_t) {}, quietly);
  const double picture_s = clock.seconds();
  const auto record = picture.record(reductions.front());
  labels.prepare(
      {"bench", "slide", "bench 1", {b.polygons}, {"glomerulus"}, reductions, true}, Compare::stamps,
      {"slide", source.size, source.mpp, record->source},
      [&] { return source_of(std::make_shared<LabelPainter>(painter_of(b.polygons, source.size))); }, thread_pool(),
      quietly);
  return {{"seconds", clock.seconds()}, {"picture_s", picture_s}, {"labels_s", clock.seconds() - picture_s}};
}

void prepare_bench(const PrepareBench& b) {
  const Registry registry;
  ReaderOpener opener(registry);
  opener.open(b.slide);  // the plugin is loaded once unmeasured, as the peer's imports are
  warm(b.slide);
  reset_peak();
  const Clock clock;
  const std::shared_ptr<SlideFile> file = opener.open(b.slide);
  const double open_s = clock.seconds();
  Json json{{"job", "prepare"}, {"variant", b.whole ? "store" : "as_peer"}};
  json.update(b.whole ? write_whole(b, file) : write_as_peer(b, file));
  json["seconds"] = json["seconds"].get<double>() + open_s;
  json.update({{"width", file->size().width},
               {"height", file->size().height},
               {"factors", b.factors},
               {"peak_job_rss_mb", peak_mb()}});
  std::printf("%s\n", json.dump().c_str());
}

void add_prepare_bench(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("bench-prepare", "Time preparing one slide")->group("");
  const auto b = std::make_shared<PrepareBench>();
  command->add_option("--slide", b->slide)->required();
  command->add_option("--polygons", b->polygons)->required();
  command->add_option("--out", b->out)->required();
  command->add_option("--factors", b->factors)->delimiter(',')->capture_default_str();
  command->add_flag("--whole", b->whole);
  command->callback([b, &exit] {
    prepare_bench(*b);
    exit = Exit::done;
  });
}

struct WindowBench {
  fs::path slide;
  std::int64_t size = 768, n = 500;
  std::uint64_t seed = 0;
  bool limit = false;  ///< as many bytes copied, in place of windows
};

/// The measured rounds of `read(place)`, after one of each place: page tables are filled.
template <class Read>
void time_windows(const WindowBench& b, const char* variant, const std::vector<Region>& places, const Read& read) {
  for (const Region& r : places) read(r);
  reset_peak();
  const Clock clock;
  for (const Region& r : places) read(r);
  const double seconds = clock.seconds(), busy = clock.busy();
  const Json json{{"job", "windows"},
                  {"variant", variant},
                  {"seconds", seconds},
                  {"items", b.n},
                  {"items_per_s", static_cast<double>(b.n) / seconds},
                  {"items_per_s_core", static_cast<double>(b.n) / busy},
                  {"peak_rss_mb", peak_mb()}};
  std::printf("%s\n", json.dump().c_str());
}

/// memcpy() of a window's bytes, in one piece, from random places of a buffer as large as the slide to one window.
void copies_bench(const WindowBench& b, Size slide) {
  const auto bytes = static_cast<std::size_t>(b.size * b.size * 3);
  const std::vector<std::uint8_t> from(static_cast<std::size_t>(slide.area()) * 3, 1);
  std::vector<std::uint8_t> to(bytes);
  Rng rng(b.seed, "copies");
  std::vector<Region> places;  // x: where it begins
  for (std::int64_t i = 0; i < b.n; ++i)
    places.push_back({rng.integer(0, static_cast<std::int64_t>(from.size() - bytes)), 0, b.size, b.size});
  time_windows(b, "memcpy", places, [&](const Region& r) {
    std::memcpy(to.data(), from.data() + r.x, bytes);
    asm volatile("" : : "r"(to.data()) : "memory");  // nobody reads it
  });
}

/// Windows of a picture of the store, in the page cache, one thread.
void windows_bench(const WindowBench& b) {
  const MappedTiff tiff(b.slide);
  const Size size = tiff.pictures().front().size;
  if (size.width <= b.size || size.height <= b.size) throw Error(b.slide.string() + " is smaller than a window");
  if (b.limit) return copies_bench(b, size);
  warm(b.slide);
  Rng rng(b.seed, "windows");
  std::vector<Region> places;
  for (std::int64_t i = 0; i < b.n; ++i)
    places.push_back({rng.integer(0, size.width - b.size), rng.integer(0, size.height - b.size), b.size, b.size});
  const Image out({b.size, b.size}, 3);
  time_windows(b, "store", places, [&](const Region& r) { tiff.read(0, r, out.view()); });
}

void add_windows_bench(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("bench-windows", "Time windows of a prepared slide")->group("");
  const auto b = std::make_shared<WindowBench>();
  command->add_option("--slide", b->slide)->required();
  command->add_option("--size", b->size)->capture_default_str();
  command->add_option("--n", b->n)->capture_default_str();
  command->add_option("--seed", b->seed)->capture_default_str();
  command->add_flag("--limit", b->limit, "Copy as many bytes in place of windows");
  command->callback([b, &exit] {
    windows_bench(*b);
    exit = Exit::done;
  });
}

/// Opening every slide of an experiment whose store is up to date, as training does at its start.
void open_bench(const fs::path& file) {
  std::unique_ptr<Registry> registry;
  const Experiment experiment = load_experiment(file, {}, PluginSearch{}, registry);
  const Clock clock;
  const Listing listing(experiment, *registry);
  const double list_s = clock.seconds();
  const PreparedData data = prepare_and_open(listing);
  const double seconds = clock.seconds();
  if (!data.problems.empty()) throw Error(data.problems.front());
  const Json json{
      {"job", "open"}, {"variant", "store"}, {"seconds", seconds}, {"list_s", list_s}, {"slides", data.slides.size()}};
  std::printf("%s\n", json.dump().c_str());
}

void add_open_bench(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("bench-open", "Time opening a prepared store")->group("");
  const auto file = std::make_shared<fs::path>();
  command->add_option("experiment", *file)->required();
  command->callback([file, &exit] {
    open_bench(*file);
    exit = Exit::done;
  });
}

struct ReadBench {
  fs::path slide;
  std::string reader;  ///< "": the best one
  std::int64_t size = 512, n = 40, rounds = 10;
  int factor = 1;
  std::uint64_t seed = 0;
};

/// Regions of a slide with a reader; each round opens the file anew, so that the reader's cache begins empty.
void read_bench(const ReadBench& b) {
  const Registry registry;
  ReaderOpener opener(registry);
  const Size size = opener.open(b.slide, b.reader)->size();  // the plugin is loaded once unmeasured
  const std::int64_t side = b.size * b.factor;
  if (size.width <= side || size.height <= side) throw Error(b.slide.string() + " is smaller than a region");
  warm(b.slide);
  Rng rng(b.seed, "regions");
  double open_s = 0;
  reset_peak();
  const Clock clock;
  for (std::int64_t round = 0; round < b.rounds; ++round) {
    const Clock opening;
    const std::unique_ptr<SlideFile> file = opener.open(b.slide, b.reader);
    open_s += opening.seconds();
    for (std::int64_t i = 0; i < b.n; ++i) {
      const Region place{rng.integer(0, size.width - side), rng.integer(0, size.height - side), side, side};
      read_reduced(*file, 0, place, b.factor, [](std::int64_t, std::int64_t) {});
    }
  }
  const double seconds = clock.seconds();
  const Json json{{"job", "read"},
                  {"variant", b.reader},
                  {"seconds", seconds},
                  {"open_s", open_s / static_cast<double>(b.rounds)},
                  {"items_per_s", static_cast<double>(b.rounds * b.n) / seconds},
                  {"peak_rss_mb", peak_mb()}};
  std::printf("%s\n", json.dump().c_str());
}

void add_read_bench(CLI::App& app, int& exit) {
  auto* command = app.add_subcommand("bench-read", "Time regions of a slide file")->group("");
  const auto b = std::make_shared<ReadBench>();
  command->add_option("--slide", b->slide)->required();
  command->add_option("--reader", b->reader, "The best one when not named");
  command->add_option("--size", b->size)->capture_default_str();
  command->add_option("--factor", b->factor)->capture_default_str();
  command->add_option("--n", b->n)->capture_default_str();
  command->add_option("--rounds", b->rounds)->capture_default_str();
  command->add_option("--seed", b->seed)->capture_default_str();
  command->callback([b, &exit] {
    read_bench(*b);
    exit = Exit::done;
  });
}

}  // namespace

NEPHRON_COMMAND("bench-prepare", 901, add_prepare_bench)
NEPHRON_COMMAND("bench-windows", 902, add_windows_bench)
NEPHRON_COMMAND("bench-open", 903, add_open_bench)
NEPHRON_COMMAND("bench-read", 904, add_read_bench)

}  // namespace nephron::host
